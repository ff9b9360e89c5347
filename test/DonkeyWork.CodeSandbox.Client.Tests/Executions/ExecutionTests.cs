using System.Text;
using DonkeyWork.CodeSandbox.Client.Tests.Wire;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client.Tests.Executions;

/// <summary>What can be done with an execution while nothing breaks.</summary>
public sealed class ExecutionTests : IAsyncLifetime
{
    private FakeSandbox _fake = null!;

    private Sandbox Sandbox => _fake.Sandbox;

    public async Task InitializeAsync() => _fake = await FakeSandbox.StartAsync();

    public async Task DisposeAsync() => await _fake.DisposeAsync();

    [Fact]
    public async Task A_start_says_all_that_was_asked_for()
    {
        await using var execution = await Sandbox.StartAsync("echo \"$A\"", new StartOptions
        {
            Id = "build-1.x_y",
            WorkingDirectory = "/tmp",
            Environment = new Dictionary<string, string> { ["A"] = "ü" },
            TimeoutSeconds = 7,
            OpenStandardInput = true,
            Terminal = new TerminalSize { Cols = 120, Rows = 40 },
            KeepOutputBytes = 1_000_000,
            Overflow = OverflowPolicy.Wait,
        }).OrFail();

        (execution.Id, execution.Pid).ShouldBe(("build-1.x_y", 12));
        _fake.Executions.Starts.Single().ToString().ShouldBe(
            """{"id":"build-1.x_y","command":"echo \u0022$A\u0022","workingDirectory":"/tmp","environment":{"A":"\u00FC"},"timeoutSeconds":7,"stdin":true,"pty":{"cols":120,"rows":40},"keepOutputBytes":1000000,"overflow":"wait"}""");
    }

    [Fact]
    public async Task Arguments_go_without_a_shell_under_an_id_that_nobody_else_has()
    {
        await using var one = await Sandbox.StartAsync(["ls", "-l", "a b"]).OrFail();
        await using var other = await Sandbox.StartAsync(["ls"]).OrFail();

        _fake.Executions.Starts.First().ToString().ShouldBe($$"""{"id":"{{one.Id}}","argv":["ls","-l","a b"]}""");
        other.Id.ShouldNotBe(one.Id);
    }

    [Fact]
    public async Task Events_come_in_order_and_the_exit_is_the_last()
    {
        await using var execution = await Sandbox.StartAsync("x").OrFail();
        var fake = _fake[execution];
        fake.Log.Add(1, "out");
        fake.Log.Add(2, "err");
        fake.Exit(3);

        var events = await execution.ReadEventsAsync().ToListAsync().AsTask().OrFail();

        events.Select(e => (e.GetType().Name, e.Position)).ShouldBe(
            [("ProcessStarted", 1), ("ProcessOutput", 4), ("ProcessOutput", 7), ("ProcessExited", 8)]);
        events[1].ShouldBeOfType<ProcessOutput>().ShouldSatisfyAllConditions(
            o => o.Channel.ShouldBe(OutputChannel.Stdout), o => o.Text.ShouldBe("out"), o => o.Data.ToArray().ShouldBe("out"u8.ToArray()));
        events[3].ShouldBeOfType<ProcessExited>().State.ExitCode.ShouldBe(3);
    }

    [Fact]
    public async Task Reading_goes_on_behind_any_position()
    {
        await using var execution = await Sandbox.StartAsync("x").OrFail();
        _fake[execution].Log.Add(1, "0123456789");
        _fake[execution].Exit();

        for (var after = 1; after <= 12; after++)
        {
            var events = await execution.ReadEventsAsync(after).ToListAsync().AsTask().OrFail();

            string.Concat(events.OfType<ProcessOutput>().Select(o => o.Text)).ShouldBe("0123456789"[Math.Min(after - 1, 10)..]);
            events[^1].ShouldBeOfType<ProcessExited>();
            events.OfType<ProcessStarted>().ShouldBeEmpty();
        }
    }

    [Fact]
    public async Task The_texts_together_are_the_text_wherever_chunks_end()
    {
        const string text = "aü\u4f60\U0001F40E\r\n\0z";
        var bytes = Encoding.UTF8.GetBytes(text);
        await using var execution = await Sandbox.StartAsync("x").OrFail();
        var fake = _fake[execution];
        foreach (var value in bytes)
        {
            fake.Log.Add(1, [value]);
            fake.Log.Add(2, [value]);
        }

        fake.Exit();

        var outputs = await execution.ReadEventsAsync().OfType<ProcessOutput>().ToListAsync().AsTask().OrFail();

        foreach (var channel in new[] { OutputChannel.Stdout, OutputChannel.Stderr })
        {
            string.Concat(outputs.Where(o => o.Channel == channel).Select(o => o.Text)).ShouldBe(text);
            outputs.Where(o => o.Channel == channel).SelectMany(o => o.Data.ToArray()).ShouldBe(bytes);
        }
    }

    [Fact]
    public async Task Each_stream_has_its_own_bytes_and_waits_for_nobody()
    {
        await using var execution = await Sandbox.StartAsync("x").OrFail();
        var fake = _fake[execution];
        fake.Log.Add(1, "one ");
        fake.Log.Add(2, "oops");
        fake.Log.Add(1, "two");
        fake.Exit();

        (await new StreamReader(execution.StandardOutput).ReadToEndAsync().OrFail()).ShouldBe("one two");
        (await new StreamReader(execution.StandardError).ReadToEndAsync().OrFail()).ShouldBe("oops");
        (await execution.StandardOutput.ReadAsync(new byte[1]).AsTask().OrFail()).ShouldBe(0);
    }

    [Fact]
    public async Task What_a_terminal_shows_is_standard_output()
    {
        await using var execution = await Sandbox.StartAsync("x").OrFail();
        _fake[execution].Log.Add(3, "$ ");
        _fake[execution].Exit();

        (await new StreamReader(execution.StandardOutput).ReadToEndAsync().OrFail()).ShouldBe("$ ");
    }

    [Fact]
    public async Task Lost_bytes_throw_their_count_once_and_reading_goes_on_behind_them()
    {
        await using var execution = await Sandbox.StartAsync("x").OrFail();
        var fake = _fake[execution];
        fake.Log.Add(1, new byte[1000]);
        fake.Log.Add(2, new byte[500]);
        fake.Log.Add(1, "rest");
        fake.Exit();
        fake.Log.Forget(1501);

        var lost = await Should.ThrowAsync<OutputTruncatedException>(execution.StandardOutput.ReadAsync(new byte[10]).AsTask().OrFail());

        (lost.Bytes, lost.Channel, lost.Code).ShouldBe((1000, OutputChannel.Stdout, ClientErrorCodes.OutputTruncated));
        (await new StreamReader(execution.StandardOutput).ReadToEndAsync().OrFail()).ShouldBe("rest");
        (await Should.ThrowAsync<OutputTruncatedException>(execution.StandardError.ReadAsync(new byte[10]).AsTask().OrFail())).Bytes.ShouldBe(500);
        (await execution.StandardError.ReadAsync(new byte[10]).AsTask().OrFail()).ShouldBe(0);
    }

    [Fact]
    public async Task A_read_that_is_cancelled_loses_nothing()
    {
        await using var execution = await Sandbox.StartAsync("x").OrFail();
        var fake = _fake[execution];
        var buffer = new byte[100];
        for (var i = 0; i < 3; i++)
        {
            using var cancel = new CancellationTokenSource();
            var read = execution.StandardOutput.ReadAsync(buffer, cancel.Token).AsTask();
            await cancel.CancelAsync();
            (await Should.ThrowAsync<OperationCanceledException>(read.OrFail())).CancellationToken.ShouldBe(cancel.Token);
            fake.Log.Add(1, $"{i}");
            var count = await execution.StandardOutput.ReadAsync(buffer).AsTask().OrFail();
            Encoding.UTF8.GetString(buffer, 0, count).ShouldBe($"{i}");
        }
    }

    [Fact]
    public async Task Waiting_ends_with_how_it_ended_and_cancelling_the_wait_ends_only_that()
    {
        await using var execution = await Sandbox.StartAsync("x").OrFail();
        using var cancel = new CancellationTokenSource();

        var cancelled = execution.WaitAsync(cancel.Token);
        await cancel.CancelAsync();
        (await Should.ThrowAsync<OperationCanceledException>(cancelled.OrFail())).CancellationToken.ShouldBe(cancel.Token);
        var wait = execution.WaitAsync();
        _fake[execution].Exit(9);

        (await wait.OrFail()).ExitCode.ShouldBe(9);
        (await execution.WaitAsync().OrFail()).ExitCode.ShouldBe(9);
    }

    [Theory]
    [InlineData(OverflowPolicy.Wait, 1)]
    [InlineData(OverflowPolicy.Drop, 0)]
    public async Task Waiting_lets_go_of_output_only_where_it_could_hold_the_process_and_nobody_reads_it(OverflowPolicy overflow, int drains)
    {
        await using var execution = await Sandbox.StartAsync("x", new StartOptions { Overflow = overflow }).OrFail();
        var log = _fake[execution].Log;

        var wait = execution.WaitAsync();
        await EventuallyAsync(() => Reads("") == 1);
        Reads("&output=false").ShouldBe(1 - drains);
        log.Add(1, "x");
        await execution.StandardOutput.ReadExactlyAsync(new byte[1]).AsTask().OrFail();
        await EventuallyAsync(() => Reads("&output=false") == 1);
        await execution.StandardOutput.DisposeAsync();
        await EventuallyAsync(() => Reads("") - Reads("&output=false") == 1 + (2 * drains));
        _fake[execution].Exit(1);

        (await wait.OrFail()).ExitCode.ShouldBe(1);
    }

    [Fact]
    public async Task Signals_sizes_and_deletion_arrive()
    {
        await using var execution = await Sandbox.StartAsync("x").OrFail();
        var fake = _fake[execution];

        await execution.SignalAsync("SIGINT").OrFail();
        await execution.ResizeAsync(100, 30).OrFail();
        await execution.KillAsync().OrFail();
        fake.Signals.ShouldBe(["SIGINT", "100x30", "SIGKILL"]);

        fake.Exit(137);
        await execution.KillAsync().OrFail();
        await Should.ThrowAsync<ExecutionExitedException>(execution.SignalAsync("SIGINT").OrFail());
        (await execution.GetStateAsync().OrFail()).Status.ShouldBe(ExecutionStatus.Exited);
        await execution.DeleteAsync().OrFail();
        await Should.ThrowAsync<ExecutionDeletedException>(execution.DeleteAsync().OrFail());
        await Should.ThrowAsync<ExecutionDeletedException>(execution.GetStateAsync().OrFail());
        await Should.ThrowAsync<ExecutionDeletedException>(Sandbox.StartAsync("x", new StartOptions { Id = execution.Id }).OrFail());
    }

    [Fact]
    public async Task A_deletion_whose_answer_is_lost_is_done_and_no_error()
    {
        await using var execution = await Sandbox.StartAsync("x").OrFail();
        var asked = 0;
        _fake.Executions.LosesAnswer = context => context.Request.Method == "DELETE" && ++asked == 1;

        await execution.DeleteAsync().OrFail();

        asked.ShouldBe(2);
        await Should.ThrowAsync<ExecutionDeletedException>(execution.DeleteAsync().OrFail());
    }

    [Fact]
    public async Task An_execution_is_found_by_its_id_and_in_the_list()
    {
        await using var started = await Sandbox.StartAsync("x", new StartOptions { Id = "one" }).OrFail();
        await using var found = Sandbox.GetExecution("one");

        found.Pid.ShouldBeNull();
        (await found.GetStateAsync().OrFail()).Status.ShouldBe(ExecutionStatus.Running);
        found.Pid.ShouldBe(12);
        (await Sandbox.ListExecutionsAsync().OrFail()).Single().Id.ShouldBe("one");
        await Should.ThrowAsync<ExecutionNotFoundException>(Sandbox.GetExecution("two").WaitAsync().OrFail());
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("-a")]
    [InlineData("a/b")]
    [InlineData("a?b")]
    [InlineData("a\n")]
    [InlineData("ä")]
    public async Task An_id_that_is_none_never_becomes_a_request(string id)
    {
        Should.Throw<ArgumentException>(() => Sandbox.GetExecution(id));
        await Should.ThrowAsync<ArgumentException>(async () => await Sandbox.StartAsync("x", new StartOptions { Id = id }));
        _fake.Manager.Server.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Disposing_closes_the_streams_and_leaves_the_process_alone()
    {
        var execution = await Sandbox.StartAsync("x", new StartOptions { OpenStandardInput = true }).OrFail();
        var fake = _fake[execution];
        await execution.StandardInput.WriteAsync("x"u8.ToArray()).AsTask().OrFail();
        var read = execution.StandardOutput.ReadAsync(new byte[1]).AsTask();
        await EventuallyAsync(() => Reads("") == 1);

        await execution.DisposeAsync().AsTask().OrFail();

        await Should.ThrowAsync<ObjectDisposedException>(read.OrFail());
        fake.Signals.ShouldBeEmpty();
        fake.InputEnded.ShouldBeFalse();
        _fake.Executions.All.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task A_bare_executor_serves_the_same()
    {
        var executions = new FakeExecutions();
        await using var server = await WireServer.StartAsync(context =>
            executions.AnswerAsync(context, context.Request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries)[2..]));
        await using var executor = new ExecutorClient(server.Address);

        await using var execution = await executor.StartAsync("x").OrFail();
        executions.All[execution.Id].Log.Add(1, "hello");
        executions.All[execution.Id].Exit();

        (await new StreamReader(execution.StandardOutput).ReadToEndAsync().OrFail()).ShouldBe("hello");
        (await executor.GetExecution(execution.Id).WaitAsync().OrFail()).ExitCode.ShouldBe(0);
        (await executor.ListExecutionsAsync().OrFail()).Count.ShouldBe(1);
        (await executor.StartAsync(["ls"]).OrFail()).Id.ShouldNotBe(execution.Id);
    }

    private int Reads(string query) =>
        _fake.Manager.Server.Requests.Count(r => r.Line.EndsWith("/events") && r.Query.EndsWith(query));

    private Task EventuallyAsync(Func<bool> holds) => _fake.Manager.Server.HasAsync(holds);
}
