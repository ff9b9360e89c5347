using DonkeyWork.CodeSandbox.Client.Tests.Wire;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client.Tests;

public sealed class RunTests
{
    [Fact]
    public async Task Text_is_put_together_as_it_was_written()
    {
        await using var executor = await Answering(
            Sse.Output("one\r"), Sse.Output("wrong", "Stderr"), Sse.Output(""), Sse.Output("half", partial: true), Sse.Output(" and half"),
            Sse.Output("ünï \U0001F40E \0", partial: true), Sse.Completed(3));
        await using var client = new ExecutorClient(executor.Address);

        var result = await client.RunAsync("x").OrFail();

        result.StandardOutput.ShouldBe("one\r\n\nhalf and half\nünï \U0001F40E \0");
        result.StandardError.ShouldBe("wrong\n");
        result.ExitCode.ShouldBe(3);
        result.TimedOut.ShouldBeFalse();
        result.Reason.ShouldBeNull();
    }

    [Fact]
    public async Task A_timeout_and_an_out_of_memory_kill_are_results()
    {
        await using var executor = await Answering(
            "data: {\"$type\":\"CompletedEvent\",\"pid\":1,\"exitCode\":137,\"timedOut\":true,\"reason\":\"timed_out\"}\n\n");
        await using var other = await Answering(
            "data: {\"reason\":\"oom_killed\",\"pid\":1,\"exitCode\":137,\"timedOut\":false,\"$type\":\"CompletedEvent\",\"newer\":[1]}\n\n");

        await using var client = new ExecutorClient(executor.Address);
        await using var otherClient = new ExecutorClient(other.Address);

        var timedOut = await client.RunAsync("x").OrFail();
        var killed = await otherClient.RunAsync("x").OrFail();

        timedOut.TimedOut.ShouldBeTrue();
        timedOut.Reason.ShouldBe(CompletionReason.TimedOut);
        killed.TimedOut.ShouldBeFalse();
        killed.Reason.ShouldBe(CompletionReason.OomKilled);
    }

    [Fact]
    public async Task More_output_than_allowed_ends_the_command()
    {
        var gone = new TaskCompletionSource<Task>();
        await using var executor = await WireServer.StartAsync(async context =>
        {
            var left = Sse.GoneAsync(context);
            gone.SetResult(left);
            Sse.Begin(context);
            while (!left.IsCompleted)
                await Sse.WriteAsync(context, Sse.Output("123456789"));
        });
        await using var client = new ExecutorClient(executor.Address);

        var run = client.RunAsync("yes", new RunOptions { MaxOutputCharacters = 1000 });

        var e = await Should.ThrowAsync<OutputTooLargeException>(run.OrFail());
        e.Code.ShouldBe(ClientErrorCodes.OutputTooLarge);
        e.MaxCharacters.ShouldBe(1000);
        await (await gone.Task.OrFail()).OrFail();
    }

    [Fact]
    public async Task Output_of_exactly_the_limit_is_kept()
    {
        await using var executor = await Answering(Sse.Output("1234"), Sse.Output("5678", "Stderr"), Sse.Completed());
        await using var client = new ExecutorClient(executor.Address);

        var result = await client.RunAsync("x", new RunOptions { MaxOutputCharacters = 10 }).OrFail();

        result.StandardOutput.Length.ShouldBe(5);
        await Should.ThrowAsync<OutputTooLargeException>(client.RunAsync("x", new RunOptions { MaxOutputCharacters = 9 }).OrFail());
    }

    [Fact]
    public async Task The_request_says_what_was_asked_for_and_nothing_else()
    {
        await using var executor = await Answering(Sse.Completed());
        await using var client = new ExecutorClient(executor.Address, new ExecutorClientOptions { Token = "s3cret" });
        const string Command = "echo \"a\\\"b \\$HOME $(printf x) 'q'\"\n\ttwo ü";

        await client.RunAsync(Command).OrFail();
        await client.RunAsync("x", new RunOptions { TimeoutSeconds = 7, WorkingDirectory = "/tmp", Environment = new Dictionary<string, string> { ["A"] = "b" } }).OrFail();

        var (plain, full) = (executor.Requests.First(), executor.Requests.Last());
        plain.Line.ShouldBe("POST /api/execute");
        plain.Protocol.ShouldBe("HTTP/1.1");
        plain.Headers["Content-Type"].ShouldBe("application/json");
        plain.Headers["Accept"].ShouldBe("text/event-stream");
        plain.Headers["X-Sandbox-Token"].ShouldBe("s3cret");
        using (var body = System.Text.Json.JsonDocument.Parse(plain.Body))
            body.RootElement.GetProperty("command").GetString().ShouldBe(Command);
        full.Body.ShouldBe("{\"command\":\"x\",\"timeoutSeconds\":7,\"workingDirectory\":\"/tmp\",\"environment\":{\"A\":\"b\"}}");
    }

    [Fact]
    public async Task Two_hundred_commands_run_at_once_and_connections_are_used_again()
    {
        const int Count = 200;
        var arrived = 0;
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var connections = new System.Collections.Concurrent.ConcurrentDictionary<string, bool>();
        await using var executor = await WireServer.StartAsync(async context =>
        {
            connections[context.Connection.Id] = true;
            if (Interlocked.Increment(ref arrived) == Count)
                all.SetResult();
            await all.Task;
            await Sse.AnswerAsync(context, Sse.Output("here"), Sse.Completed());
        });
        // With time standing still no connection is given up for being slow to end.
        await using var client = new ExecutorClient(executor.Address, new ExecutorClientOptions { TimeProvider = new ManualTime() });

        var results = await Task.WhenAll(Enumerable.Range(0, Count).Select(_ => client.RunAsync("x"))).OrFail();
        results.ShouldAllBe(r => r.StandardOutput == "here\n");
        connections.Count.ShouldBe(Count);

        for (var i = 0; i < 50; i++)
            await client.RunAsync("x").OrFail();
        connections.Count.ShouldBe(Count);
    }

    private static Task<WireServer> Answering(params string[] events) =>
        WireServer.StartAsync(context => Sse.AnswerAsync(context, events));
}
