using System.Globalization;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Local.Host;
using DonkeyWork.CodeSandbox.Sandboxes;

namespace DonkeyWork.CodeSandbox.Local.Oci;

/// <summary>What one sandbox's configuration depends on beside its specification.</summary>
internal sealed record OciSpecInput
{
    public required SandboxSpec Spec { get; init; }
    public required IdRange Ids { get; init; }
    public required string RootFileSystem { get; init; }

    /// <summary>Whether the root file system is an image, which brings its own <c>/usr</c> and <c>/etc</c>.</summary>
    public required bool IsImage { get; init; }
    public required string ExecutorDirectory { get; init; }

    /// <summary>Host directories on disk; without them home and <c>/tmp</c> are in memory.</summary>
    public Disks.SandboxDisk? Disk { get; init; }
    public required int HomeSizeMi { get; init; }
    public required int PidsLimit { get; init; }

    /// <summary>Without it there are no limits.</summary>
    public string? CgroupsPath { get; init; }
    public bool LimitsSwap { get; init; }
    public bool AvoidsSwap { get; init; }

    /// <summary>The executor's command line behind its name.</summary>
    public required IReadOnlyList<string> ExecutorArguments { get; init; }

    /// <summary>Whether the socket's directory is shared with the host.</summary>
    public bool SharesSocketDirectory { get; init; }

    /// <summary>Open files per process, at most; the host's own limit bounds it.</summary>
    public required ulong OpenFiles { get; init; }

    /// <summary>Queued signals of all processes together, at most; the host's own limit bounds it.</summary>
    public required ulong PendingSignals { get; init; }
}

/// <summary>Writes the configuration that an OCI runtime starts a sandbox from.</summary>
internal static class OciSpecFactory
{
    private static readonly OciSeccomp Seccomp = SeccompProfile.Create();

    private static readonly OciNamespace[] Namespaces =
        [new("user"), new("pid"), new("mount"), new("ipc"), new("uts"), new("network"), new("cgroup")];

    // What procfs shows of the machine and no program needs.
    private static readonly string[] Masked =
    [
        "/proc/acpi", "/proc/asound", "/proc/cmdline", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/key-users",
        "/proc/kallsyms", "/proc/latency_stats", "/proc/scsi", "/proc/sched_debug", "/proc/timer_list",
    ];

    private static readonly string[] Readonly = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

    /// <summary>As UTF-8 JSON.</summary>
    public static byte[] Serialize(OciSpecInput input) => JsonSerializer.SerializeToUtf8Bytes(Create(input), OciJsonContext.Default.OciSpec);

    public static OciSpec Create(OciSpecInput input) => new()
    {
        Root = new OciRoot(input.RootFileSystem, Readonly: true),
        Hostname = input.Spec.Name,
        Process = new OciProcess
        {
            User = new OciUser(input.Ids.InsideUser, input.Ids.InsideUser),
            Cwd = RootFileSystem.Home,
            Args = [$"{RootFileSystem.Executor}/{HostRequirements.ExecutorName}", .. input.ExecutorArguments],
            Env = Environment(input.Spec),
            // What the kernel counts per user, it counts for the user who made the namespace too: each of these is a share of the host's.
            Rlimits =
            [
                new("RLIMIT_NOFILE", input.OpenFiles, Math.Min(input.OpenFiles, 1024)),
                new("RLIMIT_SIGPENDING", input.PendingSignals, input.PendingSignals),
                new("RLIMIT_MSGQUEUE", 0, 0),
                new("RLIMIT_CORE", 0, 0),
            ],
            OomScoreAdj = 100,
        },
        Mounts = [.. Mounts(input)],
        Linux = new OciLinux
        {
            Namespaces = Namespaces,
            UidMappings = input.Ids.Users,
            GidMappings = input.Ids.Groups,
            MaskedPaths = Masked,
            ReadonlyPaths = Readonly,
            CgroupsPath = input.CgroupsPath,
            Resources = input.CgroupsPath is null ? null : Resources(input),
            Seccomp = Seccomp,
        },
    };

    private static OciResources Resources(OciSpecInput input)
    {
        var limits = input.Spec.Resources.Limits!;
        var memory = limits.MemoryMi!.Value * 1024L * 1024;
        var cpu = limits.CpuMillicores!.Value;
        // The kernel takes no quota under 1 ms; a hundredth of a core and less therefore gets the longest period.
        var period = cpu < 10 ? 1_000_000UL : 100_000UL;
        return new OciResources
        {
            Memory = new OciMemory(memory, input.LimitsSwap ? memory : null, input.AvoidsSwap ? 0 : null),
            Cpu = new OciCpu(Math.Max(2, (ulong)input.Spec.Resources.Requests!.CpuMillicores!.Value * 1024 / 1000), cpu * (long)period / 1000, period),
            Pids = new OciPids(input.PidsLimit),
        };
    }

    private static List<string> Environment(SandboxSpec spec)
    {
        List<string> environment =
        [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            $"HOME={RootFileSystem.Home}",
            $"USER={RootFileSystem.User}",
            "LANG=C.UTF-8",
            $"{ExecutorProtocol.TokenHashVariable}={spec.TokenHash}",
        ];
        if (spec.Start.Environment is not null || spec.Start.Argv is not null || spec.Start.ClaimId is not null)
            environment.Add($"{ExecutorProtocol.StartVariable}={JsonSerializer.Serialize(spec.Start, ContractsJsonContext.Default.SandboxStart)}");
        if (spec.PoolStatus == PoolStatus.Warm)
            environment.Add($"{ExecutorProtocol.PoolVariable}=1");
        return environment;
    }

    private static IEnumerable<OciMount> Mounts(OciSpecInput input)
    {
        yield return new("/proc", "proc", "proc", ["nosuid", "noexec", "nodev"]);
        yield return new("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=64k"]);
        yield return new("/dev/pts", "devpts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "max=64"]);
        yield return new("/dev/shm", "tmpfs", "shm", ["nosuid", "noexec", "nodev", "mode=1777", "size=64m"]);
        yield return new("/dev/mqueue", "mqueue", "mqueue", ["nosuid", "noexec", "nodev"]);
        if (!input.IsImage)
        {
            yield return Bind("/usr", "/usr", "rbind", "ro");
            foreach (var path in RootFileSystem.Shared())
                yield return Bind(path, path, "bind", "ro");
        }

        yield return Bind(input.ExecutorDirectory, RootFileSystem.Executor, "bind", "ro");
        if (input.Disk is { } disk)
        {
            yield return Bind(disk.Home, RootFileSystem.Home, "bind", "rw");
            yield return Bind(disk.Temporary, "/tmp", "bind", "rw");
            if (input.SharesSocketDirectory)
                yield return Bind(disk.Run, RootFileSystem.SocketDirectory, "bind", "rw");
        }
        else
        {
            var size = string.Create(CultureInfo.InvariantCulture, $"size={input.HomeSizeMi}m");
            yield return new(RootFileSystem.Home, "tmpfs", "tmpfs", ["nosuid", "nodev", "mode=700", size, $"uid={input.Ids.InsideUser}", $"gid={input.Ids.InsideUser}"]);
            yield return new("/tmp", "tmpfs", "tmpfs", ["nosuid", "nodev", "mode=1777", size]);
        }
    }

    private static OciMount Bind(string source, string destination, string kind, string access) =>
        new(destination, "bind", source, [kind, access, "nosuid", "nodev"]);
}
