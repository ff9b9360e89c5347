using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Execution;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests;

/// <summary>Answers that have no body, or only a part of one, and those that take their time.</summary>
public sealed class RelayedAnswersTests : RelayedRequests
{
    private static readonly ExecutorRequest File = new(HttpMethod.Get, "api/files?path=a")
    {
        ResponseTypes = ["application/octet-stream"], IsTimed = false, MayBeUnmodified = true,
    };

    [Fact]
    public async Task Headers_of_the_request_go_along_as_they_were_given()
    {
        var sending = Core.Relay.SendAsync(Sandbox.Name, File with { Headers = [new("Range", "bytes=1-2, 5-"), new("If-Range", "\"a b\""), new("Last-Event-ID", "7")] }, default);
        var call = await Core.Executor.NextCallAsync();
        (call.Header("Range"), call.Header("If-Range"), call.Header("Last-Event-ID")).ShouldBe(("bytes=1-2, 5-", "\"a b\"", "7"));
        await call.SendAsync("HTTP/1.1 206 Partial Content\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes 1-2/9\r\nContent-Length: 2\r\n\r\nbc");

        using var response = await sending;
        response.Status.ShouldBe(206);
        response.Headers.ShouldContain(new KeyValuePair<string, string>("Content-Range", "bytes 1-2/9"));
        (await ReadAsync(response)).ShouldBe("bc");
    }

    [Theory]
    [InlineData("204 No Content", "Content-Length: 0\r\n")]
    [InlineData("204 No Content", "")]
    [InlineData("304 Not Modified", "ETag: \"1\"\r\nContent-Length: 17\r\n")]
    [InlineData("304 Not Modified", "Content-Type: application/octet-stream\r\n")]
    public async Task What_has_no_body_needs_no_type_and_says_no_length(string status, string headers)
    {
        var sending = Core.Relay.SendAsync(Sandbox.Name, File, default);
        var call = await Core.Executor.NextCallAsync();
        await call.SendAsync($"HTTP/1.1 {status}\r\n{headers}\r\n");

        using var response = await sending;
        response.Status.ShouldBe(int.Parse(status.Split(' ')[0]));
        response.Headers.ShouldNotContain(header => header.Key == "Content-Length");
        (await ReadAsync(response)).ShouldBe("");
    }

    [Fact]
    public async Task The_answer_to_HEAD_keeps_its_length_and_has_no_body()
    {
        var sending = Core.Relay.SendAsync(Sandbox.Name, File with { Method = HttpMethod.Head }, default);
        var call = await Core.Executor.NextCallAsync();
        await call.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 123456789012\r\nX-File-Type: file\r\n\r\n");

        using var response = await sending;
        response.Headers.ShouldContain(new KeyValuePair<string, string>("Content-Length", "123456789012"));
        (await ReadAsync(response)).ShouldBe("");
    }

    [Fact]
    public async Task A_body_of_no_type_is_an_error()
    {
        var sending = Core.Relay.SendAsync(Sandbox.Name, File, default);
        await (await Core.Executor.NextCallAsync()).SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
        await FailsAsync(sending, ErrorCodes.ExecutorError);
    }

    [Fact]
    public async Task A_request_that_is_not_timed_may_be_answered_as_late_and_as_slowly_as_it_takes()
    {
        var sending = Core.Relay.SendAsync(Sandbox.Name, File, default);
        var call = await Core.Executor.NextCallAsync();
        Core.Clock.Advance(ExecutorResponse.Silence * 10);
        await call.StartAsync("application/octet-stream");
        using var response = await sending.WaitAsync(Patience.Limit);
        var caller = new SlowReader();
        var copying = response.CopyToAsync(caller, default);
        await call.ChunkAsync("first");
        await caller.ReadAsync(5);
        Core.Clock.Advance(ExecutorResponse.Silence * 10);
        copying.IsCompleted.ShouldBeFalse();
        await call.EndAsync();
        await copying.WaitAsync(Patience.Limit);
    }
}
