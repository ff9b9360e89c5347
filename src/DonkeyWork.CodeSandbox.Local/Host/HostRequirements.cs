using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using DonkeyWork.CodeSandbox.Local.Cgroups;
using DonkeyWork.CodeSandbox.Local.Disks;
using DonkeyWork.CodeSandbox.Local.Oci;
using DonkeyWork.CodeSandbox.Local.Posix;
using DonkeyWork.CodeSandbox.Local.State;

namespace DonkeyWork.CodeSandbox.Local.Host;

/// <summary>Looks at the machine once, at the start, and tells everything that is missing at once.</summary>
internal sealed class HostRequirements(LocalOptions options, StateDirectory state, RuntimeProcess processes)
{
    /// <summary>The executor's file name.</summary>
    public const string ExecutorName = "codesandbox-executor";

    private const int Executable = 1;

    private readonly List<string> _missing = [];
    private readonly List<string> _notes = [];
    private readonly bool _isRoot = LibC.GetEffectiveUserId() == 0;

    /// <summary>Probes and prepares.</summary>
    /// <exception cref="HostRequirementsException">Something is missing.</exception>
    public async Task<LocalHost> ProbeAsync()
    {
        if (RuntimeInformation.ProcessArchitecture is not (Architecture.X64 or Architecture.Arm64))
            _missing.Add($"The machine is {RuntimeInformation.ProcessArchitecture}; sandboxes need x86-64 or 64-bit ARM.");
        var runtime = Runtime();
        var executor = Executor();
        var rootFileSystem = RootFileSystemPath();
        var ids = _isRoot ? null : RootlessIds.Find(_notes);
        var cgroups = Cgroups();
        var disks = await DisksAsync();
        if (_missing.Count > 0)
        {
            cgroups?.RemoveGroup();
            throw new HostRequirementsException(_missing);
        }

        return new LocalHost
        {
            Runtime = runtime!,
            ExecutorDirectory = executor!,
            RootFileSystem = rootFileSystem,
            Cgroups = cgroups,
            // crun gives a container's group to the container's root user, runsc has no use for it.
            HandsOverGroups = _isRoot && options.RuntimeName == "runc",
            Disks = disks,
            OwnIds = ids,
            OpenFiles = ResourceLimits.OpenFiles(atMost: 4096),
            PendingSignals = ResourceLimits.PendingSignals(atMost: 1024),
            Notes = _notes,
        };
    }

    private static string? Find(string program) =>
        Path.IsPathRooted(program)
            ? (LibC.Access(program, Executable) == 0 ? program : null)
            : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
                .Concat(["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"])
                .Where(directory => directory.StartsWith('/'))
                .Select(directory => Path.Combine(directory, program))
                .FirstOrDefault(path => File.Exists(path) && LibC.Access(path, Executable) == 0);

    private string? Runtime()
    {
        var path = Find(options.Runtime);
        if (path is null)
            _missing.Add($"The OCI runtime {options.Runtime} is not installed: apt-get install {options.RuntimeName} (or set Local:Runtime to one that is).");
        if (options.RuntimeName == "runsc" && !_isRoot)
            _missing.Add("runsc is supported as root only: run as root, or set Local:Runtime to runc.");
        return path;
    }

    private string? Executor()
    {
        var directory = options.ExecutorDirectory ?? Path.Combine(AppContext.BaseDirectory, "executor");
        if (LibC.Access(Path.Combine(directory, ExecutorName), Executable) == 0)
        {
            directory = Path.GetFullPath(directory);
            if (options.RuntimeName == "runsc" && FirstImpassable(directory) is { } closed)
                _missing.Add($"runsc cannot pass through {closed} to the executor in {directory}: chmod o+x {closed}, or copy it elsewhere and set Local:ExecutorDirectory.");
            return directory;
        }

        _missing.Add($"The executor is not published: there is no {ExecutorName} in {directory}. Run build/publish-executor.sh, or set Local:ExecutorDirectory.");
        return null;
    }

    private string RootFileSystemPath()
    {
        if (_isRoot && FirstImpassable(state.Root) is { } closed)
            _missing.Add($"Sandboxes cannot pass through {closed} to the state directory {state.Root}: chmod o+x {closed}, or set Local:StateDirectory to another directory.");
        if (options.RootFs is null)
        {
            RootFileSystem.Prepare(state.RootFileSystem);
            return state.RootFileSystem;
        }

        var absent = RootFileSystem.MountPoints.Where(point => !IsPlainDirectory(options.RootFs, point)).ToList();
        if (FirstImpassable(options.RootFs) is { } closedImage)
            _missing.Add($"Sandboxes cannot pass through {closedImage} to the image {options.RootFs}: chmod o+x {closedImage}, or move the image.");
        if (absent.Count > 0)
            _missing.Add($"The image {options.RootFs} lacks mount points: mkdir -p {string.Join(' ', absent.Select(point => options.RootFs + point))}");
        return options.RootFs;
    }

    private CgroupTree? Cgroups()
    {
        var mounts = CgroupMounts.Read();
        // Managers with other state directories have groups of their own, and none in common: one that ends would take it away
        // from under another that begins.
        var instance = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(state.Root)))[..8];
        string? reason = null;
        if (_isRoot)
        {
            if (mounts.Missing.Count > 0)
            {
                reason = $"the kernel offers no cgroup controller for {string.Join(", ", mounts.Missing)} (see /proc/cgroups and the kernel's command line, such as cgroup_enable=memory)";
            }
            else
            {
                var tree = new CgroupTree(mounts, $"/codesandbox-{instance}");
                try
                {
                    tree.Prepare();
                    return tree;
                }
                catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
                {
                    reason = $"the control groups cannot be changed ({refused.Message}); in a container, run it privileged with its own cgroup namespace";
                }
            }
        }
        else if (DelegatedGroup.Find(mounts, out reason) is { } own)
        {
            var tree = new CgroupTree(mounts, $"{own}/codesandbox-{instance}");
            try
            {
                tree.Prepare(own);
                return tree;
            }
            catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
            {
                reason = $"the delegated group {own} cannot be used ({refused.Message})";
            }
        }

        if (options.AllowUnlimited)
        {
            _notes.Add($"Sandboxes run WITHOUT limits of memory, CPU and tasks, as Local:AllowUnlimited says: {reason}.");
            return null;
        }

        _missing.Add($"Limits of memory, CPU and tasks cannot be enforced: {reason}. To run sandboxes without limits nevertheless, set Local:AllowUnlimited=true.");
        return null;
    }

    private async Task<DiskImages?> DisksAsync()
    {
        if (!_isRoot)
        {
            _notes.Add("Home and /tmp of sandboxes are in memory: disks of their own need root.");
            return null;
        }

        var mkfs = Find("mkfs.ext4");
        if (mkfs is null)
            _missing.Add("mkfs.ext4 is not installed: apt-get install e2fsprogs.");
        if (!File.Exists(LoopDevice.Control))
        {
            if (options.RuntimeName == "runsc")
                _missing.Add("There are no loop devices (/dev/loop-control), which runsc sandboxes need here: modprobe loop.");
            else
                _notes.Add("Home and /tmp of sandboxes are in memory: there are no loop devices (modprobe loop; in a container, give it /dev/loop-control and its devices).");
            return null;
        }

        if (mkfs is null || _missing.Count > 0)
            return null;
        var disks = new DiskImages(state, processes, options.HomeSizeMi);
        await disks.PrepareAsync(mkfs);
        return disks;
    }

    private static string? FirstImpassable(string path)
    {
        for (var at = path; at is not null; at = Path.GetDirectoryName(at))
        {
            if (!File.GetUnixFileMode(at).HasFlag(UnixFileMode.OtherExecute))
                return at;
        }

        return null;
    }

    // No link on the way: the runtime, or we, would make the mount point somewhere else.
    private static bool IsPlainDirectory(string root, string path)
    {
        var at = root;
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            at = Path.Combine(at, part);
            if (!Directory.Exists(at) || new DirectoryInfo(at).LinkTarget is not null)
                return false;
        }

        return true;
    }
}
