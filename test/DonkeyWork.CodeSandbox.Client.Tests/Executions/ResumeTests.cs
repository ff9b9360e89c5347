using System.Globalization;
using System.Text;
using DonkeyWork.CodeSandbox.Client.Tests.Wire;
using DonkeyWork.CodeSandbox.Contracts;
using Microsoft.AspNetCore.Http;
using Xunit.Abstractions;

namespace DonkeyWork.CodeSandbox.Client.Tests.Executions;

/// <summary>Connections break, Managers die, answers are lost: what an execution prints and takes arrives exactly once.</summary>
public sealed class ResumeTests(ITestOutputHelper output)
{
    private static readonly CodeSandboxClientOptions Impatient = new() { ReconnectTimeout = TimeSpan.FromMilliseconds(200) };

    [Fact]
    public async Task Cut_anywhere_any_number_of_times_every_byte_comes_once_and_in_order()
    {
        var random = Seeded.Random(output);
        await using var fake = await FakeSandbox.StartAsync(managers: 2);
        await using var execution = await fake.Sandbox.StartAsync("x").OrFail();
        var log = fake[execution].Log;
        var expected = new byte[40_000];
        random.NextBytes(expected);
        var errors = 0;
        for (var i = 0; i < expected.Length;)
        {
            var length = Math.Min(random.Next(1, 3000), expected.Length - i);
            log.Add(1, expected.AsSpan(i, length));
            log.Add(2, "e");
            errors++;
            i += length;
        }

        fake[execution].Exit(5);
        // What is cut off may be less than a header, again and again; but not for ever.
        var cuts = 40;
        log.Cut = () => Interlocked.Decrement(ref cuts) >= 0 ? random.Next(1, 3000) : null;
        log.Chunk = () => random.Next(1, 5000);

        var events = await execution.ReadEventsAsync().ToListAsync().AsTask().OrFail();

        events.OfType<ProcessOutput>().Where(o => o.Channel == OutputChannel.Stdout).SelectMany(o => o.Data.ToArray()).ShouldBe(expected);
        events.OfType<ProcessOutput>().Where(o => o.Channel == OutputChannel.Stderr).Sum(o => o.Data.Length).ShouldBe(errors);
        events.OfType<ProcessStarted>().Count().ShouldBe(1);
        events[^1].ShouldBeOfType<ProcessExited>().State.ExitCode.ShouldBe(5);
        events.Count(e => e is ProcessExited).ShouldBe(1);
        events.Select(e => e.Position).ShouldBe(events.Select(e => e.Position).Order());
        fake.Managers.ShouldAllBe(m => m.Server.Requests.Count(r => r.Line.EndsWith("/events")) > 5);
    }

    [Fact]
    public async Task Cut_at_every_byte_of_a_short_stream_nothing_is_lost_or_doubled()
    {
        await using var fake = await FakeSandbox.StartAsync();
        await using var execution = await fake.Sandbox.StartAsync("x").OrFail();
        var log = fake[execution].Log;
        log.Add(1, "0123456789");
        fake[execution].Exit();
        long? cut = null;
        log.Cut = () =>
        {
            var now = cut;
            cut = null;
            return now;
        };

        // The start and the output are in the first 150 bytes; the rest is the exit.
        for (var at = 1; at < 350; at += at < 150 ? 1 : 20)
        {
            cut = at;
            var events = await execution.ReadEventsAsync().ToListAsync().AsTask().OrFail();

            string.Concat(events.OfType<ProcessOutput>().Select(o => o.Text)).ShouldBe("0123456789", $"cut at {at}");
            (events.Count(e => e is ProcessStarted), events.Count(e => e is ProcessExited)).ShouldBe((1, 1), $"cut at {at}");
            cut.ShouldBeNull();
        }
    }

    [Fact]
    public async Task A_Manager_that_dies_is_left_for_another_in_the_middle_of_a_line()
    {
        await using var fake = await FakeSandbox.StartAsync(managers: 2);
        await using var execution = await fake.Sandbox.StartAsync("x").OrFail();
        var log = fake[execution].Log;
        using var lines = new StreamReader(execution.StandardOutput);
        log.Add(1, "one\ntw");
        (await lines.ReadLineAsync().OrFail()).ShouldBe("one");

        var second = lines.ReadLineAsync();
        await fake.Manager.Server.DieAsync();
        log.Add(1, "o\nthree\n");
        fake[execution].Exit(7);

        (await second.OrFail()).ShouldBe("two");
        (await lines.ReadToEndAsync().OrFail()).ShouldBe("three\n");
        (await execution.WaitAsync().OrFail()).ExitCode.ShouldBe(7);
        (await fake.Sandbox.ListExecutionsAsync().OrFail()).Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(503, "stopping")]
    [InlineData(503, "interrupted")]
    [InlineData(503, "backend_unavailable")]
    [InlineData(502, "executor_unreachable")]
    [InlineData(502, null)]
    public async Task A_server_that_cannot_serve_is_asked_again(int status, string? code)
    {
        await using var fake = await FakeSandbox.StartAsync();
        var refusals = 0;
        fake.Executions.Before = async context =>
        {
            if (refusals++ % 3 == 2)
                return false;
            if (code is not null)
                await Sse.ProblemAsync(context, status, code);
            else
                context.Response.StatusCode = status;
            return true;
        };

        await using var execution = await fake.Sandbox.StartAsync("x").OrFail();
        fake[execution].Exit();
        (await execution.WaitAsync().OrFail()).ExitCode.ShouldBe(0);
        await execution.DeleteAsync().OrFail();

        fake.Executions.Starts.Count.ShouldBe(1);
        refusals.ShouldBe(9);
    }

    [Fact]
    public async Task A_read_that_is_cancelled_in_the_middle_of_a_chunk_leaves_no_Manager()
    {
        await using var fake = await FakeSandbox.StartAsync(managers: 2);
        using var stop = new CancellationTokenSource();
        var isFirst = true;
        byte[] half = [.. FakeLog.Frame(1, """{"event":"started","executionId":"x","pid":12}"""), .. FakeLog.Frame(1, 11, "0123456789"u8)[..^5]];
        using var handler = new FirstBody(
            message => message.RequestUri!.AbsolutePath.EndsWith("/events") && Interlocked.Exchange(ref isFirst, false), new CancellingStream(half, stop));
        using var client = new CodeSandboxClient([.. fake.Managers.Select(m => m.Address)], handler);
        await using var execution = await client.Attach(FakeManager.Name).StartAsync("x").OrFail();
        fake[execution].Log.Add(1, "0123456789");

        var bytes = new byte[10];
        var count = await execution.StandardOutput.ReadAsync(bytes, stop.Token).AsTask().OrFail();
        await execution.StandardOutput.ReadExactlyAsync(bytes.AsMemory(count)).AsTask().OrFail();

        (count, Encoding.UTF8.GetString(bytes)).ShouldBe((5, "0123456789"));
        fake.Managers[1].Server.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_start_whose_answer_is_lost_is_one_process()
    {
        await using var fake = await FakeSandbox.StartAsync(managers: 2);
        var losses = 3;
        fake.Executions.LosesAnswer = context => context.Request.Method == "POST" && losses-- > 0;

        await using var execution = await fake.Sandbox.StartAsync("x").OrFail();

        losses.ShouldBe(-1);
        fake.Executions.Starts.Count.ShouldBe(1);
        fake.Executions.All.Keys.ShouldBe([execution.Id]);
    }

    [Fact]
    public async Task A_deletion_whose_answer_is_lost_has_succeeded()
    {
        await using var fake = await FakeSandbox.StartAsync();
        await using var execution = await fake.Sandbox.StartAsync("x").OrFail();
        var losses = 1;
        fake.Executions.LosesAnswer = _ => losses-- > 0;

        await execution.DeleteAsync().OrFail();

        fake.Executions.All.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_signal_whose_answer_is_lost_is_not_sent_again()
    {
        await using var fake = await FakeSandbox.StartAsync();
        await using var execution = await fake.Sandbox.StartAsync("x").OrFail();
        fake.Executions.LosesAnswer = _ => true;

        await Should.ThrowAsync<InterruptedException>(execution.SignalAsync("SIGINT").OrFail());

        fake[execution].Signals.ShouldBe(["SIGINT"]);
    }

    [Fact]
    public async Task A_signal_that_a_stopping_Manager_had_begun_is_not_sent_to_another()
    {
        await using var fake = await FakeSandbox.StartAsync(managers: 2);
        await using var execution = await fake.Sandbox.StartAsync("x").OrFail();
        var asked = 0;
        fake.Executions.Before = async context =>
        {
            asked++;
            await Sse.ProblemAsync(context, 503, "interrupted");
            return true;
        };

        (await Should.ThrowAsync<InterruptedException>(execution.SignalAsync("SIGINT").OrFail())).Code.ShouldBe(ErrorCodes.Interrupted);

        asked.ShouldBe(1);
    }

    [Theory]
    [InlineData(false, 2)]
    [InlineData(true, 1)]
    public async Task The_end_of_input_is_said_again_unless_a_terminal_may_have_got_it(bool mayBeTerminal, int times)
    {
        await using var fake = await FakeSandbox.StartAsync();
        await using var started = await fake.Sandbox.StartAsync("x", new StartOptions { OpenStandardInput = true }).OrFail();
        var execution = mayBeTerminal ? fake.Sandbox.GetExecution(started.Id) : started;
        var asked = 0;
        fake.Executions.LosesAnswer = _ => ++asked == 1;

        var completing = execution.StandardInput.CompleteAsync().OrFail();

        if (mayBeTerminal)
            await Should.ThrowAsync<InterruptedException>(completing);
        else
            await completing;
        asked.ShouldBe(times);
    }

    [Fact]
    public async Task A_start_that_is_cancelled_leaves_no_process_behind()
    {
        await using var fake = await FakeSandbox.StartAsync();
        using var cancel = new CancellationTokenSource();
        fake.Executions.OnStart = (_, _) => cancel.Cancel();
        fake.Executions.LosesAnswer = context => context.Request.Method == "POST";

        var e = await Should.ThrowAsync<OperationCanceledException>(fake.Sandbox.StartAsync("x", cancellationToken: cancel.Token).OrFail());

        e.CancellationToken.ShouldBe(cancel.Token);
        fake.Executions.Starts.Count.ShouldBe(1);
        fake.Executions.All.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_start_of_an_id_of_the_callers_is_left_alone_when_it_is_cancelled()
    {
        await using var fake = await FakeSandbox.StartAsync();
        using var cancel = new CancellationTokenSource();
        fake.Executions.OnStart = (_, _) => cancel.Cancel();
        fake.Executions.LosesAnswer = context => context.Request.Method == "POST";

        await Should.ThrowAsync<OperationCanceledException>(fake.Sandbox.StartAsync("x", new StartOptions { Id = "mine" }, cancel.Token).OrFail());

        fake.Executions.All.Keys.ShouldBe(["mine"]);
    }

    [Fact]
    public async Task A_sandbox_that_goes_in_the_middle_is_told_as_lost()
    {
        await using var fake = await FakeSandbox.StartAsync(managers: 2);
        await using var execution = await fake.Sandbox.StartAsync("x").OrFail();
        fake[execution].Log.Add(1, "x");
        await execution.StandardOutput.ReadExactlyAsync(new byte[1]).AsTask().OrFail();
        fake.Manager.Sandboxes.Clear();
        await fake.Manager.Server.DieAsync();

        var e = await Should.ThrowAsync<SandboxLostException>(execution.StandardOutput.ReadAsync(new byte[1]).AsTask().OrFail());

        e.SandboxName.ShouldBe(FakeManager.Name);
        await Should.ThrowAsync<SandboxLostException>(execution.WaitAsync().OrFail());
        await Should.ThrowAsync<SandboxNotFoundException>(fake.Sandbox.StartAsync("x").OrFail());
    }

    [Fact]
    public async Task Without_any_progress_it_ends_with_what_went_wrong()
    {
        await using var fake = await FakeSandbox.StartAsync(managers: 2, Impatient);
        await using var execution = await fake.Sandbox.StartAsync("x").OrFail();
        foreach (var manager in fake.Managers)
            await manager.Server.DieAsync();

        var unreachable = await Should.ThrowAsync<CodeSandboxException>(execution.WaitAsync().OrFail());

        unreachable.Code.ShouldBe(ClientErrorCodes.Unreachable);
    }

    [Fact]
    public async Task Every_byte_that_comes_gives_the_next_failure_its_whole_time_again()
    {
        await using var fake = await FakeSandbox.StartAsync(options: Impatient);
        await using var execution = await fake.Sandbox.StartAsync("x").OrFail();
        var log = fake[execution].Log;
        var text = string.Concat(Enumerable.Range(0, 20).Select(i => i.ToString("D2", CultureInfo.InvariantCulture)));
        log.Add(1, text);
        fake[execution].Exit();
        // Each response comes one byte further, and forty of the shortest pauses are more than the time that is given.
        var started = FakeLog.Frame(1, $$"""{"event":"started",{{log.Started}}}""").Length;
        var cuts = 0;
        log.Cut = () => ++cuts == 1 ? started + 14 : cuts <= text.Length ? 14 : null;

        (await new StreamReader(execution.StandardOutput).ReadToEndAsync().OrFail()).ShouldBe(text);
        cuts.ShouldBe(text.Length + 1);
    }

    [Fact]
    public async Task Silence_is_left_for_another_connection()
    {
        var time = new ManualTime();
        await using var fake = await FakeSandbox.StartAsync(options: new CodeSandboxClientOptions { TimeProvider = time });
        await using var execution = await fake.Sandbox.StartAsync("x").OrFail();
        fake[execution].Log.Add(1, "x");
        await execution.StandardOutput.ReadExactlyAsync(new byte[1]).AsTask().OrFail();
        var idle = new CodeSandboxClientOptions().StreamIdleTimeout;

        var read = execution.StandardOutput.ReadAsync(new byte[1]).AsTask();
        await time.HasSetAsync(idle, 1);
        fake.Executions.Before = _ =>
        {
            // The one that is asked next has it.
            fake[execution].Log.Add(1, "y");
            fake.Executions.Before = _ => Task.FromResult(false);
            return Task.FromResult(false);
        };
        time.Advance(idle);
        await time.HasSetAnyAsync(t => t < TimeSpan.FromSeconds(1));
        time.Advance(TimeSpan.FromSeconds(1));

        (await read.OrFail()).ShouldBe(1);
    }

    [Fact]
    public async Task Input_cut_anywhere_arrives_once_and_in_order()
    {
        var random = Seeded.Random(output);
        await using var fake = await FakeSandbox.StartAsync(managers: 2);
        await using var execution = await fake.Sandbox.StartAsync("cat", new StartOptions { OpenStandardInput = true }).OrFail();
        var expected = new byte[30_000];
        random.NextBytes(expected);
        var cuts = 30;
        fake[execution].InputCut = () => random.Next(2) == 0 && Interlocked.Decrement(ref cuts) >= 0 ? random.Next(0, 2000) : null;
        var losses = 0;
        fake.Executions.LosesAnswer = context => context.Request.Path.Value!.EndsWith("/stdin") && ++losses % 7 == 0;

        await using (var input = execution.StandardInput)
        {
            for (var i = 0; i < expected.Length;)
            {
                var length = Math.Min(random.Next(1, 9000), expected.Length - i);
                await input.WriteAsync(expected.AsMemory(i, length)).AsTask().OrFail();
                i += length;
            }
        }

        fake[execution].Input.ToArray().ShouldBe(expected);
        fake[execution].InputEnded.ShouldBeTrue();
    }

    [Fact]
    public async Task A_write_that_is_cancelled_half_way_is_gone_on_from_there()
    {
        await using var fake = await FakeSandbox.StartAsync();
        await using var execution = await fake.Sandbox.StartAsync("cat", new StartOptions { OpenStandardInput = true }).OrFail();
        using var cancel = new CancellationTokenSource();
        await execution.StandardInput.WriteAsync("_"u8.ToArray()).AsTask().OrFail();
        fake[execution].InputCut = () => 3;
        fake[execution].OnInput = _ => cancel.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(execution.StandardInput.WriteAsync("abcdef"u8.ToArray(), cancel.Token).AsTask().OrFail());
        fake[execution].InputCut = () => null;
        fake[execution].OnInput = _ => Task.CompletedTask;
        await execution.StandardInput.WriteAsync("xyz"u8.ToArray()).AsTask().OrFail();

        Encoding.UTF8.GetString(fake[execution].Input.ToArray()).ShouldBe("_abcxyz");
    }

    [Fact]
    public async Task Input_can_be_gone_on_with_by_somebody_else()
    {
        await using var fake = await FakeSandbox.StartAsync();
        await using var execution = await fake.Sandbox.StartAsync("cat", new StartOptions { Id = "cat", OpenStandardInput = true }).OrFail();
        await execution.StandardInput.WriteAsync("one "u8.ToArray()).AsTask().OrFail();
        await using var found = fake.Sandbox.GetExecution("cat");

        await found.StandardInput.WriteAsync("two"u8.ToArray()).AsTask().OrFail();
        await found.StandardInput.CompleteAsync().OrFail();

        Encoding.UTF8.GetString(fake[execution].Input.ToArray()).ShouldBe("one two");
        await Should.ThrowAsync<StandardInputClosedException>(execution.StandardInput.WriteAsync(new byte[1]).AsTask().OrFail());
        await Should.ThrowAsync<ObjectDisposedException>(found.StandardInput.WriteAsync(new byte[1]).AsTask().OrFail());
        await execution.StandardInput.DisposeAsync().AsTask().OrFail();
    }

    [Fact]
    public async Task Every_call_goes_to_a_Manager_that_can_be_reached()
    {
        await using var fake = await FakeSandbox.StartAsync(managers: 3);
        await fake.Managers[0].Server.DieAsync();
        await fake.Managers[1].Server.DieAsync();

        (await fake.Client.ListAsync().OrFail()).Count.ShouldBe(1);
        await using (var sandbox = await fake.Client.CreateAsync().OrFail())
            (await sandbox.RunAsync("x").OrFail()).ExitCode.ShouldBe(0);

        fake.Managers[2].Server.Requests.Count.ShouldBe(4);
    }

    /// <summary>Puts another body in the place of one answer's.</summary>
    private sealed class FirstBody(Predicate<HttpRequestMessage> isIt, Stream body) : DelegatingHandler(new SocketsHttpHandler())
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (!isIt(request))
                return await base.SendAsync(request, cancellationToken);
            return new HttpResponseMessage { Content = new StreamContent(body) { Headers = { ContentType = new(FakeLog.MediaType) } } };
        }
    }

    /// <summary>Cancels its reader when all that there is has been read.</summary>
    private sealed class CancellingStream(byte[] bytes, CancellationTokenSource reader) : MemoryStream(bytes)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (await base.ReadAsync(buffer, cancellationToken) is var count and > 0)
                return count;
            await reader.CancelAsync();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            return 0;
        }
    }
}
