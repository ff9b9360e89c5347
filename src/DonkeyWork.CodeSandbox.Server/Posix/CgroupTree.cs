using System.Runtime.InteropServices;
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
    private const int MaxListBytes = 4096;

    /// <summary>The dying are listed for a moment longer: no more than that is waited for.</summary>
    private const int KillRounds = 20;

    private readonly Lock _gate = new();

    /// <summary>Of each directory, what it is killed by: open from the start, as a kill must not fail for want of descriptors.</summary>
    private readonly Dictionary<string, CgroupFiles> _files = [];
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
        if (FileSystem.TryOpen(directory, Bytes($"{name}/cpu.stat"), O_RDONLY, out var file) != 0)
            return null;
        using (file)
            return CounterFile.Read(file, "usage_usec"u8) is { } microseconds ? microseconds / 1000 : null;
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
    private static bool KillMembers(SafeFileHandle procs)
    {
        Span<byte> text = stackalloc byte[MaxListBytes];
        var length = ReadAt(procs, text, text.Length, 0);
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
        if (FileSystem.TryRemove(directory, Bytes(name), isDirectory: true) != 0)
            return false;
        if (_files.Remove(name, out var files))
            files.Dispose();
        return true;
    }

    private CgroupTree Start(ProcessStart start, ProcessChannels channels)
    {
        var (name, files) = MakeDirectory();
        try
        {
            return CgroupTree.Start(this, name, files.Procs, spawner, start, channels);
        }
        catch
        {
            Remove(name);
            throw;
        }
    }

    private (string Name, CgroupFiles Files) MakeDirectory()
    {
        while (true)
        {
            var name = $"execution-{Interlocked.Increment(ref _last)}";
            var error = FileSystem.TryMakeDirectory(directory, Bytes(name));
            if (error == 0)
                return (name, OpenFiles(name));

            // A command may have made one of this name.
            if (error != FileError.EEXIST)
                throw new StartFailedException(SpawnStep.Setup, error);
        }
    }

    private CgroupFiles OpenFiles(string name)
    {
        var error = FileSystem.TryOpen(directory, Bytes($"{name}/cgroup.kill"), O_WRONLY, out var kill);
        if (error == 0)
        {
            error = FileSystem.TryOpen(directory, Bytes($"{name}/cgroup.procs"), O_RDWR, out var procs);
            if (error == 0)
            {
                var files = new CgroupFiles(kill, procs);
                lock (_gate)
                    _files.Add(name, files);
                return files;
            }

            kill.Dispose();
        }

        _ = FileSystem.TryRemove(directory, Bytes(name), isDirectory: true);
        throw new StartFailedException(SpawnStep.Setup, error);
    }

    private static byte[] Bytes(string path) => Encoding.ASCII.GetBytes(path);

    private sealed record CgroupFiles(SafeFileHandle Kill, SafeFileHandle Procs) : IDisposable
    {
        public void Dispose()
        {
            Kill.Dispose();
            Procs.Dispose();
        }
    }
}
