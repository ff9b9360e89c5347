namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>
/// The one place where children are made and reaped. A thread of its own waits for any child, orphans that this process
/// adopted included, so that zombies never accumulate (they count against the pids limit).
/// </summary>
internal sealed class ChildReaper
{
    private const int StackBytes = 256 * 1024;

    private readonly object _gate = new();
    private readonly Dictionary<int, Action<int>> _onExit = [];
    private long _started;

    public ChildReaper()
    {
        new Thread(Reap, StackBytes) { IsBackground = true, Name = "reaper" }.Start();
    }

    /// <summary>
    /// Starts a child and registers who wants its wait status. Both under the lock under which children are reaped, so a
    /// child that ends at once is not missed.
    /// </summary>
    public unsafe int Start(ref SpawnRequest request, Action<int> onExit)
    {
        lock (_gate)
        {
            int pid;
            fixed (SpawnRequest* pointer = &request)
                pid = Native.Spawn(pointer);
            if (pid < 0)
                throw new StartFailedException(request.Step, request.Errno);
            _onExit.Add(pid, onExit);
            _started++;
            Monitor.Pulse(_gate);
            return pid;
        }
    }

    /// <summary>Runs <paramref name="action"/> with the pids of all children registered; none of them is reaped meanwhile.</summary>
    public void WithChildren(Action<int[]> action)
    {
        lock (_gate)
            action([.. _onExit.Keys]);
    }

    private void Reap()
    {
        while (true)
        {
            var started = Interlocked.Read(ref _started);
            if (Native.WaitPeek(out var pid) != 0)
            {
                WaitForStart(started);
                continue;
            }

            Action<int>? onExit = null;
            int status;
            lock (_gate)
            {
                if (Native.Reap(pid, out status) == 0)
                    _onExit.Remove(pid, out onExit);
            }

            onExit?.Invoke(status);
        }
    }

    /// <summary>No child is left, and without one nobody can become an orphan: waits for the next.</summary>
    private void WaitForStart(long started)
    {
        lock (_gate)
        {
            while (_started == started)
                Monitor.Wait(_gate);
        }
    }
}
