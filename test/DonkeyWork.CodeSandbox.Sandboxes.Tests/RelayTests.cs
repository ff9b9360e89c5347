using System.Net;
using System.Net.Sockets;
using System.Text;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Sandboxes.Execution;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests;

/// <summary>The relay, against an executor that a sandbox may have made anything of.</summary>
public sealed class RelayTests : RelayedRequests
{
    [Fact]
    public async Task Body_and_token_reach_the_executor_and_its_answer_comes_back()
    {
        var sending = SendAsync("{ \"a\" :\n1}");
        var call = await Core.Executor.NextCallAsync();
        call.Head.ShouldStartWith("POST /api/execute HTTP/1.1\r\n");
        call.Header(ExecutorProtocol.TokenHeader).ShouldBe(Core.Tokens.TokenOf(Sandbox.Name, Sandbox.Nonce));
        Encoding.UTF8.GetString(call.Body).ShouldBe("{ \"a\" :\n1}");
        await call.AnswerAsync("422 Unprocessable Entity", "application/problem+json; charset=utf-8", "{\"code\":\"start_failed\"}");

        using var response = await sending;
        response.Status.ShouldBe(422);
        response.Headers.ShouldContain(new KeyValuePair<string, string>("Content-Type", "application/problem+json"));
        (await ReadAsync(response)).ShouldBe("{\"code\":\"start_failed\"}");
    }

    [Fact]
    public async Task A_deletion_that_was_perhaps_carried_out_is_not_sent_again()
    {
        var sending = Core.Relay.SendAsync(Sandbox.Name, new ExecutorRequest(HttpMethod.Delete, "api/executions/x/stdin"), default);
        // Closed in good order, as by a process that is killed; a reset is not repeated anyway.
        (await Core.Executor.NextCallAsync()).Close();
        await Core.Clock.TimerAsync(ExecutorRelay.NewsPatience).WaitAsync(Patience.Limit);
        Core.Clock.Advance(ExecutorRelay.NewsPatience);

        await FailsAsync(sending, ErrorCodes.ExecutorUnreachable);
        Core.Executor.HasCall.ShouldBeFalse();
    }

    [Fact]
    public async Task Only_listed_headers_pass()
    {
        var sending = SendAsync();
        await (await Core.Executor.NextCallAsync()).AnswerAsync(
            "200 OK", "application/json", "{}",
            "Set-Cookie: a=b\r\nLocation: http://elsewhere.example/\r\nServer: x\r\nAccess-Control-Allow-Origin: *\r\nRefresh: 0\r\n"
            + "Content-Security-Policy: none\r\nContent-Encoding: gzip\r\nContent-Disposition: inline\r\nETag: \"1\"\r\nRetry-After: 3\r\n"
            + "X-File-Type: regular\r\nX-File-Mode: 0644\r\nAccept-Ranges: bytes\r\nContent-Range: bytes 0-1/2\r\nLast-Modified: Tue, 01 Jan 2030 00:00:00 GMT\r\n");

        using var response = await sending;
        response.Headers.Select(header => header.Key).Order(StringComparer.Ordinal).ShouldBe([
            "Accept-Ranges", "Content-Length", "Content-Range", "Content-Type", "ETag", "Last-Modified", "Retry-After", "X-File-Mode", "X-File-Type",
        ]);
    }

    [Theory]
    [InlineData("ETag: a\tb\r\n")]
    [InlineData("ETag: caf\u00e9\r\n")]
    [InlineData("ETag: one\r\nETag: two\r\n")]
    public async Task A_listed_header_that_could_be_trouble_does_not_pass(string header)
    {
        var sending = SendAsync();
        await (await Core.Executor.NextCallAsync()).AnswerAsync("200 OK", "application/json", "{}", header);

        using var response = await sending;
        response.Headers.Select(passed => passed.Key).ShouldNotContain("ETag");
    }

    [Theory]
    [InlineData("202 Accepted")]
    [InlineData("205 Reset Content")]
    [InlineData("226 IM Used")]
    [InlineData("600 Beyond")]
    [InlineData("301 Moved Permanently")]
    [InlineData("307 Temporary Redirect")]
    [InlineData("304 Not Modified")]
    [InlineData("401 Unauthorized")]
    public async Task A_redirect_or_a_status_that_is_never_given_is_an_error_and_is_not_followed(string status)
    {
        await using var elsewhere = new ScriptedExecutor();
        var sending = SendAsync();
        await (await Core.Executor.NextCallAsync()).AnswerAsync(status, "application/json", "", $"Location: {elsewhere.Address}stolen\r\n");

        await FailsAsync(sending, ErrorCodes.ExecutorError);
        elsewhere.HasCall.ShouldBeFalse();
        Core.Executor.HasCall.ShouldBeFalse();
    }

    [Fact]
    public async Task A_cookie_is_not_kept()
    {
        var first = SendAsync();
        await (await Core.Executor.NextCallAsync()).AnswerAsync("200 OK", "application/json", "{}", "Set-Cookie: a=b\r\n");
        using (var response = await first) await ReadAsync(response);

        var second = SendAsync();
        var call = await Core.Executor.NextCallAsync();
        call.Header("Cookie").ShouldBeNull();
        await call.AnswerAsync("200 OK", "application/json", "{}");
        (await second).Dispose();
    }

    [Theory]
    [InlineData("text/html")]
    [InlineData("image/svg+xml")]
    [InlineData("text/event-stream, text/html")]
    [InlineData("")]
    public async Task A_content_type_that_is_not_expected_is_an_error(string type)
    {
        var sending = SendAsync();
        await (await Core.Executor.NextCallAsync()).AnswerAsync("200 OK", type, "<script>");
        await FailsAsync(sending, ErrorCodes.ExecutorError);
    }

    [Fact]
    public async Task Headers_without_an_end_are_an_error()
    {
        var sending = SendAsync();
        var call = await Core.Executor.NextCallAsync();
        await call.SendAsync($"HTTP/1.1 200 OK\r\nX-Large: {new string('x', 100_000)}");
        await FailsAsync(sending, ErrorCodes.ExecutorError);
        call.Cut();
    }

    [Fact]
    public async Task What_is_not_HTTP_is_an_error()
    {
        var sending = SendAsync();
        var call = await Core.Executor.NextCallAsync();
        await call.SendAsync("220 mail.example ESMTP\r\n\r\n");
        await FailsAsync(sending, ErrorCodes.ExecutorError);
        call.Cut();
    }

    [Fact]
    public async Task A_connection_that_breaks_before_the_answer_is_502_while_theSandbox_exists()
    {
        var sending = SendAsync();
        (await Core.Executor.NextCallAsync()).Cut();
        await Core.Clock.TimerAsync(ExecutorRelay.NewsPatience).WaitAsync(Patience.Limit);
        sending.IsCompleted.ShouldBeFalse("the news of an end may be on its way");
        Core.Clock.Advance(ExecutorRelay.NewsPatience);
        (await FailsAsync(sending, ErrorCodes.ExecutorUnreachable)).Message.ShouldContain("The connection broke before an answer");
    }

    [Fact]
    public async Task A_connection_that_is_refused_is_told_as_such()
    {
        // Bound, so that the port is nobody else's; but nobody listens.
        using var nobody = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        nobody.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Core.Backend.Executor = new Uri($"http://{nobody.LocalEndPoint}/");

        var sending = SendAsync();
        await Core.Clock.TimerAsync(ExecutorRelay.NewsPatience).WaitAsync(Patience.Limit);
        Core.Clock.Advance(ExecutorRelay.NewsPatience);
        (await FailsAsync(sending, ErrorCodes.ExecutorUnreachable)).Message.ShouldContain("The connection was refused.");
    }

    [Fact]
    public async Task A_connection_that_breaks_a_moment_before_the_end_is_known_learns_of_it()
    {
        var sending = SendAsync();
        (await Core.Executor.NextCallAsync()).Cut();
        await Core.Clock.TimerAsync(ExecutorRelay.NewsPatience).WaitAsync(Patience.Limit);

        Core.Backend.Set(Sandbox.Name, sandbox => sandbox with { Phase = SandboxPhase.Failed, IsReady = false, Message = "OOMKilled: too much." });

        (await FailsAsync(sending, ErrorCodes.SandboxNotFound)).Message.ShouldContain("OOMKilled");
    }

    [Fact]
    public async Task A_connection_that_breaks_because_theSandbox_is_gone_is_404()
    {
        var sending = SendAsync();
        var call = await Core.Executor.NextCallAsync();
        Core.Backend.HoldWatch();
        Core.Backend.Remove(Sandbox.Name);
        call.Cut();
        await FailsAsync(sending, ErrorCodes.SandboxNotFound);
    }

    [Fact]
    public async Task ASandbox_whose_connections_have_been_dropped_is_404()
    {
        Core.Backend.HoldWatch();
        Core.Backend.Remove(Sandbox.Name);
        Core.Backend.Dispose();
        await FailsAsync(SendAsync(), ErrorCodes.SandboxNotFound);
    }

    [Fact]
    public async Task An_executor_that_gives_no_answer_for_thirty_seconds_is_given_up()
    {
        var sending = SendAsync();
        var call = await Core.Executor.NextCallAsync();
        await Core.Clock.TimerAsync(ExecutorResponse.Silence).WaitAsync(Patience.Limit);
        Core.Clock.Advance(ExecutorResponse.Silence);

        await FailsAsync(sending, ErrorCodes.ExecutorUnreachable);
        await call.DisconnectedAsync();
    }

    [Fact]
    public async Task A_stream_that_is_cut_is_lost_and_not_over()
    {
        var (call, copying, caller) = await StreamAsync();
        await call.ChunkAsync("first");
        await caller.ReadAsync(5);
        call.Cut();
        await Should.ThrowAsync<ExecutorLostException>(() => copying.WaitAsync(Patience.Limit));
    }

    [Fact]
    public async Task A_body_shorter_than_it_said_is_lost_and_not_over()
    {
        var sending = SendAsync();
        var call = await Core.Executor.NextCallAsync();
        await call.SendAsync("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{}");
        using var response = await sending;
        call.Cut();
        await Should.ThrowAsync<ExecutorLostException>(() => ReadAsync(response));
    }

    [Fact]
    public async Task A_stream_that_ends_is_over()
    {
        var (call, copying, caller) = await StreamAsync();
        await call.ChunkAsync("all");
        await call.EndAsync();
        await caller.ReadAsync(3);
        await copying.WaitAsync(Patience.Limit);
    }

    [Fact]
    public async Task A_stream_that_is_silent_for_thirty_seconds_is_lost_and_a_keepalive_starts_them_anew()
    {
        var (call, copying, caller) = await StreamAsync();
        var almost = ExecutorResponse.Silence - TimeSpan.FromSeconds(1);
        for (var i = 0; i < 3; i++)
        {
            await Core.Clock.TimerAsync(ExecutorResponse.Silence).WaitAsync(Patience.Limit);
            Core.Clock.Advance(almost);
            copying.IsCompleted.ShouldBeFalse();
            await call.ChunkAsync(":\n\n");
            await caller.ReadAsync(3);
        }

        await Core.Clock.TimerAsync(ExecutorResponse.Silence).WaitAsync(Patience.Limit);
        Core.Clock.Advance(ExecutorResponse.Silence);
        await Should.ThrowAsync<ExecutorLostException>(() => copying.WaitAsync(Patience.Limit));
        await call.DisconnectedAsync();
    }

    [Fact]
    public async Task While_the_caller_does_not_read_no_silence_is_counted()
    {
        var (call, copying, caller) = await StreamAsync();
        caller.Block();
        await call.ChunkAsync("held");
        await caller.Blocked.WaitAsync(Patience.Limit);

        Core.Clock.Advance(ExecutorResponse.Silence * 10);
        copying.IsCompleted.ShouldBeFalse();

        caller.Unblock();
        await caller.ReadAsync(4);
        await call.EndAsync();
        await copying.WaitAsync(Patience.Limit);
    }

    [Fact]
    public async Task A_caller_who_goes_away_disconnects_the_executor_at_once()
    {
        using var gone = new CancellationTokenSource();
        var (call, copying, caller) = await StreamAsync(gone.Token);
        await call.ChunkAsync("first");
        await caller.ReadAsync(5);

        await gone.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => copying.WaitAsync(Patience.Limit));
        await call.DisconnectedAsync();
    }

    [Fact]
    public async Task A_caller_who_goes_away_before_the_answer_disconnects_the_executor_at_once()
    {
        using var gone = new CancellationTokenSource();
        var sending = SendAsync(cancellationToken: gone.Token);
        var call = await Core.Executor.NextCallAsync();

        await gone.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => sending);
        await call.DisconnectedAsync();
    }

    [Fact]
    public async Task A_fault_of_the_callers_body_is_the_callers()
    {
        var request = new ExecutorRequest(HttpMethod.Post, "api/execute") { Body = new BrokenStream(), ResponseTypes = [EventStream] };
        await Should.ThrowAsync<BrokenStream.BrokenException>(() => Core.Relay.SendAsync(Sandbox.Name, request, default));
    }

    /// <summary>A stream that has begun, on its way to a caller.</summary>
    private async Task<(ExecutorCall Call, Task Copying, SlowReader Caller)> StreamAsync(CancellationToken cancellationToken = default)
    {
        var sending = SendAsync(cancellationToken: cancellationToken);
        var call = await Core.Executor.NextCallAsync();
        await call.StartAsync(EventStream);
        var response = await sending;
        var caller = new SlowReader();
        return (call, CopyAsync(), caller);

        async Task CopyAsync()
        {
            using (response) await response.CopyToAsync(caller, cancellationToken);
        }
    }
}
