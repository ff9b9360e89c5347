using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace DonkeyWork.CodeSandbox.Server.Tests.Running;

/// <summary>How the executor kills: by a cgroup handed to it, or as PID 1 with a reaper per command.</summary>
public enum KillMode
{
    Cgroup,
    Reaper,
}

/// <summary>What a container is started with beside the defaults.</summary>
internal sealed record ContainerOptions
{
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    public int MemoryMi { get; init; } = 512;

    public int Tasks { get; init; } = 256;

    public bool TellsTasksLimit { get; init; } = true;

    public bool TellsOomEvents { get; init; } = true;

    public string? Token { get; init; }

    /// <summary>Whether commands are kept from inotify.</summary>
    public bool NoInotify { get; init; }

    /// <summary>Whether <c>/disk</c> is a directory of the host's disk, which takes no memory.</summary>
    public bool HasDisk { get; init; }
}

/// <summary>
/// The published executor as first process of a runc container, under a uid that is nobody on the host and without any
/// capability, as the product runs it. The listening socket, the cgroup and the memory events are inherited descriptors.
/// </summary>
internal sealed class ExecutorContainer : IAsyncDisposable
{
    private const int HostIdOfZero = 0x6F000000;
    private const int UserId = 1000;

    private readonly string _name = $"executor-test-{Guid.NewGuid():n}"[..24];
    private readonly string _folder;
    private readonly ContainerOptions _options;
    private readonly KillMode _mode;

    private ExecutorContainer(KillMode mode, ContainerOptions options)
    {
        _mode = mode;
        _options = options;
        _folder = Path.Combine(Path.GetTempPath(), _name);
        Api = new ExecutorApi(Path.Combine(_folder, "socket"), options.Token);
    }

    public ExecutorApi Api { get; }

    /// <summary>The executor's pid on the host.</summary>
    public int Pid { get; private set; }

    /// <summary>The cgroup v2 directory handed over.</summary>
    public string Cgroup => Path.Combine(Cgroups.Unified, _name);

    /// <summary>What the executor has written to standard error.</summary>
    public string Log => File.ReadAllText(Path.Combine(_folder, "log"));

    private string Disk => Path.Combine(_folder, "disk");

    public static async Task<ExecutorContainer> StartAsync(KillMode mode, ContainerOptions? options = null)
    {
        if (Environment.UserName != "root")
            throw new InvalidOperationException("These tests start containers with limits and must run as root.");
        var container = new ExecutorContainer(mode, options ?? new ContainerOptions());
        try
        {
            await container.StartAsync();
            return container;
        }
        catch
        {
            await container.DisposeAsync();
            throw;
        }
    }

    /// <summary>Processes whose command line contains <paramref name="mark"/>, dead ones that nobody reaped included.</summary>
    public IReadOnlyList<HostProcess> Marked(string mark) =>
        [.. HostProcess.InNamespaceOf(Pid).Where(process => process.CommandLine.Contains(mark, StringComparison.Ordinal))];

    /// <summary>The host's view of the whole container.</summary>
    public IReadOnlyList<HostProcess> Processes() => HostProcess.InNamespaceOf(Pid);

    /// <summary>Runs a script inside, not as a command of the executor's, under any uid.</summary>
    public void Exec(int userId, string script) => Published.Succeed("runc", "exec", "--user", $"{userId}", _name, "bash", "-c", script);

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        Published.Run("runc", "delete", "--force", _name);
        await Published.EventuallyAsync(() => !Directory.Exists(Cgroup) || Cgroups.Remove(Cgroup), $"{Cgroup} cannot be removed");
        Cgroups.Remove(Path.Combine(Cgroups.Memory, _name));
        Directory.Delete(_folder, recursive: true);
    }

    private async Task StartAsync()
    {
        var root = Path.Combine(_folder, "root");
        foreach (var directory in (string[])["usr", "etc", "proc", "dev", "tmp", "home/user", "opt/codesandbox", "opt/attack"])
            Directory.CreateDirectory(Path.Combine(root, directory));
        foreach (var link in (string[])["bin", "lib", "lib64", "sbin"])
            File.CreateSymbolicLink(Path.Combine(root, link), $"usr/{link}");
        File.SetUnixFileMode(Path.Combine(root, "home/user"), (UnixFileMode)0x1C0);
        File.SetUnixFileMode(Path.Combine(root, "tmp"), (UnixFileMode)0x3FF);
        if (_options.HasDisk)
        {
            Directory.CreateDirectory(Path.Combine(root, "disk"));
            Directory.CreateDirectory(Disk);
            Chown(Disk, HostIdOfZero + UserId, HostIdOfZero + UserId).ShouldBe(0);
        }

        await File.WriteAllTextAsync(Path.Combine(root, "etc/passwd"), "user:x:1000:1000::/home/user:/bin/bash\n");
        await File.WriteAllTextAsync(Path.Combine(_folder, "config.json"), Configuration().ToJsonString());

        var memory = Path.Combine(Cgroups.Memory, _name);
        Directory.CreateDirectory(memory);
        Directory.CreateDirectory(Cgroup);
        foreach (var path in (string[])[Cgroup, Path.Combine(Cgroup, "cgroup.procs")])
            Chown(path, HostIdOfZero + UserId, HostIdOfZero + UserId).ShouldBe(0);

        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        // Renamed, because a Socket that is closed removes the file that it was bound to.
        listener.Bind(new UnixDomainSocketEndPoint(Api.SocketPath + ".new"));
        File.Move(Api.SocketPath + ".new", Api.SocketPath);
        listener.Listen();
        const int setDescriptorFlags = 2;
        var descriptor = (int)listener.Handle;
        FileControl(descriptor, setDescriptorFlags, 0).ShouldBe(0);
        var script = $"exec 3<&{descriptor} {descriptor}<&- 4<'{Cgroup}' 5<'{memory}/{Cgroups.MemoryEvents}'; "
            + $"exec runc run --detach --preserve-fds 3 --bundle '{_folder}' {_name} </dev/null >'{_folder}/log' 2>&1";
        var (exitCode, _, _) = Published.Run("bash", "-c", script);
        exitCode.ShouldBe(0, await File.ReadAllTextAsync(Path.Combine(_folder, "log")));
        Pid = JsonNode.Parse(Published.Succeed("runc", "state", _name))!["pid"]!.GetValue<int>();
        (await Api.IsHealthyAsync()).ShouldBeTrue(await File.ReadAllTextAsync(Path.Combine(_folder, "log")));
    }

    private JsonObject Configuration()
    {
        List<string> arguments = ["/opt/codesandbox/codesandbox-executor", "--listen", "fd:3"];
        if (_mode == KillMode.Cgroup)
            arguments.AddRange(["--cgroup", "fd:4"]);
        if (_options.TellsOomEvents)
            arguments.AddRange(["--oom-events", "fd:5"]);
        if (_options.TellsTasksLimit)
            arguments.AddRange(["--tasks-limit", $"{_options.Tasks}"]);
        if (_options.NoInotify)
            arguments.Add("--no-inotify");
        List<string> environment = ["PATH=/usr/bin:/bin", "EXECUTORS_OWN=secret"];
        environment.AddRange(_options.Environment.Select(pair => $"{pair.Key}={pair.Value}"));
        JsonNode[] disk = _options.HasDisk ? [Mount("/disk", "bind", Disk, "bind", "nosuid", "nodev")] : [];
        var nothing = new JsonArray();
        return new JsonObject
        {
            ["ociVersion"] = "1.0.2",
            ["process"] = new JsonObject
            {
                ["user"] = new JsonObject { ["uid"] = UserId, ["gid"] = UserId },
                ["args"] = JsonSerializer.SerializeToNode(arguments),
                ["env"] = JsonSerializer.SerializeToNode(environment),
                ["cwd"] = "/",
                ["noNewPrivileges"] = true,
                ["oomScoreAdj"] = 100,
                ["capabilities"] = new JsonObject { ["bounding"] = nothing.DeepClone(), ["permitted"] = nothing.DeepClone(), ["effective"] = nothing.DeepClone() },
            },
            ["root"] = new JsonObject { ["path"] = "root", ["readonly"] = true },
            ["mounts"] = new JsonArray([
                .. disk,
                Mount("/proc", "proc", "proc"),
                Mount("/dev", "tmpfs", "tmpfs", "nosuid", "mode=755", "size=64k"),
                Mount("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"),
                Mount("/tmp", "tmpfs", "tmpfs", "nosuid", "nodev", "mode=1777", "size=64m"),
                Mount("/home/user", "tmpfs", "tmpfs", "nosuid", "nodev", "mode=700", "size=64m", $"uid={UserId}", $"gid={UserId}"),
                Mount("/usr", "bind", "/usr", "rbind", "ro", "nosuid", "nodev"),
                Mount("/opt/attack", "bind", Attack.Directory, "bind", "ro", "nosuid", "nodev"),
                Mount("/opt/codesandbox", "bind", Published.Directory, "bind", "ro", "nosuid", "nodev")]),
            ["linux"] = new JsonObject
            {
                ["uidMappings"] = Ids(),
                ["gidMappings"] = Ids(),
                ["namespaces"] = new JsonArray([.. ((string[])["user", "pid", "mount", "ipc", "uts", "network"]).Select(type => new JsonObject { ["type"] = type })]),
                ["cgroupsPath"] = $"/{_name}",
                ["resources"] = new JsonObject
                {
                    ["memory"] = new JsonObject { ["limit"] = _options.MemoryMi * 1024L * 1024, ["swap"] = _options.MemoryMi * 1024L * 1024 },
                    ["pids"] = new JsonObject { ["limit"] = _options.Tasks },
                    ["devices"] = new JsonArray(new JsonObject { ["allow"] = false, ["access"] = "rwm" }),
                },
            },
        };
    }

    private static JsonArray Ids() =>
        [new JsonObject { ["containerID"] = 0, ["hostID"] = HostIdOfZero, ["size"] = 2048 }];

    private static JsonObject Mount(string destination, string type, string source, params string[] options) => new()
    {
        ["destination"] = destination,
        ["type"] = type,
        ["source"] = source,
        ["options"] = JsonSerializer.SerializeToNode(options),
    };

    [DllImport("libc", EntryPoint = "fcntl")]
    private static extern int FileControl(int descriptor, int command, int value);

    [DllImport("libc", EntryPoint = "chown")]
    private static extern int Chown(string path, int user, int group);
}
