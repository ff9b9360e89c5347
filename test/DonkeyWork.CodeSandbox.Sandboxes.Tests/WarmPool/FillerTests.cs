using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests;

/// <summary>When the pool is filled, by whom, and how many it asks for.</summary>
public sealed class FillerTests
{
    private static readonly SandboxOptions Five = new() { WarmPoolSize = 5 };

    [Fact]
    public async Task Who_leads_fills_the_pool_and_who_does_not_creates_nothing()
    {
        await using var pool = await PoolCore.StartAsync(Five);
        pool.Backend.Specs.ShouldBeEmpty();

        pool.Leadership.Lead(7);
        await pool.UntilAsync(statistics => statistics.Warm == 5);

        pool.Backend.Specs.Count.ShouldBe(5);
        pool.Backend.Specs.ShouldAllBe(spec => spec.Epoch == 7 && spec.PoolStatus == PoolStatus.Warm && spec.Owner == null);
        pool.Backend.Specs[0].Labels[SandboxLabels.PoolStatus].ShouldBe("warm");
    }

    [Fact]
    public async Task A_claim_and_a_loss_are_made_up_for_without_any_time_passing()
    {
        await using var pool = await PoolCore.FilledAsync(5);

        await pool.ClaimAsync();
        await pool.UntilAsync(statistics => statistics is { Warm: 5, Allocated: 1 });
        pool.Backend.Remove(Warm(pool)[0].Name);
        await pool.UntilAsync(statistics => statistics.Warm == 5 && pool.Backend.Specs.Count == 7);
        pool.Backend.Set(Warm(pool)[0].Name, sandbox => sandbox with { Phase = SandboxPhase.Failed, IsReady = false });
        await pool.UntilAsync(statistics => statistics.Warm == 5 && pool.Backend.Specs.Count == 8);

        await Patience.UntilAsync(() => pool.Backend.Sandboxes.Count == 6, () => "What has failed is still there.");
    }

    [Fact]
    public async Task No_more_are_asked_for_at_once_than_the_setting_says()
    {
        await using var pool = await PoolCore.StartAsync(Five with { PoolCreateConcurrency = 2 });
        var (inFlight, most) = (0, 0);
        var gate = new SemaphoreSlim(0);
        pool.Backend.BeforeCreate = async _ =>
        {
            most = Math.Max(most, Interlocked.Increment(ref inFlight));
            await gate.WaitAsync();
            Interlocked.Decrement(ref inFlight);
        };

        pool.Leadership.Lead(1);
        for (var i = 0; i < 5; i++)
        {
            await Patience.UntilAsync(() => inFlight == Math.Min(2, 5 - i), () => $"{inFlight} are asked for.");
            gate.Release();
        }

        await pool.UntilAsync(statistics => statistics.Warm == 5);
        most.ShouldBe(2);
    }

    [Fact]
    public async Task What_was_asked_for_is_counted_while_the_watch_is_behind()
    {
        await using var pool = await PoolCore.StartAsync(Five);
        pool.Backend.HoldWatch();
        pool.Leadership.Lead(1);
        await pool.UntilAsync(statistics => statistics.Creating == 5);

        await PassIntervalAsync(pool);
        await PassIntervalAsync(pool);

        pool.Backend.Specs.Count.ShouldBe(5);
    }

    [Fact]
    public async Task A_create_that_was_not_answered_counts_until_it_is_seen_or_as_long_as_one_takes_to_become_ready()
    {
        await using var pool = await PoolCore.StartAsync(new SandboxOptions { WarmPoolSize = 2, PoolBackfillCheckIntervalSeconds = 30, PodReadyTimeoutSeconds = 90 });
        var lost = new List<SandboxSpec>();
        pool.Backend.BeforeCreate = spec =>
        {
            lock (lost) lost.Add(spec);
            throw new BackendUnavailableException("no answer") { MayHaveHappened = true };
        };
        pool.Leadership.Lead(1);
        await Patience.UntilAsync(() => lost.Count == 2, () => $"{lost.Count} were asked for.");
        pool.Backend.BeforeCreate = _ => Task.CompletedTask;

        // One turns up and is the pool's; the other never does.
        await pool.Backend.CreateAsync(lost[0], default);
        await pool.UntilAsync(statistics => statistics.Warm == 1);
        await pool.Clock.TimerAsync(TimeSpan.FromSeconds(90)).WaitAsync(Patience.Limit);
        for (var i = 0; i < 2; i++) await PassIntervalAsync(pool);
        pool.Backend.Specs.Count.ShouldBe(1, "The other may still come.");
        pool.Clock.Advance(TimeSpan.FromSeconds(30));

        await pool.UntilAsync(statistics => statistics.Warm == 2);
        pool.Backend.Sandboxes.ShouldContain(sandbox => sandbox.Name == lost[0].Name);
        pool.Backend.Specs.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Creates_that_fail_are_tried_again_after_pauses_that_double_to_a_minute_until_one_becomes_ready()
    {
        await using var pool = await PoolCore.StartAsync(new SandboxOptions { WarmPoolSize = 1, PoolBackfillCheckIntervalSeconds = 300 });
        var attempts = new List<DateTimeOffset>();
        pool.Backend.BeforeCreate = _ =>
        {
            lock (attempts) attempts.Add(pool.Clock.GetUtcNow());
            throw new BackendUnavailableException("out of order");
        };

        pool.Leadership.Lead(1);
        foreach (var pause in new[] { 1, 2, 4, 8, 16, 32, 60, 60 }) await PausesAsync(pause);

        await KeepsPauseAsync(pool, 60);
        pool.Backend.BeforeCreate = _ => Task.CompletedTask;
        pool.Clock.AdvanceToNextTimer();
        await pool.UntilAsync(statistics => statistics.Warm == 1);
        // So that the filler has seen it too, before it is claimed.
        await PassIntervalAsync(pool);
        attempts.Clear();
        pool.Backend.BeforeCreate = _ =>
        {
            lock (attempts) attempts.Add(pool.Clock.GetUtcNow());
            throw new BackendUnavailableException("out of order again");
        };
        await pool.ClaimAsync();
        await PausesAsync(1);

        async Task PausesAsync(int seconds)
        {
            await KeepsPauseAsync(pool, seconds);
            var (last, count) = (attempts[^1], attempts.Count);
            pool.Clock.AdvanceToNextTimer();
            await Patience.UntilAsync(() => attempts.Count > count, () => $"It was not tried again after {seconds} s.");
            (attempts[^1] - last).TotalSeconds.ShouldBeInRange(seconds * 0.75, seconds);
        }
    }

    [Fact]
    public async Task A_pause_that_ends_while_the_filler_looks_is_not_followed_by_an_interval()
    {
        await using var core = await Core.StartAsync(new SandboxOptions { WarmPoolSize = 1 });
        core.Backend.IsReadyAtOnce = true;
        var attempts = 0;
        core.Backend.BeforeCreate = _ => Interlocked.Increment(ref attempts) == 1 ? throw new BackendUnavailableException("out of order") : Task.CompletedTask;
        using var leadership = new SwitchedLeadership();
        using var filler = new WarmPoolFiller(core.Service, core.Registry, leadership, core.Options, new RunningClock(core.Clock), NullLogger<WarmPoolFiller>.Instance);
        await filler.StartAsync(CancellationToken.None);

        leadership.Lead(1);
        await Patience.UntilAsync(() => attempts == 1 && core.Clock.NextTimer <= TimeSpan.FromSeconds(1), () => $"The next timer is in {core.Clock.NextTimer}.");
        core.Clock.AdvanceToNextTimer();

        await Patience.UntilAsync(() => attempts == 2, () => "It was not tried again.");
        await filler.StopAsync(CancellationToken.None).WaitAsync(Patience.Limit);
    }

    [Fact]
    public async Task Sandboxes_that_end_before_they_were_ready_are_made_up_for_after_pauses_too()
    {
        await using var pool = await PoolCore.StartAsync(new SandboxOptions { WarmPoolSize = 1, PoolBackfillCheckIntervalSeconds = 300 });
        pool.Backend.IsReadyAtOnce = false;
        pool.Leadership.Lead(1);
        foreach (var pause in new[] { 1, 2, 4 })
        {
            await pool.UntilAsync(statistics => statistics.Creating == 1);
            var count = pool.Backend.Specs.Count;
            pool.Backend.Set(pool.Backend.Sandboxes[0].Name, sandbox => sandbox with { Phase = SandboxPhase.Failed });
            await Patience.UntilAsync(() => pool.Backend.Sandboxes.Count == 0 && !pool.Core.Registry.All.Any(), () => "What has failed is still there.");
            await KeepsPauseAsync(pool, pause);
            pool.Backend.Specs.Count.ShouldBe(count);
            pool.Clock.AdvanceToNextTimer();
        }
    }

    [Fact]
    public async Task At_the_limit_the_pool_waits_for_room_and_takes_it_at_once()
    {
        await using var pool = await PoolCore.StartAsync(Five with { MaxTotalContainers = 4 });
        var manual = await pool.Core.CreateAsync();
        pool.Leadership.Lead(1);
        await pool.UntilAsync(statistics => statistics.Warm == 3);

        await pool.Core.Service.DeleteAsync(manual.Sandbox.Name, default);

        await pool.UntilAsync(statistics => statistics.Warm == 4);
        pool.Backend.Sandboxes.Count.ShouldBe(4);
    }

    [Fact]
    public async Task A_backend_that_says_it_is_full_is_asked_again_when_something_has_gone_and_not_before()
    {
        await using var pool = await PoolCore.StartAsync(new SandboxOptions { WarmPoolSize = 1 });
        var manual = await pool.Core.CreateReadyAsync();
        var asked = 0;
        pool.Backend.BeforeCreate = _ => Interlocked.Increment(ref asked) == 1 ? throw new SandboxLimitReachedException("quota") : Task.CompletedTask;
        pool.Leadership.Lead(1);
        await Patience.UntilAsync(() => asked == 1, () => "It was not asked.");

        // A change that leaves no room.
        pool.Backend.Set(manual.Name, sandbox => sandbox with { Message = "still here" });
        await pool.Core.ViewAsync(manual.Name, sandbox => sandbox!.Message is not null);
        asked.ShouldBe(1);
        pool.Backend.Remove(manual.Name);

        await pool.UntilAsync(statistics => statistics.Warm == 1);
        asked.ShouldBe(2);
    }

    [Fact]
    public async Task Nothing_is_done_while_the_view_is_not_up_to_date()
    {
        await using var pool = await PoolCore.FilledAsync(5);
        pool.Backend.Tell(new BackendLost(pool.Clock.GetUtcNow(), "unplugged"));
        pool.Backend.Remove(Warm(pool)[0].Name);
        await pool.UntilAsync(statistics => statistics.Warm == 4);
        await PassIntervalAsync(pool);
        pool.Backend.Specs.Count.ShouldBe(5);

        pool.Backend.Tell(new SandboxListed(pool.Backend.Sandboxes));

        await pool.UntilAsync(statistics => statistics.Warm == 5);
    }

    [Fact]
    public async Task A_term_that_has_passed_creates_nothing_even_before_it_is_told()
    {
        await using var pool = await PoolCore.FilledAsync(5);
        pool.Leadership.Lapse();

        pool.Backend.Remove(Warm(pool)[0].Name);
        await pool.UntilAsync(statistics => statistics.Warm == 4);
        await PassIntervalAsync(pool);

        pool.Backend.Specs.Count.ShouldBe(5);
    }

    [Fact]
    public async Task The_term_is_checked_before_each_create()
    {
        await using var pool = await PoolCore.StartAsync(Five with { PoolCreateConcurrency = 5 });
        pool.Backend.BeforeCreate = _ =>
        {
            pool.Leadership.Lapse();
            return Task.CompletedTask;
        };

        pool.Leadership.Lead(1);

        await pool.UntilAsync(statistics => statistics.Warm == 1);
        await PassIntervalAsync(pool);
        pool.Backend.Specs.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_term_that_ends_stops_the_filling_and_the_next_goes_on_with_its_own_epoch()
    {
        await using var pool = await PoolCore.FilledAsync(5);
        pool.Leadership.End();
        await pool.ClaimAsync();
        await pool.UntilAsync(statistics => statistics.Warm == 4);
        pool.Backend.Specs.Count.ShouldBe(5);

        pool.Leadership.Lead(2);

        await pool.UntilAsync(statistics => statistics.Warm == 5);
        pool.Backend.Specs.Select(spec => spec.Epoch).ShouldBe([1, 1, 1, 1, 1, 2]);
    }

    private static List<Sandbox> Warm(PoolCore pool) => [.. pool.Backend.Sandboxes.Where(sandbox => sandbox.PoolStatus == PoolStatus.Warm)];

    // The filler has noticed what failed, and waits.
    private static Task KeepsPauseAsync(PoolCore pool, int seconds) => Patience.UntilAsync(
        () => pool.Clock.NextTimer > TimeSpan.FromSeconds(seconds * 0.74) && pool.Clock.NextTimer <= TimeSpan.FromSeconds(seconds),
        () => $"The next timer is in {pool.Clock.NextTimer}.");

    // The filler has looked, and waits for its next look.
    private static async Task PassIntervalAsync(PoolCore pool)
    {
        var interval = TimeSpan.FromSeconds(pool.Core.Options.PoolBackfillCheckIntervalSeconds);
        var end = pool.Clock.GetUtcNow() + interval;
        do
        {
            // From timer to timer: a filler that wakes on the way of a longer step reads a time that is over, or one that is to come.
            await Patience.UntilAsync(() => pool.Clock.NextTimer <= interval, () => "The filler does not wait.");
            pool.Clock.AdvanceToNextTimer();
        }
        while (pool.Clock.GetUtcNow() < end);

        await pool.Clock.TimerAsync(interval).WaitAsync(Patience.Limit);
    }

    /// <summary>A clock that does not stand still while it is read: from look to look it goes on.</summary>
    private sealed class RunningClock(TimeProvider clock) : TimeProvider
    {
        private long _ahead;

        public override long TimestampFrequency => clock.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => clock.GetUtcNow();

        public override long GetTimestamp() => clock.GetTimestamp() + Interlocked.Add(ref _ahead, TimeSpan.FromSeconds(0.3).Ticks);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            clock.CreateTimer(callback, state, dueTime, period);
    }
}
