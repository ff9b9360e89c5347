using System.Text;
using DonkeyWork.CodeSandbox.Client.Tests.Wire;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client.Tests;

/// <summary>However the bytes of a stream arrive, its events are the same; and no stream is taken for complete that is not.</summary>
public sealed class StreamTests
{
    private static readonly byte[] Script = Encoding.UTF8.GetBytes(
        ": keepalive\n\n" + Sse.Output("ü\U0001F40E") + ": keepalive\n\n" + Sse.Output("tail", "Stderr", partial: true) + Sse.Completed(7));

    [Fact]
    public async Task Chopped_at_any_offset_the_events_are_the_same()
    {
        var offset = 0;
        await using var executor = await WireServer.StartAsync(async context =>
        {
            Sse.Begin(context);
            await context.Response.Body.WriteAsync(Script.AsMemory(0, offset));
            await context.Response.Body.FlushAsync();
            await context.Response.Body.WriteAsync(Script.AsMemory(offset));
        });
        await using var client = new ExecutorClient(executor.Address);

        for (offset = 0; offset <= Script.Length; offset++)
            ShouldBeWhole(await client.RunAsync("x").OrFail());
    }

    [Fact]
    public async Task Byte_by_byte_the_events_are_the_same()
    {
        await using var executor = await WireServer.StartAsync(async context =>
        {
            Sse.Begin(context);
            foreach (var next in Script)
            {
                context.Response.BodyWriter.GetSpan(1)[0] = next;
                context.Response.BodyWriter.Advance(1);
                await context.Response.BodyWriter.FlushAsync();
            }
        });
        await using var client = new ExecutorClient(executor.Address);

        ShouldBeWhole(await client.RunAsync("x").OrFail());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Ended_at_any_offset_before_its_last_byte_a_stream_is_interrupted(bool abruptly)
    {
        var offset = 0;
        await using var executor = await WireServer.StartAsync(async context =>
        {
            Sse.Begin(context);
            await context.Response.Body.WriteAsync(Script.AsMemory(0, offset));
            await context.Response.Body.FlushAsync();
            if (abruptly)
                context.Abort();
        });
        await using var client = new ExecutorClient(executor.Address);

        // The last line of the event is its empty one, and the `id:` line before it matters to nobody, yet is part of it.
        for (offset = 0; offset < Script.Length; offset++)
        {
            var e = await Should.ThrowAsync<InterruptedException>(client.RunAsync("x").OrFail(), $"cut at {offset}");
            e.Code.ShouldBe(ClientErrorCodes.ResponseCut);
        }
    }

    [Theory]
    [InlineData("\uFEFFdata: {\"$type\":\"OutputEvent\",\"pid\":1,\"stream\":\"Stdout\",\"data\":\"x\"}\n\n")]
    [InlineData("data: {\"$type\":\"OutputEvent\",\"pid\":1,\"stream\":\"Stdout\",\"data\":\"x\"}\r\n\r\n")]
    [InlineData("data: {\"$type\":\"OutputEvent\",\ndata: \"pid\":1,\"stream\":\ndata:\"Stdout\",\"data\":\"x\"}\n\n")]
    [InlineData("retry: 5\nunknown: x\nevent\ndata:{\"$type\":\"OutputEvent\",\"pid\":1,\"stream\":\"Stdout\",\"data\":\"x\"}\n\n")]
    [InlineData(":\n:comment\n\n\n\nid\ndata: {\"data\":\"x\",\"new\":{\"er\":[]},\"stream\":\"Stdout\",\"pid\":1,\"$type\":\"OutputEvent\"}\n\n")]
    public async Task Every_spelling_of_the_standard_is_understood(string output)
    {
        await using var executor = await WireServer.StartAsync(context => Sse.AnswerAsync(context, output, Sse.Completed()));
        await using var client = new ExecutorClient(executor.Address);

        (await client.RunAsync("x").OrFail()).StandardOutput.ShouldBe("x\n");
    }

    [Fact]
    public async Task A_line_part_of_a_mebibyte_of_control_characters_arrives_whole()
    {
        var part = new string('\u0001', 1024 * 1024);
        await using var executor = await WireServer.StartAsync(context =>
            Sse.AnswerAsync(context, Sse.Output(part, partial: true), Sse.Output(part), Sse.Completed()));
        await using var client = new ExecutorClient(executor.Address);

        var result = await client.RunAsync("x").OrFail();

        (result.StandardOutput == part + part + "\n").ShouldBeTrue();
    }

    [Fact]
    public async Task An_event_without_end_is_refused_instead_of_kept()
    {
        var gone = new TaskCompletionSource<Task>();
        await using var executor = await WireServer.StartAsync(async context =>
        {
            var left = Sse.GoneAsync(context);
            gone.SetResult(left);
            Sse.Begin(context);
            await Sse.WriteAsync(context, "data: \"");
            var chunk = new string('x', 1024 * 1024);
            while (!left.IsCompleted)
                await Sse.WriteAsync(context, chunk);
        });
        await using var client = new ExecutorClient(executor.Address);

        var e = await Should.ThrowAsync<CodeSandboxException>(client.RunAsync("x").OrFail());

        e.Code.ShouldBe(ClientErrorCodes.UnexpectedResponse);
        await (await gone.Task.OrFail()).OrFail();
    }

    [Theory]
    [InlineData("data: not json\n\n")]
    [InlineData("data: null\n\n")]
    [InlineData("data: {\"$type\":\"SomethingElse\",\"pid\":1}\n\n")]
    [InlineData("data: {\"$type\":\"OutputEvent\",\"pid\":1,\"stream\":\"Stdout\"}\n\n")]
    [InlineData("data: {\"$type\":\"OutputEvent\",\"pid\":1,\"stream\":\"Stdout\",\"data\":null}\n\n")]
    [InlineData("data: {\"error\":\"no such pod\"}\n\n")]
    public async Task An_event_that_is_not_of_the_contract_is_an_error(string malformed)
    {
        await using var executor = await WireServer.StartAsync(context => Sse.AnswerAsync(context, malformed, Sse.Completed()));
        await using var client = new ExecutorClient(executor.Address);

        var e = await Should.ThrowAsync<CodeSandboxException>(client.RunAsync("x").OrFail());

        e.Code.ShouldBe(ClientErrorCodes.UnexpectedResponse);
    }

    [Fact]
    public async Task Events_are_seen_as_they_come_and_the_last_one_is_the_completion()
    {
        var go = new SemaphoreSlim(0);
        await using var executor = await WireServer.StartAsync(async context =>
        {
            Sse.Begin(context);
            await Sse.WriteAsync(context, Sse.Output("first"));
            await go.WaitAsync(context.RequestAborted);
            await Sse.WriteAsync(context, Sse.Completed() + Sse.Output("behind the end"));
        });
        await using var client = new ExecutorClient(executor.Address);
        var seen = new List<ExecutionEvent>();

        await foreach (var next in client.ExecuteAsync("x"))
        {
            seen.Add(next);
            go.Release();
        }

        seen.Count.ShouldBe(2);
        seen[0].ShouldBeOfType<OutputEvent>().Data.ShouldBe("first");
        seen[1].ShouldBeOfType<CompletedEvent>().ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task A_stream_left_open_behind_its_completion_holds_nobody_for_long()
    {
        var time = new ManualTime();
        var gone = new TaskCompletionSource<Task>();
        await using var executor = await WireServer.StartAsync(async context =>
        {
            var left = Sse.GoneAsync(context);
            gone.SetResult(left);
            await Sse.AnswerAsync(context, Sse.Output("x"), Sse.Completed());
            await left;
        });
        await using var client = new ExecutorClient(executor.Address, new ExecutorClientOptions { TimeProvider = time });
        var endTimeout = TimeSpan.FromSeconds(1);

        var run = client.RunAsync("x");
        await time.HasSetAsync(endTimeout, 1);
        time.Advance(endTimeout);

        (await run.OrFail()).ExitCode.ShouldBe(0);
        await (await gone.Task.OrFail()).OrFail();
    }

    private static void ShouldBeWhole(RunResult result)
    {
        result.StandardOutput.ShouldBe("ü\U0001F40E\n");
        result.StandardError.ShouldBe("tail");
        result.ExitCode.ShouldBe(7);
    }
}
