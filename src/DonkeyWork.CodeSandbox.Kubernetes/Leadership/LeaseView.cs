using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;

namespace DonkeyWork.CodeSandbox.Kubernetes.Leadership;

/// <summary>
/// What this process knows of the lease, and when it may be taken by this process' own clock. The times that are written in
/// a lease are other machines', and for people.
/// </summary>
/// <param name="self">Who we are.</param>
/// <param name="written">What Managers write for a duration: counts for a lease that says none.</param>
/// <param name="clock">A monotonic one.</param>
internal sealed class LeaseView(string self, TimeSpan written, TimeProvider clock)
{
    // No Manager can be set to more. What says so is not a Manager's, and must not keep them all from leading for ever.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    private readonly Lock _gate = new();
    private TaskCompletionSource _change = NewSignal();
    private Lease? _latest;
    private LeaseSpec? _record;
    private long _recordSeen;
    private int _highestEpoch;

    /// <summary>Whether it is ours, as far as we know.</summary>
    public bool IsOurs(int epoch)
    {
        lock (_gate) return _latest?.Spec.HolderIdentity == self && _latest.Spec.LeaseTransitions == epoch;
    }

    /// <summary>What was read, told or answered; <see langword="null"/>: there is no lease.</summary>
    public void Observe(Lease? lease)
    {
        lock (_gate)
        {
            _latest = lease;
            // A lease that is deleted does not end its holder's time; nor does a change of anything else prolong it.
            if (lease is not null && lease.Spec != _record)
            {
                (_record, _recordSeen) = (lease.Spec, clock.GetTimestamp());
                _highestEpoch = Math.Max(_highestEpoch, lease.Spec.LeaseTransitions ?? 0);
            }

            _change.TrySetResult();
            _change = NewSignal();
        }
    }

    /// <summary>Waits until nobody can be leading any more, and <paramref name="pause"/> longer where somebody was.</summary>
    /// <returns>What may be taken, if it still is as it was seen then.</returns>
    public async Task<FreeLease> UntilFreeAsync(TimeSpan pause, CancellationToken cancellationToken)
    {
        while (true)
        {
            TimeSpan left;
            Task change;
            lock (_gate)
            {
                left = TimeLeft();
                // Under the same lock: a renewal that is told of right after this makes the take fail.
                if (left <= TimeSpan.Zero) return new FreeLease(_latest, _highestEpoch + 1);
                change = _change.Task;
            }

            await WaitAsync(change, left + pause, cancellationToken);
        }
    }

    /// <summary>Waits until it seems not to be ours any more, at most so long.</summary>
    public async Task WhileOursAsync(int epoch, TimeSpan atMost, CancellationToken cancellationToken)
    {
        var begun = clock.GetTimestamp();
        while (atMost - clock.GetElapsedTime(begun) is { Ticks: > 0 } left)
        {
            Task change;
            lock (_gate) change = _change.Task;
            if (!IsOurs(epoch)) return;
            await WaitAsync(change, left, cancellationToken);
        }
    }

    private TimeSpan TimeLeft()
    {
        // Nobody's: released, or never taken. Ours: from an earlier term, or a take whose answer was lost.
        if (_record is not { HolderIdentity: { Length: > 0 } holder } || holder == self) return TimeSpan.Zero;
        var duration = _record.LeaseDurationSeconds is > 0 and var seconds ? TimeSpan.FromSeconds(seconds) : written;
        return (duration < Longest ? duration : Longest) - clock.GetElapsedTime(_recordSeen);
    }

    private async Task WaitAsync(Task change, TimeSpan atMost, CancellationToken cancellationToken)
    {
        // Time that has passed is an ordinary end here.
        await change.WaitAsync(atMost, clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>A lease that may be taken.</summary>
/// <param name="Seen">As it was seen; <see langword="null"/>: it is to be created.</param>
/// <param name="Epoch">The number of the term that begins.</param>
internal readonly record struct FreeLease(Lease? Seen, int Epoch);
