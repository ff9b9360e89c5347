namespace DonkeyWork.CodeSandbox.Client.Tests.Wire;

/// <summary>A clock that moves when told to, and says when somebody sets a timer.</summary>
internal sealed class ManualTime : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly List<ManualTimer> _timers = [];
    private readonly Dictionary<TimeSpan, (int Count, TaskCompletionSource Next)> _set = [];
    private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private DateTimeOffset _now = DateTimeOffset.UnixEpoch;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => _now;

    public override long GetTimestamp() => _now.Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Ends when a timer of this length has been set this many times in all.</summary>
    public async Task HasSetAsync(TimeSpan length, int times)
    {
        while (true)
        {
            Task next;
            lock (_lock)
            {
                var entry = Entry(length);
                if (entry.Count >= times)
                    return;
                next = entry.Next.Task;
            }

            await next.OrFail();
        }
    }

    /// <summary>Ends when there is a timer of such a length that has not come due.</summary>
    public async Task HasSetAnyAsync(Predicate<TimeSpan> length)
    {
        while (true)
        {
            Task next;
            lock (_lock)
            {
                if (_timers.Any(t => length(t.Due - _now)))
                    return;
                next = _next.Task;
            }

            await next.OrFail();
        }
    }

    public void Advance(TimeSpan by)
    {
        List<ManualTimer> due;
        lock (_lock)
        {
            _now += by;
            due = [.. _timers.Where(t => t.Due <= _now)];
            _timers.RemoveAll(due.Contains);
        }

        due.ForEach(t => t.Fire());
    }

    private (int Count, TaskCompletionSource Next) Entry(TimeSpan length) =>
        _set.TryGetValue(length, out var entry)
            ? entry
            : _set[length] = (0, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    private sealed class ManualTimer(ManualTime time, Action fire) : ITimer
    {
        public DateTimeOffset Due { get; private set; }

        public void Fire() => fire();

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._lock)
            {
                time._timers.Remove(this);
                if (dueTime == Timeout.InfiniteTimeSpan)
                    return true;
                Due = time._now + dueTime;
                time._timers.Add(this);
                var (count, next) = time.Entry(dueTime);
                time._set[dueTime] = (count + 1, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
                next.SetResult();
                time._next.SetResult();
                time._next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                return true;
            }
        }

        public void Dispose()
        {
            lock (time._lock)
                time._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
