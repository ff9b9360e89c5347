namespace DonkeyWork.CodeSandbox.Local.Cgroups;

/// <summary>Where the machine's control group hierarchies are mounted, and which have the controllers.</summary>
internal sealed record CgroupMounts
{
    /// <summary>The v2 hierarchy.</summary>
    public string? Version2 { get; private init; }

    /// <summary>The v1 hierarchies by controller; the named one of systemd too.</summary>
    public required IReadOnlyDictionary<string, string> Version1 { get; init; }

    /// <summary>Memory, CPU and pids are all in v2.</summary>
    public bool ControllersInVersion2 { get; private init; }

    /// <summary>The v1 hierarchy with the memory controller.</summary>
    public string? Memory => Version1.GetValueOrDefault("memory");

    /// <summary>Every hierarchy.</summary>
    public IEnumerable<string> All => Version1.Values.Append(Version2).OfType<string>().Distinct();

    /// <summary>Controllers that sandboxes need and that are nowhere.</summary>
    public IReadOnlyList<string> Missing { get; private init; } = [];

    /// <summary>Reads <c>/proc/self/mountinfo</c> (proc_pid_mountinfo(5)).</summary>
    public static CgroupMounts Read() => Parse(File.ReadLines("/proc/self/mountinfo"), path => File.ReadAllText(path));

    internal static CgroupMounts Parse(IEnumerable<string> mountInfo, Func<string, string> read)
    {
        var version1 = new Dictionary<string, string>();
        string? version2 = null;
        foreach (var line in mountInfo)
        {
            // ID PARENT DEVICE ROOT MOUNTPOINT OPTIONS [TAGS…] - TYPE SOURCE SUPER-OPTIONS
            var parts = line.Split(" - ");
            var point = parts[0].Split(' ')[4];
            var rest = parts[^1].Split(' ');
            if (rest[0] == "cgroup2")
                version2 ??= point;
            if (rest[0] != "cgroup")
                continue;
            foreach (var option in rest[2].Split(','))
                version1.TryAdd(option, point);
        }

        string[] needed = ["memory", "cpu", "pids"];
        var inVersion2 = version2 is null ? [] : read(Path.Combine(version2, "cgroup.controllers")).Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        var allInVersion2 = needed.All(inVersion2.Contains);
        return new CgroupMounts
        {
            Version2 = version2,
            Version1 = version1,
            ControllersInVersion2 = allInVersion2,
            Missing = allInVersion2 ? [] : [.. needed.Where(name => !version1.ContainsKey(name))],
        };
    }
}
