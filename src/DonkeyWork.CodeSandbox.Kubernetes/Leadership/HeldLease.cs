using DonkeyWork.CodeSandbox.Sandboxes.Leadership;

namespace DonkeyWork.CodeSandbox.Kubernetes.Leadership;

/// <summary>A lease that is ours, for as long as we can be sure of it.</summary>
internal sealed class HeldLease : IDisposable
{
    private readonly CancellationTokenSource _ended = new();
    private readonly TimeSpan _sure;
    private readonly TimeProvider _clock;
    private long _asked;

    /// <param name="epoch">Of the term.</param>
    /// <param name="asked">A timestamp from before the take was sent.</param>
    /// <param name="sure">How long after that nobody else can have it.</param>
    /// <param name="clock">A monotonic one.</param>
    public HeldLease(int epoch, long asked, TimeSpan sure, TimeProvider clock)
    {
        (_asked, _sure, _clock) = (asked, sure, clock);
        Term = new LeadershipTerm(epoch, _ended.Token);
    }

    /// <summary>What the rest of the Manager sees of it.</summary>
    public LeadershipTerm Term { get; }

    /// <summary>How long it is still certainly ours; zero or less: it may be another's.</summary>
    public TimeSpan Left => _sure - _clock.GetElapsedTime(Volatile.Read(ref _asked));

    /// <summary>A renewal has succeeded that was sent after <paramref name="asked"/>. Too late, it does not bring the term back.</summary>
    public void Renewed(long asked)
    {
        if (Left > TimeSpan.Zero) Volatile.Write(ref _asked, asked);
    }

    /// <summary>Ends the term, whatever is left of it.</summary>
    public Task EndAsync() => _ended.CancelAsync();

    /// <inheritdoc/>
    public void Dispose() => _ended.Dispose();
}
