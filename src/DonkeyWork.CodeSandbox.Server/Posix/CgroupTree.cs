using System.Runtime.InteropServices;

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
        CgroupTreeFactory factory, string name, int procs, ProcessSpawner spawner, ProcessStart start, ProcessChannels channels)
    {
        var tree = new CgroupTree(factory, name);
        tree.Pid = spawner.Start(
            start, channels, -1, procs, channels.IsTerminal,
            end => tree.SetExited(end with { CpuMilliseconds = factory.ReadCpuMilliseconds(name) ?? end.CpuMilliseconds }));
        return tree;
    }

    public override bool Signal(int signal) => !Exited.IsCompleted && _factory.Signal(Pid, signal);

    public override void Kill() => _factory.Kill(_name);

    public override void Release() => _factory.Remove(_name);
}

/// <summary>Makes the directories of executions inside the one that the host has handed over.</summary>
internal sealed class CgroupTreeFactory(int directory, ChildReaper children, ProcessSpawner spawner) : IProcessTreeFactory
{
    private const int MaxFileBytes = 4096;

    /// <summary>The dying are listed for a moment longer: no more than that is waited for.</summary>
    private const int KillRounds = 20;

    private readonly Lock _gate = new();

    /// <summary>Of each directory, what it is killed by: open from the start, as a kill must not fail for want of descriptors.</summary>
    private readonly Dictionary<string, (int Kill, int Procs)> _files = [];
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
            if (!_files.TryGetValue(name, out var files))
                return;
            var isEmpty = false;
            for (var round = 0; round < KillRounds && !isEmpty; round++)
            {
                if (Native.Write(files.Kill, "1"u8, 1) != 1)
                    throw new IOException($"cgroup.kill of {name}: {Marshal.GetLastPInvokeErrorMessage()}");
                isEmpty = KillMembers(files.Procs);
            }
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
        var file = Native.OpenAt(directory, $"{name}/cpu.stat", Native.O_RDONLY | Native.O_CLOEXEC, 0);
        if (file < 0)
            return null;
        Span<byte> text = stackalloc byte[MaxFileBytes];
        var length = Native.ReadAt(file, text, text.Length, 0);
        _ = Native.Close(file);
        return length > 0 && CounterFile.Find(text[..(int)length], "usage_usec"u8) is { } microseconds ? microseconds / 1000 : null;
    }

    public void KillAll()
    {
        lock (_gate)
        {
            foreach (var name in _files.Keys)
                Kill(name);
        }
    }

    /// <summary>Removes a directory. One that background children still live in is tried again with the next.</summary>
    public void Remove(string name)
    {
        lock (_gate)
        {
            _released.Add(name);
            _released.RemoveWhere(TryRemove);
        }
    }

    /// <summary>
    /// Kills one by one what <c>cgroup.kill</c> has left: it signals first threads alone, and one that has ended
    /// (pthread_exit(3)) passes it on to no other.
    /// </summary>
    /// <returns>Whether nobody was there any more.</returns>
    private static bool KillMembers(int procs)
    {
        Span<byte> text = stackalloc byte[MaxFileBytes];
        var length = Native.ReadAt(procs, text, text.Length, 0);
        text = text[..(int)Math.Max(length, 0)];
        // What does not fit is read in the next round; a number that is cut is no number of theirs.
        text = text[..(text.LastIndexOf((byte)'\n') + 1)];
        foreach (var line in MemoryExtensions.Split((ReadOnlySpan<byte>)text, (byte)'\n'))
        {
            if (int.TryParse(text[line], out var pid) && pid > 1)
                _ = Native.Kill(pid, Native.SIGKILL);
        }

        return text.IsEmpty;
    }

    private bool TryRemove(string name)
    {
        if (Native.UnlinkAt(directory, name, Native.AT_REMOVEDIR) != 0)
            return false;
        if (_files.Remove(name, out var files))
            Close(files);
        return true;
    }

    private CgroupTree Start(ProcessStart start, ProcessChannels channels)
    {
        var (name, procs) = MakeDirectory();
        try
        {
            return CgroupTree.Start(this, name, procs, spawner, start, channels);
        }
        catch
        {
            Remove(name);
            throw;
        }
    }

    private int OpenFiles(string name)
    {
        var kill = Native.OpenAt(directory, $"{name}/cgroup.kill", Native.O_WRONLY | Native.O_CLOEXEC, 0);
        var procs = kill < 0 ? -1 : Native.OpenAt(directory, $"{name}/cgroup.procs", Native.O_RDWR | Native.O_CLOEXEC, 0);
        if (procs < 0)
        {
            var error = Marshal.GetLastPInvokeError();
            Close((kill, procs));
            _ = Native.UnlinkAt(directory, name, Native.AT_REMOVEDIR);
            throw new StartFailedException(SpawnStep.Setup, error);
        }

        lock (_gate)
            _files.Add(name, (kill, procs));
        return procs;
    }

    private static void Close((int Kill, int Procs) files)
    {
        if (files.Kill >= 0)
            _ = Native.Close(files.Kill);
        if (files.Procs >= 0)
            _ = Native.Close(files.Procs);
    }

    private (string Name, int Procs) MakeDirectory()
    {
        while (true)
        {
            var name = $"execution-{Interlocked.Increment(ref _last)}";
            if (Native.MakeDirectoryAt(directory, name, 0x1ED) == 0)
                return (name, OpenFiles(name));

            // A command may have made one of this name.
            var error = Marshal.GetLastPInvokeError();
            if (error != Native.EEXIST)
                throw new StartFailedException(SpawnStep.Setup, error);
        }
    }
}
