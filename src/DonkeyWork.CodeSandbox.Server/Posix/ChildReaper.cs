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
    /// <summary>The kernel counts pages for each CPU by itself, and adds them up now and then.</summary>
    private const long PeakTolerance = 1024 * 1024;

    private const int StackBytes = 256 * 1024;

    /// <summary>A start takes a millisecond; longer, and a command has stopped the child before its exec.</summary>
    private static readonly TimeSpan StoppedStartInterval = TimeSpan.FromMilliseconds(50);

    private readonly object _gate = new();
    private readonly Dictionary<int, Child> _children = [];
    private readonly unsafe SpawnRequest* _request;
    private readonly Timer _continueStopped;
    private long _started;

    public unsafe ChildReaper()
    {
        _request = (SpawnRequest*)NativeMemory.AllocZeroed((nuint)sizeof(SpawnRequest));
        _continueStopped = new Timer(_ => ContinueStoppedChild());
        // Both threads are there before the sandbox can be too full for them.
        _ = Readiness.Shared;
        new Thread(Reap, StackBytes) { IsBackground = true, Name = "reaper" }.Start();
    }

    /// <summary>
    /// Starts a child and registers who wants to know how it ends. Both under the lock under which children are reaped, so a
    /// child that ends at once is not missed.
    /// </summary>
    public unsafe int Start(in SpawnRequest request, Action<ProcessEnd> onExit)
    {
        lock (_gate)
        {
            *_request = request;
            _continueStopped.Change(StoppedStartInterval, StoppedStartInterval);
            var pid = Native.Spawn(_request);
            _continueStopped.Change(Timeout.Infinite, Timeout.Infinite);
            if (pid < 0)
                throw new StartFailedException(_request->Step, _request->Errno);
            _children.Add(pid, new Child(onExit, Native.OwnPeakMemory() + PeakTolerance));
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

    /// <summary>Sends a signal to the process group of a child that leads one; <see langword="false"/> when it has been reaped.</summary>
    public bool SignalGroup(int pid, int signal)
    {
        // Under the lock the pid cannot become another's.
        lock (_gate)
            return _children.ContainsKey(pid) && Native.Kill(-pid, signal) == 0;
    }

    /// <summary>Runs <paramref name="action"/> with the pids of all children registered; none of them is reaped meanwhile.</summary>
    public void WithChildren(Action<int[]> action)
    {
        lock (_gate)
            action([.. _children.Keys]);
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

            Child? child = null;
            int status;
            ChildUsage usage;
            lock (_gate)
            {
                if (Native.Reap(pid, out status, out usage) == 0)
                    _children.Remove(pid, out child);
            }

            child?.OnExit(new ProcessEnd(
                new WaitStatus(status),
                usage.CpuMicroseconds / 1000,
                usage.PeakMemoryBytes > child.OwnPeakMemory ? usage.PeakMemoryBytes : null));
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

    /// <param name="OnExit">Who wants to know.</param>
    /// <param name="OwnPeakMemory">What the executor had until the child's exec, of which nothing is the child's.</param>
    private sealed record Child(Action<ProcessEnd> OnExit, long OwnPeakMemory);
}
