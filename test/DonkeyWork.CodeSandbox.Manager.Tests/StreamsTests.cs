using System.Net;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Manager.Tests;

/// <summary>How streams end, as it shows on the wire: a cut one never looks like a complete one.</summary>
public sealed class StreamsTests : IAsyncLifetime
{
    // The last chunk of a complete HTTP/1.1 response (RFC 9112, 7.1).
    private const string LastChunk = "\r\n0\r\n\r\n";

    private TestManager _manager = null!;

    public async Task InitializeAsync() => _manager = await TestManager.StartAsync();

    public async Task DisposeAsync() => await _manager.DisposeAsync();

    [Fact]
    public async Task A_stream_that_the_executor_completes_is_complete()
    {
        var (caller, call) = await ExecuteAsync();
        using var owned = caller;
        await call.ChunkAsync("event: OutputEvent\n");
        await caller.ReadUntilAsync("event: OutputEvent\n");
        await call.EndAsync();
        (await caller.ReadUntilAsync(LastChunk)).ShouldEndWith(LastChunk);
    }

    [Fact]
    public async Task A_stream_that_breaks_is_cut()
    {
        var (caller, call) = await ExecuteAsync();
        using var owned = caller;
        await call.ChunkAsync("event: OutputEvent\n");
        await caller.ReadUntilAsync("event: OutputEvent\n");
        call.Cut();
        (await caller.ReadToEndAsync()).ShouldNotContain(LastChunk);
    }

    [Fact]
    public async Task A_caller_who_disconnects_disconnects_the_executor()
    {
        var (caller, call) = await ExecuteAsync();
        await call.ChunkAsync("event: OutputEvent\n");
        await caller.ReadUntilAsync("event: OutputEvent\n");
        caller.Cut();
        await call.DisconnectedAsync();
    }

    [Fact]
    public async Task A_caller_who_disconnects_while_the_stream_is_held_disconnects_the_executor()
    {
        var (caller, call) = await ExecuteAsync();
        // More than every buffer on the way holds: nobody reads it, so somewhere a write waits for the caller.
        var sending = SendForeverAsync(call);
        caller.Cut();
        await Should.ThrowAsync<IOException>(() => sending.WaitAsync(Patience.Limit));
        call.Cut();
    }

    [Fact]
    public async Task What_is_on_its_way_to_a_caller_that_does_not_read_is_well_below_what_is_kept_of_an_output()
    {
        const int Chunk = 1 << 16;
        const int Quarter = 4 << 20;
        var (caller, call) = await ExecuteAsync();
        using var owned = caller;
        var chunk = new string('x', Chunk);
        var sent = 0L;
        var sending = Task.Run(async () =>
        {
            for (; ; sent += Chunk) await call.ChunkAsync(chunk);
        });
        await Patience.UntilAsync(IsHeld, () => $"{sent} bytes were taken and there was no end");

        // Both ends of both connections count, the caller's and the executor's bound theirs as well.
        sent.ShouldBeInRange(Chunk, Quarter);
        caller.Cut();
        await Should.ThrowAsync<IOException>(() => sending.WaitAsync(Patience.Limit));
        call.Cut();

        bool IsHeld()
        {
            var before = sent;
            return !SpinWait.SpinUntil(() => sent != before, TimeSpan.FromSeconds(1)) && sent > 0;
        }
    }

    [Fact]
    public async Task A_creator_who_disconnects_leaves_the_sandbox_which_was_announced()
    {
        _manager.Backend.IsReadyAtOnce = false;
        using var creator = await RawHttp.ConnectAsync(_manager.Url);
        await creator.SendAsync("POST /api/kata HTTP/1.1", "Host: localhost", "Content-Type: application/json", "Content-Length: 21", "", """{"waitForReady":true}""");
        await creator.ReadUntilAsync("\"eventType\":\"created\"");
        var name = _manager.Backend.Sandboxes.Single().Name;
        creator.Cut();

        _manager.Backend.MakeReady(name);
        (await _manager.Http.GetStringAsync($"/api/kata/{name}")).ShouldContain("\"phase\":\"Running\"");
    }

    [Theory]
    [InlineData("200 OK", "text/html", "executor_error")]
    [InlineData("302 Found", "text/event-stream", "executor_error")]
    [InlineData("401 Unauthorized", "application/problem+json", "executor_error")]
    public async Task An_executor_that_answers_what_it_never_should_is_502(string status, string type, string code)
    {
        var name = await _manager.CreateAsync();
        var executing = _manager.Http.PostAsync($"/api/kata/{name}/execute", Json.Body("""{"command":"true"}"""));
        await (await _manager.Executor.NextCallAsync()).AnswerAsync(status, type, "<script>", "Set-Cookie: a=b\r\nLocation: http://elsewhere.example/\r\n");

        using var response = await executing;
        await response.ShouldBeProblemAsync(HttpStatusCode.BadGateway, code);
        response.Headers.Contains("Set-Cookie").ShouldBeFalse();
        response.Headers.Location.ShouldBeNull();
    }

    [Fact]
    public async Task An_executor_that_breaks_before_its_answer_is_502_and_once_its_sandbox_is_gone_404()
    {
        var name = await _manager.CreateAsync();
        var executing = _manager.Http.PostAsync($"/api/kata/{name}/execute", Json.Body("""{"command":"true"}"""));
        (await _manager.Executor.NextCallAsync()).Cut();
        await (await executing).ShouldBeProblemAsync(HttpStatusCode.BadGateway, "executor_unreachable");

        executing = _manager.Http.PostAsync($"/api/kata/{name}/execute", Json.Body("""{"command":"true"}"""));
        var call = await _manager.Executor.NextCallAsync();
        _manager.Backend.Remove(name);
        call.Cut();
        await (await executing).ShouldBeProblemAsync(HttpStatusCode.NotFound, "sandbox_not_found");
    }

    private async Task<(RawHttp Caller, ExecutorCall Call)> ExecuteAsync()
    {
        var name = await _manager.CreateAsync();
        var caller = await RawHttp.ConnectAsync(_manager.Url);
        await caller.SendAsync($"POST /api/kata/{name}/execute HTTP/1.1", "Host: localhost", "Content-Type: application/json", "Content-Length: 2", "", "{}");
        var call = await _manager.Executor.NextCallAsync();
        await call.StartAsync("text/event-stream");
        // Without a first event: the headers alone let the caller know that the command runs.
        (await caller.ReadUntilAsync("\r\n\r\n")).ShouldStartWith("HTTP/1.1 200 OK\r\n");
        return (caller, call);
    }

    private static async Task SendForeverAsync(ExecutorCall call)
    {
        var chunk = new string('x', 1 << 20);
        while (true) await call.ChunkAsync(chunk);
    }
}
