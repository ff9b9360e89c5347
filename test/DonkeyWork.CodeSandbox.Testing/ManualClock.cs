namespace DonkeyWork.CodeSandbox.Testing;

/// <summary>A clock that stands still until a test advances it. Timers fire on the advancing thread, in the order of their times.</summary>
public sealed class ManualClock : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly List<ManualTimer> _timers = [];
    private readonly List<(Func<TimeSpan, bool> IsIt, TaskCompletionSource<TimeSpan> Set)> _awaited = [];
    private DateTimeOffset _now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate) return _now;
    }

    public override long GetTimestamp() => GetUtcNow().Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Completes as soon as a timer is set that fires in exactly <paramref name="due"/> from now: what a test has to see before it advances.</summary>
    public Task TimerAsync(TimeSpan due) => TimerAsync(left => left == due);

    /// <summary>Completes as soon as any timer is set. It may be one whose wait is over, and that is disposed only a moment later.</summary>
    public Task AnyTimerAsync() => TimerAsync(_ => true);

    /// <summary>Completes as soon as a timer is set that fires in so long from now; the result is how long.</summary>
    public Task<TimeSpan> TimerAsync(Func<TimeSpan, bool> isIt)
    {
        lock (_gate)
        {
            if (_timers.Find(timer => isIt(timer.Due!.Value - _now)) is { } timer) return Task.FromResult(timer.Due!.Value - _now);
            var set = new TaskCompletionSource<TimeSpan>(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited.Add((isIt, set));
            return set.Task;
        }
    }

    /// <summary>How far away the next timer is; <see langword="null"/>: none is set.</summary>
    public TimeSpan? NextTimer
    {
        get { lock (_gate) return _timers.Min(timer => timer.Due) - _now; }
    }

    /// <summary>Moves the time on to the next timer there is, and fires it.</summary>
    public void AdvanceToNextTimer()
    {
        DateTimeOffset? next;
        lock (_gate) next = _timers.Min(timer => timer.Due);
        if (next is { } due) Advance(due - GetUtcNow());
    }

    /// <summary>Moves the time on and fires what falls due on the way.</summary>
    public void Advance(TimeSpan by)
    {
        var end = GetUtcNow() + by;
        while (TakeNext(end) is { } timer) timer.Fire();
    }

    private ManualTimer? TakeNext(DateTimeOffset end)
    {
        lock (_gate)
        {
            var next = _timers.Where(timer => timer.Due <= end).MinBy(timer => timer.Due);
            if (next is null)
            {
                // With the same look: a timer that is set from now on counts from here.
                _now = end;
                return null;
            }

            if (next.Due > _now) _now = next.Due.Value;
            next.Due = next.Period > TimeSpan.Zero ? next.Due + next.Period : null;
            if (next.Due is null) _timers.Remove(next);
            return next;
        }
    }

    private void Set(ManualTimer timer, TimeSpan dueTime, TimeSpan period)
    {
        lock (_gate)
        {
            _timers.Remove(timer);
            timer.Due = dueTime == Timeout.InfiniteTimeSpan ? null : _now + dueTime;
            timer.Period = period;
            if (timer.Due is null) return;
            _timers.Add(timer);
            foreach (var (_, set) in _awaited.Where(awaited => awaited.IsIt(dueTime))) set.TrySetResult(dueTime);
            _awaited.RemoveAll(awaited => awaited.Set.Task.IsCompleted);
        }
    }

    private sealed class ManualTimer(ManualClock clock, TimerCallback callback, object? state) : ITimer
    {
        public DateTimeOffset? Due { get; set; }

        public TimeSpan Period { get; set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            clock.Set(this, dueTime, period);
            return true;
        }

        public void Dispose() => Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
