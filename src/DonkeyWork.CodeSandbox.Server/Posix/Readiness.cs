using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using static DonkeyWork.CodeSandbox.Server.Files.FileSystemCalls;

namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>
/// One thread that waits for all descriptors (epoll(7)), so that neither reading nor writing one takes a thread. A descriptor
/// is looked at once for each <see cref="Arm"/>: what is ready is left to whoever reads and writes.
/// </summary>
[SuppressMessage("Reliability", "CA1001", Justification = "It lives as long as the process.")]
internal sealed unsafe class Readiness
{
    private const int StackBytes = 128 * 1024;
    private const int EventsAtOnce = 64;

    private readonly ConcurrentDictionary<long, Action> _waiting = [];
    private readonly int _epoll;
    private long _last;

    private Readiness()
    {
        _epoll = Native.EpollCreate(O_CLOEXEC);
        if (_epoll < 0)
            throw new IOException($"No epoll instance can be made: {Marshal.GetLastPInvokeErrorMessage()}");
        new Thread(Run, StackBytes) { IsBackground = true, Name = "readiness" }.Start();
    }

    /// <summary>The one of this process.</summary>
    public static Readiness Shared { get; } = new();

    /// <summary>Makes known what is to be called, on the thread for all, when a descriptor is ready.</summary>
    /// <returns>The name that the descriptor goes by here.</returns>
    public long Register(Action onReady)
    {
        var key = Interlocked.Increment(ref _last);
        _waiting[key] = onReady;
        return key;
    }

    /// <summary>Calls once when the descriptor is ready for one of these events, has failed, or its other end is closed.</summary>
    public void Arm(long key, SafeHandle descriptor, uint events, bool first)
    {
        var request = new EpollEvent(events | Native.EPOLLONESHOT, key);
        if (Native.EpollControl(_epoll, first ? Native.EPOLL_CTL_ADD : Native.EPOLL_CTL_MOD, descriptor, ref request) < 0)
            throw new IOException($"A descriptor cannot be waited for: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>
    /// Forgets a descriptor. Before it is closed: where it has a duplicate, closing alone would leave it in the set (epoll(7)).
    /// </summary>
    public void Remove(long key, SafeHandle? armed)
    {
        _waiting.TryRemove(key, out _);
        var unused = default(EpollEvent);
        if (armed is not null)
            _ = Native.EpollControl(_epoll, Native.EPOLL_CTL_DEL, armed, ref unused);
    }

    private void Run()
    {
        // In struct epoll_event's own layout, which differs between architectures.
        var events = stackalloc byte[EventsAtOnce * EpollEvent.Size];
        while (true)
        {
            var count = Native.EpollWait(_epoll, events, EventsAtOnce, -1);
            for (var i = 0; i < count; i++)
            {
                if (_waiting.TryGetValue(EpollEvent.KeyOf(events + i * EpollEvent.Size), out var onReady))
                    onReady();
            }
        }
    }
}
