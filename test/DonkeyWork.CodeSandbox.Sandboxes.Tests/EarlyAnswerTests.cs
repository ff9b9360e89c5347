using System.IO.Pipelines;
using System.Text;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Execution;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests;

/// <summary>An executor that refuses a body it has not read to its end: its answer arrives, and nothing that was cut is completed.</summary>
public sealed class EarlyAnswerTests : RelayedRequests
{
    private const string Refusal = "{\"code\":\"stdin_gap\",\"offset\":3}";

    // The last chunk of a complete body (RFC 9112, 7.1).
    private const string LastChunk = "0\r\n\r\n";

    private readonly Pipe _body = new();

    [Theory]
    [InlineData(null)]
    [InlineData(1L << 40)]
    public async Task A_refusal_before_the_body_is_the_answer_and_nothing_was_sent(long? length)
    {
        var sending = BeginSend(length);
        var call = await CallAsync();
        call.Header("Expect").ShouldBe("100-continue");
        await call.AnswerAsync("409 Conflict", Problem.MediaType, Refusal, "Connection: close\r\n");

        using var response = await sending.WaitAsync(Patience.Limit);
        response.Status.ShouldBe(409);
        (await ReadAsync(response)).ShouldBe(Refusal);
        (await ReadRestAsync(call)).ShouldBe("");
    }

    [Theory]
    [InlineData(null)]
    [InlineData(1L << 30)]
    public async Task A_refusal_in_the_middle_is_the_answer_although_the_caller_says_nothing_more(long? length)
    {
        var sending = BeginSend(length);
        var call = await CallAsync();
        await call.SendAsync("HTTP/1.1 100 Continue\r\n\r\n");
        await _body.Writer.WriteAsync("abc"u8.ToArray());
        (await ReadUntilAsync(call, "abc")).ShouldEndWith("3\r\nabc");
        sending.IsCompleted.ShouldBeFalse();
        await call.AnswerAsync("507 Insufficient Storage", Problem.MediaType, Refusal, "Connection: close\r\n");

        using var response = await sending.WaitAsync(Patience.Limit);
        response.Status.ShouldBe(507);
        (await ReadAsync(response)).ShouldBe(Refusal);
        // Not even an end.
        (await ReadRestAsync(call)).Trim().ShouldBe("");
    }

    [Fact]
    public async Task A_refusal_by_an_executor_that_reads_no_more_is_the_answer()
    {
        var sending = BeginSend(null);
        var call = await CallAsync();
        await call.SendAsync("HTTP/1.1 100 Continue\r\n\r\n");
        // More than every buffer on the way holds: nobody reads it, so somewhere a write waits.
        using var enough = new CancellationTokenSource();
        var writing = WriteForeverAsync(enough.Token);
        await ReadUntilAsync(call, "xxx");
        await call.AnswerAsync("409 Conflict", Problem.MediaType, Refusal, "Connection: close\r\n");

        using var response = await sending.WaitAsync(Patience.Limit);
        response.Status.ShouldBe(409);
        (await ReadAsync(response)).ShouldBe(Refusal);
        await enough.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => writing);
        call.Cut();
    }

    [Fact]
    public async Task A_success_that_comes_early_does_not_cut_the_body()
    {
        var sending = BeginSend(null);
        var call = await CallAsync();
        await call.SendAsync("HTTP/1.1 100 Continue\r\n\r\n");
        await _body.Writer.WriteAsync("abc"u8.ToArray());
        await ReadUntilAsync(call, "abc");
        await call.SendAsync("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
        await _body.Writer.WriteAsync("def"u8.ToArray());
        await ReadUntilAsync(call, "def");
        await _body.Writer.CompleteAsync();
        await ReadUntilAsync(call, LastChunk);

        using var response = await sending.WaitAsync(Patience.Limit);
        (await ReadAsync(response)).ShouldBe("{}");
    }

    [Fact]
    public async Task A_body_that_the_caller_cuts_is_cut_at_the_executor_too()
    {
        var sending = BeginSend(null);
        var call = await CallAsync();
        await call.SendAsync("HTTP/1.1 100 Continue\r\n\r\n");
        await _body.Writer.WriteAsync("abc"u8.ToArray());
        await ReadUntilAsync(call, "abc");
        await _body.Writer.CompleteAsync(new BrokenStream.BrokenException());

        await Should.ThrowAsync<BrokenStream.BrokenException>(() => sending.WaitAsync(Patience.Limit));
        (await ReadRestAsync(call)).ShouldNotContain(LastChunk);
    }

    [Fact]
    public async Task Each_has_a_connection_of_its_own()
    {
        await _body.Writer.CompleteAsync();
        var calls = new List<ExecutorCall>();
        for (var i = 0; i < 2; i++)
        {
            var sending = BeginSend(0);
            calls.Add(await CallAsync());
            calls[i].Header("Connection").ShouldBe("close");
            await calls[i].AnswerAsync("200 OK", "application/json", "{}", "Connection: close\r\n");
            using var response = await sending.WaitAsync(Patience.Limit);
            await ReadAsync(response);
        }

        calls[0].Connection.ShouldNotBeSameAs(calls[1].Connection);
    }

    private Task<ExecutorCall> CallAsync() => Core.Executor.NextCallAsync();

    private Task<ExecutorResponse> BeginSend(long? length)
    {
        Core.Executor.ReadsBodies = false;
        var request = new ExecutorRequest(HttpMethod.Post, "api/executions/a/stdin")
        {
            Body = _body.Reader.AsStream(), ContentLength = length, ResponseTypes = ["application/json"], IsTimed = false, MayBeAnsweredEarly = true,
        };
        return Core.Relay.SendAsync(Sandbox.Name, request, default);
    }

    private async Task WriteForeverAsync(CancellationToken cancellationToken)
    {
        var chunk = Encoding.ASCII.GetBytes(new string('x', 1 << 20));
        while (true) await _body.Writer.WriteAsync(chunk, cancellationToken);
    }

    private static async Task<string> ReadUntilAsync(ExecutorCall call, string text)
    {
        var seen = "";
        var buffer = new byte[4096];
        while (!seen.TrimEnd().EndsWith(text.TrimEnd(), StringComparison.Ordinal))
        {
            var count = await call.Connection.ReadAsync(buffer).AsTask().WaitAsync(Patience.Limit);
            count.ShouldBeGreaterThan(0, $"The connection was closed before '{text}':\n{seen}");
            seen += Encoding.Latin1.GetString(buffer, 0, count);
        }

        return seen.TrimEnd();
    }

    private static async Task<string> ReadRestAsync(ExecutorCall call)
    {
        var rest = new MemoryStream();
        try
        {
            await call.Connection.CopyToAsync(rest).WaitAsync(Patience.Limit);
        }
        catch (IOException)
        {
            // A reset is an end too.
        }

        return Encoding.Latin1.GetString(rest.ToArray());
    }
}
