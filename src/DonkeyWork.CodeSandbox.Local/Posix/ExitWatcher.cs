using System.Collections.Concurrent;
using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Local.Posix;

/// <summary>Tells when processes end, children of ours or not: one thread, which sleeps in epoll(7) on their pidfds.</summary>
internal sealed class ExitWatcher : IDisposable
{
    private const int EpollIn = 1;
    private const int EpollOneShot = 1 << 30;
    private const int EpollAdd = 1;
    private const int EpollDelete = 2;
    private const int CloseOnExec = 0x80000;

    // struct epoll_event is packed on x86-64 only (epoll_ctl(2)).
    private static readonly int EventSize = System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64 ? 12 : 16;
    private static readonly int DataOffset = EventSize - sizeof(long);

    private readonly SafeFileHandle _epoll = LibC.Owned(LibC.EpollCreate(CloseOnExec), "epoll_create1");
    private readonly SafeFileHandle _stop = LibC.Owned(LibC.EventFd(0, CloseOnExec), "eventfd");
    private readonly ConcurrentDictionary<long, TaskCompletionSource> _waiting = [];
    private readonly Thread _thread;
    private long _last;

    public ExitWatcher()
    {
        Add(_stop, 0);
        _thread = new Thread(Watch) { IsBackground = true, Name = "exit watcher" };
        _thread.Start();
    }

    /// <summary>Completes when the process has ended. The pidfd stays the caller's and must live as long as the wait.</summary>
    public async Task WaitAsync(SafeFileHandle pidFd, CancellationToken cancellationToken)
    {
        var key = Interlocked.Increment(ref _last);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[key] = ended;
        try
        {
            // A copy, since one descriptor can be in an epoll set only once, and several may wait for one process.
            using var watched = Descriptors.Duplicate(pidFd);
            Add(watched, key);
            try
            {
                await ended.Task.WaitAsync(cancellationToken);
            }
            finally
            {
                Remove(watched);
            }
        }
        finally
        {
            _waiting.TryRemove(key, out _);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ = LibC.Write(_stop, 1, sizeof(ulong));
        _thread.Join();
        foreach (var waiting in _waiting.Values)
            waiting.TrySetCanceled();
        _epoll.Dispose();
        _stop.Dispose();
    }

    private unsafe void Add(SafeFileHandle descriptor, long key)
    {
        var change = stackalloc byte[EventSize];
        *(uint*)change = EpollIn | EpollOneShot;
        *(long*)(change + DataOffset) = key;
        LibC.Check(LibC.EpollControl(_epoll, EpollAdd, descriptor, change), "epoll_ctl");
    }

    private unsafe void Remove(SafeFileHandle descriptor)
    {
        if (!_epoll.IsClosed)
            _ = LibC.EpollControl(_epoll, EpollDelete, descriptor, null);
    }

    private unsafe void Watch()
    {
        const int Capacity = 64;
        var events = stackalloc byte[Capacity * EventSize];
        while (true)
        {
            var count = LibC.EpollWait(_epoll, events, Capacity, -1);
            for (var i = 0; i < count; i++)
            {
                var key = *(long*)(events + (i * EventSize) + DataOffset);
                if (key == 0)
                    return;
                if (_waiting.TryRemove(key, out var ended))
                    ended.TrySetResult();
            }
        }
    }
}
