using System.Net;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Manager.Tests;

/// <summary>How a Manager stops: what it has begun goes on for a while, nothing new begins, and what is cut looks cut.</summary>
public sealed class DrainTests : IAsyncLifetime
{
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(7);

    // The last chunk of a complete HTTP/1.1 response (RFC 9112, 7.1).
    private const string LastChunk = "\r\n0\r\n\r\n";

    private readonly ManualClock _clock = new();
    private TestManager _manager = null!;

    public async Task InitializeAsync() => _manager = await TestManager.StartAsync(_clock, $"--KataContainerManager:DrainSeconds={DrainTime.TotalSeconds}");

    public async Task DisposeAsync() => await _manager.DisposeAsync();

    [Fact]
    public async Task A_stream_that_is_open_goes_on_to_its_end_and_the_Manager_stops_with_it()
    {
        var (caller, call) = await ExecuteAsync();
        using var owned = caller;
        var stopping = await BeginStopAsync();

        await call.ChunkAsync("event: CompletedEvent\n");
        await caller.ReadUntilAsync("event: CompletedEvent\n");
        stopping.IsCompleted.ShouldBeFalse();
        await call.EndAsync();

        (await caller.ReadUntilAsync(LastChunk)).ShouldEndWith(LastChunk);
        await stopping.WaitAsync(Patience.Limit);
    }

    [Fact]
    public async Task A_create_that_is_followed_becomes_ready_while_the_Manager_stops()
    {
        using var creator = await CreateAsync();
        var stopping = await BeginStopAsync();

        _manager.Backend.MakeReady(_manager.Backend.Sandboxes.Single().Name);

        (await creator.ReadUntilAsync(LastChunk)).ShouldContain("\"eventType\":\"ready\"");
        await stopping.WaitAsync(Patience.Limit);
    }

    [Fact]
    public async Task Nothing_new_begins_on_a_new_connection_or_on_one_that_was_kept()
    {
        var (caller, call) = await ExecuteAsync();
        using var owned = caller;
        using var kept = await RawHttp.ConnectAsync(_manager.Url);
        await kept.SendAsync("GET /livez HTTP/1.1", "Host: localhost");
        await kept.ReadUntilAsync("Healthy");
        var stopping = await BeginStopAsync();

        using var refused = await _manager.Http.PostAsync("/api/kata", null);
        await refused.ShouldBeProblemAsync(HttpStatusCode.ServiceUnavailable, "stopping");
        refused.Headers.RetryAfter!.Delta.ShouldNotBeNull();
        refused.Headers.ConnectionClose.ShouldBe(true);
        await kept.SendAsync("POST /api/kata HTTP/1.1", "Host: localhost", "Content-Length: 0");
        var answer = (await kept.ReadToEndAsync()).Split("Healthy")[1];
        RawHttp.StatusOf(answer).ShouldBe(503);
        answer.ShouldContain("\r\nConnection: close\r\n");
        answer.ShouldContain("\"code\":\"stopping\"");
        _manager.Backend.Specs.Count.ShouldBe(1);

        await call.EndAsync();
        await stopping.WaitAsync(Patience.Limit);
    }

    [Fact]
    public async Task While_it_stops_it_lives_and_is_not_healthy()
    {
        var (caller, call) = await ExecuteAsync();
        using var owned = caller;
        var stopping = await BeginStopAsync();

        using var health = await _manager.Http.GetAsync("/healthz");
        health.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await health.Content.ReadAsStringAsync()).ShouldBe("Unhealthy");
        (await _manager.Http.GetStringAsync("/livez")).ShouldBe("Healthy");

        await call.EndAsync();
        await stopping.WaitAsync(Patience.Limit);
    }

    [Fact]
    public async Task What_is_still_open_at_the_end_is_cut_and_what_was_not_answered_is_told_so()
    {
        var (caller, call) = await ExecuteAsync();
        using var owned = caller;
        await call.ChunkAsync("event: OutputEvent\n");
        await caller.ReadUntilAsync("event: OutputEvent\n");
        var unanswered = _manager.Http.PostAsync($"/api/kata/{_manager.Backend.Sandboxes.Single().Name}/execute", Json.Body("{}"));
        var unansweredCall = await _manager.Executor.NextCallAsync();
        using var creator = await CreateAsync();
        var stopping = await BeginStopAsync();

        _clock.Advance(DrainTime - TimeSpan.FromTicks(1));
        stopping.IsCompleted.ShouldBeFalse();
        _clock.Advance(TimeSpan.FromTicks(1));

        await stopping.WaitAsync(Patience.Limit);
        (await caller.ReadToEndAsync()).ShouldNotContain(LastChunk);
        (await creator.ReadToEndAsync()).ShouldNotContain(LastChunk);
        await (await unanswered).ShouldBeProblemAsync(HttpStatusCode.ServiceUnavailable, "interrupted");
        await call.DisconnectedAsync();
        await unansweredCall.DisconnectedAsync();
        _manager.Backend.Sandboxes.Count.ShouldBe(2);
    }

    [Fact]
    public async Task With_nothing_open_it_stops_at_once()
    {
        await _manager.CreateAsync();
        await _manager.StopAsync().WaitAsync(Patience.Limit);
    }

    /// <summary>Begins to stop, and returns when the drain's time runs: the first task is the stop's end.</summary>
    private async Task<Task> BeginStopAsync()
    {
        var draining = _clock.TimerAsync(DrainTime);
        var stopping = _manager.StopAsync();
        await draining.WaitAsync(Patience.Limit);
        return stopping;
    }

    private async Task<RawHttp> CreateAsync()
    {
        _manager.Backend.IsReadyAtOnce = false;
        var creator = await RawHttp.ConnectAsync(_manager.Url);
        await creator.SendAsync("POST /api/kata HTTP/1.1", "Host: localhost", "Content-Type: application/json", "Content-Length: 21", "", """{"waitForReady":true}""");
        await creator.ReadUntilAsync("\"eventType\":\"waiting\"");
        return creator;
    }

    private async Task<(RawHttp Caller, ExecutorCall Call)> ExecuteAsync()
    {
        var name = await _manager.CreateAsync();
        var caller = await RawHttp.ConnectAsync(_manager.Url);
        await caller.SendAsync($"POST /api/kata/{name}/execute HTTP/1.1", "Host: localhost", "Content-Type: application/json", "Content-Length: 2", "", "{}");
        var call = await _manager.Executor.NextCallAsync();
        await call.StartAsync("text/event-stream");
        await caller.ReadUntilAsync("\r\n\r\n");
        return (caller, call);
    }
}
