using System.Text;
using DonkeyWork.CodeSandbox.Server.Files;
using Microsoft.Win32.SafeHandles;
using static DonkeyWork.CodeSandbox.Server.Files.FileSystemCalls;

namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>A tree in a cgroup v2 directory of its own, killed by <c>cgroup.kill</c> (Linux 5.14).</summary>
internal sealed class CgroupTree : ProcessTree
{
    private readonly CgroupTreeFactory _factory;
    private readonly string _name;

    private CgroupTree(CgroupTreeFactory factory, string name)
    {
        _factory = factory;
        _name = name;
    }

    /// <summary>Starts the command in the directory <paramref name="name"/>, which exists.</summary>
    public static CgroupTree Start(
        CgroupTreeFactory factory, string name, SafeFileHandle procs, ProcessSpawner spawner, ProcessStart start, ProcessChannels channels)
    {
        var tree = new CgroupTree(factory, name);
        tree.Pid = spawner.Start(
            start, channels, -1, (int)procs.DangerousGetHandle(), channels.IsTerminal,
            end => tree.SetExited(end with { CpuMilliseconds = factory.ReadCpuMilliseconds(name) ?? end.CpuMilliseconds }));
        return tree;
    }

    public override bool Signal(int signal) => !Exited.IsCompleted && _factory.Signal(Pid, signal);

    public override void Kill() => _factory.Kill(_name);

    public override void Release() => _factory.Remove(_name);
}

/// <summary>Makes the directories of executions inside the one that the host has handed over.</summary>
internal sealed class CgroupTreeFactory(SafeFileHandle directory, ChildReaper children, ProcessSpawner spawner) : IProcessTreeFactory
{
    private readonly Lock _gate = new();
    private readonly HashSet<string> _names = [];
    private readonly HashSet<string> _released = [];
    private long _last;

    public Task<ProcessTree> StartAsync(ProcessStart start, ProcessChannels channels)
    {
        try
        {
            return Task.FromResult<ProcessTree>(Start(start, channels));
        }
        finally
        {
            channels.CloseChildEnds();
        }
    }

    /// <summary>Kills what is in a directory; one that is gone has nothing in it.</summary>
    public void Kill(string name)
    {
        lock (_gate)
        {
            if (!_names.Contains(name))
                return;
            using var kill = FileSystem.Open(directory, Bytes($"{name}/cgroup.kill"), O_WRONLY);
            _ = Native.Write(kill, "1"u8, 1);
        }
    }

    /// <summary>Sends a signal to the process group of a command.</summary>
    public bool Signal(int pid, int signal) => children.SignalGroup(pid, signal);

    /// <summary>
    /// The CPU time of everything that ever was in a directory: <c>usage_usec</c> of cpu.stat, which is there without the
    /// controller too (Documentation/admin-guide/cgroup-v2.rst).
    /// </summary>
    public long? ReadCpuMilliseconds(string name)
    {
        if (FileSystem.TryOpen(directory, Bytes($"{name}/cpu.stat"), O_RDONLY, out var file) != 0)
            return null;
        using (file)
            return CounterFile.Read(file, "usage_usec"u8) is { } microseconds ? microseconds / 1000 : null;
    }

    public void KillAll()
    {
        lock (_gate)
        {
            foreach (var name in _names)
                Kill(name);
        }
    }

    /// <summary>Removes a directory. One that background children still live in is tried again with the next.</summary>
    public void Remove(string name)
    {
        lock (_gate)
        {
            _released.Add(name);
            _released.RemoveWhere(released =>
                FileSystem.TryRemove(directory, Bytes(released), isDirectory: true) == 0 && _names.Remove(released));
        }
    }

    private CgroupTree Start(ProcessStart start, ProcessChannels channels)
    {
        var name = MakeDirectory();
        try
        {
            if (FileSystem.TryOpen(directory, Bytes($"{name}/cgroup.procs"), O_WRONLY, out var procs) is not 0 and var error)
                throw new StartFailedException(SpawnStep.Setup, error);
            using (procs)
                return CgroupTree.Start(this, name, procs, spawner, start, channels);
        }
        catch
        {
            Remove(name);
            throw;
        }
    }

    private string MakeDirectory()
    {
        while (true)
        {
            var name = $"execution-{Interlocked.Increment(ref _last)}";
            var error = FileSystem.TryMakeDirectory(directory, Bytes(name));
            if (error == 0)
            {
                lock (_gate)
                    _names.Add(name);
                return name;
            }

            // A command may have made one of this name.
            if (error != FileError.EEXIST)
                throw new StartFailedException(SpawnStep.Setup, error);
        }
    }

    private static byte[] Bytes(string path) => Encoding.ASCII.GetBytes(path);
}
