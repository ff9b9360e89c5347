using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>
/// The one place where children are made and reaped. A thread of its own waits for any child, orphans that this process
/// adopted included, so that zombies never accumulate (they count against the pids limit).
/// </summary>
[SuppressMessage("Reliability", "CA1001", Justification = "It lives as long as the process.")]
internal sealed class ChildReaper
{
    private const int StackBytes = 256 * 1024;

    /// <summary>A start takes a millisecond; longer, and a command has stopped the child before its exec.</summary>
    private static readonly TimeSpan StoppedStartInterval = TimeSpan.FromMilliseconds(50);

    private readonly object _gate = new();
    private readonly Dictionary<int, Action<int>> _onExit = [];
    private readonly unsafe SpawnRequest* _request;
    private readonly Timer _continueStopped;
    private long _started;

    public unsafe ChildReaper()
    {
        _request = (SpawnRequest*)NativeMemory.AllocZeroed((nuint)sizeof(SpawnRequest));
        _continueStopped = new Timer(_ => ContinueStoppedChild());
        new Thread(Reap, StackBytes) { IsBackground = true, Name = "reaper" }.Start();
    }

    /// <summary>
    /// Starts a child and registers who wants its wait status. Both under the lock under which children are reaped, so a
    /// child that ends at once is not missed.
    /// </summary>
    public unsafe int Start(in SpawnRequest request, Action<int> onExit)
    {
        lock (_gate)
        {
            *_request = request;
            _continueStopped.Change(StoppedStartInterval, StoppedStartInterval);
            var pid = Native.Spawn(_request);
            _continueStopped.Change(Timeout.Infinite, Timeout.Infinite);
            if (pid < 0)
                throw new StartFailedException(_request->Step, _request->Errno);
            _onExit.Add(pid, onExit);
            _started++;
            Monitor.Pulse(_gate);
            return pid;
        }
    }

    /// <summary>
    /// Whoever starts a child waits for its exec, and SIGSTOP to all processes (<c>kill -STOP -1</c>) would make that for ever.
    /// </summary>
    private unsafe void ContinueStoppedChild()
    {
        var pid = Volatile.Read(ref _request->Pid);
        if (pid > 0)
            _ = Native.Kill(pid, Native.SIGCONT);
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
