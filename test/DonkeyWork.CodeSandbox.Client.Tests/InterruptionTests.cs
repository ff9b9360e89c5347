using DonkeyWork.CodeSandbox.Client.Tests.Wire;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client.Tests;

/// <summary>What happens when the server, the sandbox or the caller goes away in the middle.</summary>
public sealed class InterruptionTests
{
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_command_whose_sandbox_is_gone_says_so_after_asking_once(bool abruptly)
    {
        await using var manager = await FakeManager.StartAsync();
        await using var client = new CodeSandboxClient(manager.Address);
        await using var sandbox = await client.CreateAsync().OrFail();
        manager.OnExecute = async context =>
        {
            await Sse.AnswerAsync(context, Sse.Output("x"));
            manager.Sandboxes.Clear();
            if (abruptly)
                context.Abort();
        };

        var e = await Should.ThrowAsync<SandboxLostException>(sandbox.RunAsync("x").OrFail());

        e.Code.ShouldBe(ClientErrorCodes.SandboxLost);
        e.SandboxName.ShouldBe(sandbox.Name);
        manager.Asked($"GET /api/kata/{sandbox.Name}").ShouldBe(1);
    }

    [Fact]
    public async Task A_command_whose_sandbox_lives_on_was_interrupted()
    {
        await using var manager = await FakeManager.StartAsync();
        await using var client = new CodeSandboxClient(manager.Address);
        await using var sandbox = await client.CreateAsync().OrFail();
        manager.OnExecute = async context =>
        {
            await Sse.AnswerAsync(context, Sse.Output("x"));
            context.Abort();
        };

        var e = await Should.ThrowAsync<InterruptedException>(sandbox.RunAsync("x").OrFail());

        e.ShouldNotBeOfType<SandboxLostException>();
        e.Code.ShouldBe(ClientErrorCodes.ResponseCut);
        manager.Asked($"GET /api/kata/{sandbox.Name}").ShouldBe(1);
    }

    [Fact]
    public async Task A_command_whose_Manager_dies_was_interrupted_and_disposing_ends_quietly()
    {
        await using var manager = await FakeManager.StartAsync();
        await using var client = new CodeSandboxClient(manager.Address, new CodeSandboxClientOptions { ApiKey = "s3cret-key" });
        await using var sandbox = await client.CreateAsync().OrFail();
        manager.OnExecute = async context =>
        {
            await Sse.AnswerAsync(context, Sse.Output("x"));
            await Sse.GoneAsync(context);
        };
        await using var events = sandbox.ExecuteAsync("x").GetAsyncEnumerator();
        (await events.MoveNextAsync().AsTask().OrFail()).ShouldBeTrue();

        await manager.Server.DieAsync();

        var interrupted = await Should.ThrowAsync<InterruptedException>(events.MoveNextAsync().AsTask().OrFail());
        interrupted.ToString().ShouldNotContain("s3cret-key");
        await sandbox.DisposeAsync().AsTask().OrFail();
        var unreachable = await Should.ThrowAsync<CodeSandboxException>(client.ListAsync().OrFail());
        unreachable.Code.ShouldBe(ClientErrorCodes.Unreachable);
        unreachable.ToString().ShouldNotContain("s3cret-key");
    }

    [Fact]
    public async Task Keep_alives_hold_a_stream_open_and_silence_ends_it()
    {
        var time = new ManualTime();
        var keepAlive = new SemaphoreSlim(0);
        var gone = new TaskCompletionSource<Task>();
        await using var executor = await WireServer.StartAsync(async context =>
        {
            gone.SetResult(Sse.GoneAsync(context));
            Sse.Begin(context);
            await context.Response.Body.FlushAsync();
            while (true)
            {
                await keepAlive.WaitAsync(context.RequestAborted);
                await Sse.WriteAsync(context, ": keepalive\n\n");
            }
        });
        await using var client = new ExecutorClient(executor.Address, new ExecutorClientOptions { TimeProvider = time });

        var run = client.RunAsync("sleep 1000");
        for (var i = 1; i <= 5; i++)
        {
            await time.HasSetAsync(Idle, i);
            time.Advance(Idle - TimeSpan.FromTicks(1));
            keepAlive.Release();
        }

        await time.HasSetAsync(Idle, 6);
        run.IsCompleted.ShouldBeFalse();
        time.Advance(Idle);

        (await Should.ThrowAsync<InterruptedException>(run.OrFail())).Code.ShouldBe(ClientErrorCodes.StreamIdle);
        await (await gone.Task.OrFail()).OrFail();
    }

    [Fact]
    public async Task A_loop_that_is_slow_is_not_silence()
    {
        var time = new ManualTime();
        await using var executor = await WireServer.StartAsync(context => Sse.AnswerAsync(context, Sse.Output("x"), Sse.Completed()));
        await using var client = new ExecutorClient(executor.Address, new ExecutorClientOptions { TimeProvider = time });
        var count = 0;

        await foreach (var _ in client.ExecuteAsync("x"))
        {
            count++;
            time.Advance(TimeSpan.FromDays(1));
        }

        count.ShouldBe(2);
    }

    [Fact]
    public async Task A_server_that_does_not_answer_is_given_up()
    {
        var time = new ManualTime();
        await using var server = await WireServer.StartAsync(Sse.GoneAsync);
        await using var client = new CodeSandboxClient(server.Address, new CodeSandboxClientOptions { TimeProvider = time });
        var limit = new CodeSandboxClientOptions().RequestTimeout;

        var list = client.ListAsync();
        await time.HasSetAsync(limit, 1);
        time.Advance(limit);

        (await Should.ThrowAsync<CodeSandboxException>(list.OrFail())).Code.ShouldBe(ClientErrorCodes.RequestTimeout);
    }

    [Fact]
    public async Task Cancelling_ends_the_command_at_the_server()
    {
        var gone = new TaskCompletionSource<Task>();
        await using var executor = await HoldingServer(gone);
        await using var client = new ExecutorClient(executor.Address);
        using var cancel = new CancellationTokenSource();

        var run = client.RunAsync("sleep 1000", cancellationToken: cancel.Token);
        var left = await gone.Task.OrFail();
        await cancel.CancelAsync();

        var e = await Should.ThrowAsync<OperationCanceledException>(run.OrFail());
        e.CancellationToken.ShouldBe(cancel.Token);
        await left.OrFail();
    }

    [Fact]
    public async Task Cancelling_through_the_enumeration_ends_the_command_too()
    {
        var gone = new TaskCompletionSource<Task>();
        await using var executor = await HoldingServer(gone);
        await using var client = new ExecutorClient(executor.Address);
        using var cancel = new CancellationTokenSource();

        await Should.ThrowAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in client.ExecuteAsync("sleep 1000").WithCancellation(cancel.Token))
                await cancel.CancelAsync();
        });

        await (await gone.Task.OrFail()).OrFail();
    }

    [Fact]
    public async Task Leaving_the_loop_ends_the_command_at_the_server()
    {
        var gone = new TaskCompletionSource<Task>();
        await using var executor = await HoldingServer(gone);
        await using var client = new ExecutorClient(executor.Address);

        await foreach (var next in client.ExecuteAsync("sleep 1000"))
        {
            next.ShouldBeOfType<OutputEvent>().Data.ShouldBe("running");
            break;
        }

        await (await gone.Task.OrFail()).OrFail();
    }

    [Fact]
    public async Task Leaving_the_loop_ends_the_command_through_a_handler_of_the_callers_too()
    {
        var gone = new TaskCompletionSource<Task>();
        await using var executor = await HoldingServer(gone);
        using var http = new HttpClient();
        await using var client = new ExecutorClient(executor.Address, http);

        await foreach (var _ in client.ExecuteAsync("sleep 1000"))
            break;

        await (await gone.Task.OrFail()).OrFail();
    }

    [Fact]
    public async Task A_token_cancelled_beforehand_sends_nothing()
    {
        await using var executor = await WireServer.StartAsync(context => Sse.AnswerAsync(context, Sse.Completed()));
        await using var client = new ExecutorClient(executor.Address);

        await Should.ThrowAsync<OperationCanceledException>(client.RunAsync("x", cancellationToken: new CancellationToken(true)).OrFail());

        executor.Requests.ShouldBeEmpty();
    }

    private static Task<WireServer> HoldingServer(TaskCompletionSource<Task> gone) =>
        WireServer.StartAsync(async context =>
        {
            var left = Sse.GoneAsync(context);
            try
            {
                await Sse.AnswerAsync(context, Sse.Output("running"));
            }
            finally
            {
                // Also where the caller has read it, and gone, before this has been told that it is sent.
                gone.SetResult(left);
            }

            await left;
        });
}
