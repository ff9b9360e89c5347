using DonkeyWork.CodeSandbox.Local.Posix;
using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Local.Cgroups;

/// <summary>
/// Our part of the machine's control groups (cgroups(7)): one group per sandbox below one of this state directory's
/// own, in every hierarchy. Where the controllers are in v1 hierarchies, limits and counters are found there and
/// killing still goes through v2, whose hierarchy then has no controllers.
/// </summary>
internal sealed class CgroupTree
{
    /// <summary>The group that this process goes into where the one it was started in is to hold the sandboxes'.</summary>
    public const string ManagersGroup = "manager";

    private static readonly string[] Needed = ["memory", "cpu", "pids"];

    private readonly CgroupMounts _mounts;

    /// <param name="mounts">The hierarchies.</param>
    /// <param name="group">Absolute path of our group in each of them.</param>
    public CgroupTree(CgroupMounts mounts, string group)
    {
        _mounts = mounts;
        Group = group;
    }

    /// <summary>Our group's path in every hierarchy.</summary>
    public string Group { get; }

    /// <summary>Whether swap can be limited.</summary>
    public bool LimitsSwap { get; private set; }

    /// <summary>Whether swap can only be avoided: v1 without swap accounting.</summary>
    public bool AvoidsSwap => !LimitsSwap && !_mounts.ControllersInVersion2;

    /// <summary>Makes our group, and has v2 hand its controllers down to the sandboxes' groups.</summary>
    /// <param name="delegated">The group to start from: the hierarchy's root, in a container its own, or what an ordinary user was given.</param>
    /// <exception cref="IOException">The kernel refuses.</exception>
    /// <exception cref="UnauthorizedAccessException">The groups are not ours to change.</exception>
    public void Prepare(string delegated = "/")
    {
        if (_mounts.Version2 is { } v2)
        {
            var level = Path.Combine(v2, delegated[1..]);
            // The machine's own root group has no type, and may have both processes and controllers.
            if (_mounts.ControllersInVersion2 && File.Exists(Path.Combine(level, "cgroup.type")))
                Vacate(level);
            foreach (var part in (string[])["", .. Group[delegated.Length..].Split('/', StringSplitOptions.RemoveEmptyEntries)])
            {
                level = Path.Combine(level, part);
                Directory.CreateDirectory(level);
                if (_mounts.ControllersInVersion2)
                    File.WriteAllText(Path.Combine(level, "cgroup.subtree_control"), string.Join(' ', Needed.Select(name => $"+{name}")));
            }
        }

        var probe = _mounts.ControllersInVersion2 ? InVersion2(PathOf("probe")) : InMemoryHierarchy(PathOf("probe"));
        Directory.CreateDirectory(probe);
        LimitsSwap = File.Exists(Path.Combine(probe, _mounts.ControllersInVersion2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes"));
        Directory.Delete(probe);
    }

    /// <summary>A sandbox's group: its path in every hierarchy, as a runtime's <c>cgroupsPath</c> is.</summary>
    public string PathOf(string sandbox) => $"{Group}/{sandbox}";

    /// <summary>
    /// Makes a sandbox's group before the runtime does, so that what is in it can be opened: its v2 directory, given
    /// to the sandbox's user for the executor to make groups of its own in, and the file that counts kills for want of memory.
    /// </summary>
    public CgroupHandles Create(string sandbox, uint owner, bool handOver)
    {
        SafeFileHandle? directory = null;
        if (_mounts.Version2 is not null)
        {
            var path = InVersion2(PathOf(sandbox));
            Directory.CreateDirectory(path);
            if (handOver)
            {
                // A bound to what a sandbox can make the host keep.
                File.WriteAllText(Path.Combine(path, "cgroup.max.depth"), "4");
                File.WriteAllText(Path.Combine(path, "cgroup.max.descendants"), "2048");
                LibC.Check(LibC.Chown(path, owner, owner), path);
                LibC.Check(LibC.Chown(Path.Combine(path, "cgroup.procs"), owner, owner), path);
                directory = Descriptors.DetachedDirectory(path);
            }
        }

        var counters = CountersOf(PathOf(sandbox));
        Directory.CreateDirectory(Path.GetDirectoryName(counters)!);
        return new CgroupHandles(directory, Descriptors.Reader(counters));
    }

    /// <summary>The first limit of a sandbox's group that the kernel does not have as it was asked for, whatever the runtime said; <see langword="null"/> where all bind.</summary>
    public string? FirstNotInForce(string group, long memoryBytes, long tasks)
    {
        (string File, long Value)[] limits = _mounts.ControllersInVersion2
            ? [(Path.Combine(InVersion2(group), "memory.max"), memoryBytes), (Path.Combine(InVersion2(group), "pids.max"), tasks)]
            : [(Path.Combine(InMemoryHierarchy(group), "memory.limit_in_bytes"), memoryBytes), (Path.Combine(_mounts.Version1["pids"], group[1..], "pids.max"), tasks)];
        return limits.FirstOrDefault(limit => !File.Exists(limit.File) || File.ReadAllText(limit.File).Trim() != $"{limit.Value}").File;
    }

    /// <summary>How many processes of a sandbox's group were killed for want of memory; <see langword="null"/> where it is gone.</summary>
    public long? OutOfMemoryKills(string group)
    {
        try
        {
            var line = File.ReadLines(CountersOf(group)).FirstOrDefault(line => line.StartsWith("oom_kill ", StringComparison.Ordinal));
            return line is null ? null : long.Parse(line["oom_kill ".Length..], null);
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>
    /// Kills everything in a sandbox's group, whatever it is doing, and lifts its CPU limit, or what has used up its time
    /// could not even end (before Linux 6.18); nothing where there is no such group.
    /// </summary>
    public void Kill(string group)
    {
        if (_mounts.Version2 is not null)
            WriteIfThere(Path.Combine(InVersion2(group), "cgroup.kill"), "1");
        if (_mounts.ControllersInVersion2)
            WriteIfThere(Path.Combine(InVersion2(group), "cpu.max"), "max");
        else if (_mounts.Version1.TryGetValue("cpu", out var cpu))
            WriteIfThere(Path.Combine(cpu, group[1..], "cpu.cfs_quota_us"), "-1");
    }

    /// <summary>Removes a sandbox's group from every hierarchy.</summary>
    /// <exception cref="IOException">There still is a process in one of them.</exception>
    public void Remove(string group)
    {
        foreach (var root in _mounts.All)
            RemoveTree(Path.Combine(root, group[1..]));
    }

    /// <summary>Sandboxes that have a group in any hierarchy.</summary>
    public IEnumerable<string> Existing() =>
        _mounts.All.Select(root => Path.Combine(root, Group[1..])).Where(Directory.Exists)
            .SelectMany(Directory.EnumerateDirectories).Select(path => Path.GetFileName(path)).Distinct();

    /// <summary>Removes our group, where nothing is in it any more.</summary>
    public void RemoveGroup()
    {
        foreach (var root in _mounts.All)
        {
            try
            {
                Directory.Delete(Path.Combine(root, Group[1..]));
            }
            catch (IOException)
            {
                // It has sandboxes in it, or this hierarchy never had the group.
            }
        }
    }

    private string InVersion2(string group) => Path.Combine(_mounts.Version2!, group[1..]);

    private string InMemoryHierarchy(string group) => Path.Combine(_mounts.Memory!, group[1..]);

    private string CountersOf(string group) => _mounts.ControllersInVersion2
        ? Path.Combine(InVersion2(group), "memory.events")
        : Path.Combine(InMemoryHierarchy(group), "memory.oom_control");

    /// <summary>
    /// Moves a group's processes into <see cref="ManagersGroup"/> below it, for a group that has some cannot hand controllers
    /// down. In rounds, for what is started meanwhile; what cannot be moved shows when the controllers are handed down.
    /// </summary>
    internal static void Vacate(string directory)
    {
        const int Rounds = 10;
        var procs = Path.Combine(Directory.CreateDirectory(Path.Combine(directory, ManagersGroup)).FullName, "cgroup.procs");
        for (var round = 0; round < Rounds && File.ReadAllLines(Path.Combine(directory, "cgroup.procs")) is { Length: > 0 } pids; round++)
        {
            foreach (var pid in pids)
            {
                try
                {
                    File.WriteAllText(procs, pid);
                }
                catch (IOException)
                {
                    // It has ended.
                }
            }
        }
    }

    // Not there: nothing is in it, or (cgroup.kill) a kernel before 5.14; the runtime's delete kills too.
    private static void WriteIfThere(string file, string value)
    {
        try
        {
            // The kernel refuses to make one, as it is asked to where it is missing.
            if (File.Exists(file))
                File.WriteAllText(file, value);
        }
        catch (Exception gone) when (gone is DirectoryNotFoundException or FileNotFoundException)
        {
        }
    }

    // rmdir from the leaves up: the files in a group are the kernel's and go with it.
    private static void RemoveTree(string path)
    {
        if (!Directory.Exists(path))
            return;
        foreach (var child in Directory.GetDirectories(path))
            RemoveTree(child);
        Directory.Delete(path);
    }
}

/// <summary>What the executor is given of its group.</summary>
/// <param name="Directory">The v2 directory, where killing goes through it.</param>
/// <param name="OutOfMemoryCounters">The file with the line <c>oom_kill N</c>.</param>
internal sealed record CgroupHandles(SafeFileHandle? Directory, SafeFileHandle OutOfMemoryCounters) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        Directory?.Dispose();
        OutOfMemoryCounters.Dispose();
    }
}
