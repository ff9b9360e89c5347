using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests;

/// <summary>What is told while a sandbox becomes ready, or does not.</summary>
public sealed class CreationEventsTests : IAsyncLifetime
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private Core _core = null!;

    public async Task InitializeAsync() => _core = await Core.StartAsync();

    public async Task DisposeAsync() => await _core.DisposeAsync();

    [Fact]
    public async Task A_sandbox_that_becomes_ready_is_told_in_order_and_once()
    {
        var (name, events) = await CreateAsync();
        (await NextAsync<SandboxCreated>(events)).Phase.ShouldBe("Pending");
        (await NextAsync<SandboxWaiting>(events)).AttemptNumber.ShouldBe(1);

        await _core.Clock.TimerAsync(Interval).WaitAsync(Patience.Limit);
        _core.Clock.Advance(TimeSpan.FromSeconds(1));
        _core.Backend.Set(name, sandbox => sandbox with { Phase = SandboxPhase.Running, Message = "Booting" });
        var waiting = await NextAsync<SandboxWaiting>(events);
        (waiting.AttemptNumber, waiting.Phase, waiting.Message).ShouldBe((2, "Running", "Booting"));
        _core.Backend.MakeReady(name);
        (await NextAsync<SandboxHealthCheck>(events)).IsHealthy.ShouldBeTrue();
        var ready = await NextAsync<SandboxReady>(events);
        ready.ElapsedSeconds.ShouldBe(1);
        ready.Timings!.Keys.ShouldBe(["accept", "start", "boot", "health"]);
        ready.Timings["start"].ShouldBe(1000);
        ready.ContainerInfo.IsReady.ShouldBeTrue();
        (await events.MoveNextAsync()).ShouldBeFalse();
        _core.Backend.Sandboxes.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task While_nothing_changes_waiting_is_told_every_two_seconds_and_the_backend_is_left_alone()
    {
        var (_, events) = await CreateAsync();
        await NextAsync<SandboxCreated>(events);
        for (var attempt = 1; attempt <= 5; attempt++)
        {
            (await NextAsync<SandboxWaiting>(events)).AttemptNumber.ShouldBe(attempt);
            await _core.Clock.TimerAsync(Interval).WaitAsync(Patience.Limit);
            _core.Clock.Advance(Interval);
        }

        _core.Backend.Reads.ShouldBe(0);
    }

    [Fact]
    public async Task An_executor_that_does_not_answer_yet_is_told_once_and_asked_again()
    {
        _core.Executor.IsHealthy = false;
        var (name, events) = await CreateAsync();
        await NextAsync<SandboxCreated>(events);
        await NextAsync<SandboxWaiting>(events);

        _core.Backend.MakeReady(name);
        (await NextAsync<SandboxHealthCheck>(events)).IsHealthy.ShouldBeFalse();
        await NextAsync<SandboxWaiting>(events);
        await AdvanceAsync(TimeSpan.FromMilliseconds(20));
        await _core.Clock.TimerAsync(TimeSpan.FromMilliseconds(40)).WaitAsync(Patience.Limit);
        _core.Executor.IsHealthy = true;
        _core.Clock.Advance(TimeSpan.FromMilliseconds(40));

        (await NextAsync<SandboxHealthCheck>(events)).IsHealthy.ShouldBeTrue();
        await NextAsync<SandboxReady>(events);
        _core.Executor.HealthChecks.ShouldBe(3);
    }

    [Fact]
    public async Task A_sandbox_that_fails_is_deleted_and_it_is_said_why()
    {
        var (name, events) = await CreateAsync();
        _core.Backend.Set(name, sandbox => sandbox with { Phase = SandboxPhase.Failed, Message = "The image cannot be pulled." });

        var failed = await LastAsync<SandboxFailed>(events);

        failed.Reason.ShouldBe("The image cannot be pulled.");
        failed.ContainerInfo!.Phase.ShouldBe("Failed");
        _core.Backend.Sandboxes.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_sandbox_that_is_not_ready_in_time_is_deleted(bool isUpButSilent)
    {
        _core.Executor.IsHealthy = false;
        var (name, events) = await CreateAsync();
        await NextAsync<SandboxCreated>(events);
        await NextAsync<SandboxWaiting>(events);
        if (isUpButSilent)
        {
            _core.Backend.MakeReady(name);
            // The clock is this test's, the watch is not: time goes on once it has told.
            (await NextAsync<SandboxHealthCheck>(events)).IsHealthy.ShouldBeFalse();
        }

        var last = LastAsync<SandboxFailed>(events);
        // To the last moment it lives; only then it is given up. The clock may get there by the timer of a question that was
        // answered a moment before, and the timer that counts is set after that: so time goes on until it is given up.
        while (!last.IsCompleted)
        {
            if (_core.Clock.GetUtcNow() < Deadline) _core.Backend.Sandboxes.ShouldHaveSingleItem();
            await Task.WhenAny(last, _core.Clock.AnyTimerAsync()).WaitAsync(Patience.Limit);
            _core.Clock.AdvanceToNextTimer();
        }

        var reason = (await last).Reason;
        reason.ShouldContain("90 s");
        // Not only that the executor is silent, but what happens where it is asked.
        if (isUpButSilent) reason.ShouldContain("Executor API ");
        _core.Backend.Sandboxes.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_sandbox_that_became_ready_unseen_is_not_given_up_for_somebody_may_use_it()
    {
        var (name, events) = await CreateAsync();
        await NextAsync<SandboxCreated>(events);
        await NextAsync<SandboxWaiting>(events);
        _core.Backend.HoldWatch();
        _core.Backend.MakeReady(name);

        // From timer to timer: who wakes on the way of a longer step may set its next timer at the end of it.
        while (_core.Clock.GetUtcNow() < Deadline)
        {
            await _core.Clock.AnyTimerAsync().WaitAsync(Patience.Limit);
            _core.Clock.AdvanceToNextTimer();
        }

        await LastAsync<SandboxReady>(events);
        _core.Backend.Sandboxes.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_sandbox_that_is_deleted_while_it_is_created_fails_and_does_not_time_out()
    {
        var (name, events) = await CreateAsync();
        await _core.Service.DeleteAsync(name, CancellationToken.None);

        (await LastAsync<SandboxFailed>(events)).Reason.ShouldContain("deleted");
    }

    [Fact]
    public async Task A_caller_who_goes_away_leaves_the_sandbox_alive_and_a_failing_one_is_still_deleted()
    {
        var (name, events) = await CreateAsync();
        await NextAsync<SandboxCreated>(events);
        await events.DisposeAsync();
        _core.Backend.MakeReady(name);
        (await _core.ViewAsync(name, sandbox => sandbox is { IsReady: true })).ShouldNotBeNull();
        _core.Backend.Sandboxes.ShouldHaveSingleItem();

        var (failing, unread) = await CreateAsync();
        await unread.DisposeAsync();
        _core.Backend.Set(failing, sandbox => sandbox with { Phase = SandboxPhase.Failed });
        await _core.ViewAsync(failing, sandbox => sandbox is null);
        _core.Backend.Sandboxes.ShouldHaveSingleItem().Name.ShouldBe(name);
    }

    [Fact]
    public async Task A_failed_sandbox_that_cannot_be_deleted_at_once_is_deleted_when_the_backend_is_back()
    {
        var (name, events) = await CreateAsync();
        _core.Backend.Outage = "unplugged";
        _core.Backend.Set(name, sandbox => sandbox with { Phase = SandboxPhase.Failed });
        var last = LastAsync<SandboxFailed>(events);
        await _core.Clock.TimerAsync(TimeSpan.FromSeconds(1)).WaitAsync(Patience.Limit);
        _core.Backend.Sandboxes.ShouldHaveSingleItem();

        _core.Backend.Outage = null;
        _core.Clock.Advance(TimeSpan.FromSeconds(1));

        await last;
        _core.Backend.Sandboxes.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_backend_that_stays_away_keeps_nobody_waiting_and_the_failed_sandbox_is_deleted_when_it_is_back()
    {
        var (name, events) = await CreateAsync();
        _core.Backend.Outage = "unplugged";
        _core.Backend.Set(name, sandbox => sandbox with { Phase = SandboxPhase.Failed, Message = "It crashed" });
        var last = LastAsync<SandboxFailed>(events);
        await AdvanceAsync(TimeSpan.FromSeconds(5));

        (await last).Reason.ShouldBe("It crashed");
        _core.Backend.Sandboxes.ShouldHaveSingleItem();
        // A try that is under way would still succeed, and set no timer.
        await _core.Clock.AnyTimerAsync().WaitAsync(Patience.Limit);
        _core.Backend.Outage = null;
        _core.Clock.Advance(TimeSpan.FromMinutes(1));

        await _core.ViewAsync(name, sandbox => sandbox is null);
        _core.Backend.Sandboxes.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_executor_that_cannot_be_reached_is_told_with_the_reason()
    {
        _core.Backend.Executor = new Uri("http://127.0.0.1:1/");
        var (name, events) = await CreateAsync();
        await NextAsync<SandboxCreated>(events);
        await NextAsync<SandboxWaiting>(events);

        _core.Backend.MakeReady(name);

        (await NextAsync<SandboxHealthCheck>(events)).Message.ShouldContain("Connection refused");
    }

    [Fact]
    public async Task A_host_that_stops_breaks_the_events_off_and_leaves_the_sandbox()
    {
        var (_, events) = await CreateAsync();
        await NextAsync<SandboxCreated>(events);

        await _core.Tasks.StopAsync(CancellationToken.None);

        await Should.ThrowAsync<OperationCanceledException>(async () => { while (await events.MoveNextAsync()) { } });
        _core.Backend.Sandboxes.ShouldHaveSingleItem();
    }

    private DateTimeOffset Deadline => _core.Backend.Specs[0].CreatedAt + TimeSpan.FromSeconds(_core.Options.PodReadyTimeoutSeconds);

    private async Task<(string Name, IAsyncEnumerator<CreationEvent> Events)> CreateAsync()
    {
        var creation = await _core.CreateAsync();
        return (creation.Sandbox.Name, creation.Events.GetAsyncEnumerator());
    }

    private async Task AdvanceAsync(TimeSpan due)
    {
        await _core.Clock.TimerAsync(due).WaitAsync(Patience.Limit);
        _core.Clock.Advance(due);
    }

    private static async Task<T> NextAsync<T>(IAsyncEnumerator<CreationEvent> events)
        where T : CreationEvent
    {
        (await events.MoveNextAsync().AsTask().WaitAsync(Patience.Limit)).ShouldBeTrue();
        return events.Current.ShouldBeOfType<T>();
    }

    private static async Task<T> LastAsync<T>(IAsyncEnumerator<CreationEvent> events)
        where T : CreationEvent
    {
        CreationEvent? last = null;
        while (await events.MoveNextAsync().AsTask().WaitAsync(Patience.Limit))
        {
            (last is SandboxReady or SandboxFailed).ShouldBeFalse("Nothing follows the last event.");
            last = events.Current;
        }

        return last.ShouldBeOfType<T>();
    }
}
