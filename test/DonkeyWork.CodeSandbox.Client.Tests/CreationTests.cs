using DonkeyWork.CodeSandbox.Client.Tests.Wire;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client.Tests;

/// <summary>A sandbox is handed over, or it is not there any more.</summary>
public sealed class CreationTests
{
    private const string Name = FakeManager.Name;

    [Fact]
    public async Task A_created_sandbox_is_ready_and_disposing_it_deletes_it_once()
    {
        await using var manager = await FakeManager.StartAsync();
        await using var client = new CodeSandboxClient(manager.Address);

        var sandbox = await client.CreateAsync().OrFail();
        sandbox.Name.ShouldBe(Name);
        manager.Sandboxes.Keys.ShouldBe([Name]);

        await sandbox.DisposeAsync();
        await sandbox.DisposeAsync();
        manager.Sandboxes.ShouldBeEmpty();
        manager.Asked($"DELETE /api/kata/{Name}").ShouldBe(1);
    }

    [Fact]
    public async Task The_request_says_what_was_asked_for()
    {
        await using var manager = await FakeManager.StartAsync();
        await using var client = new CodeSandboxClient(manager.Address, new CodeSandboxClientOptions { ApiKey = "k" });

        await using (await client.CreateAsync(new CreateSandboxOptions
        {
            Labels = new Dictionary<string, string> { ["Team"] = "x" },
            EnvironmentVariables = new Dictionary<string, string> { ["A"] = "b" },
            Command = ["sleep"],
            Args = ["1", "2 3"],
            Resources = new ResourceRequirements { Limits = new ResourceQuantities { MemoryMi = 64 } },
        }).OrFail())
        {
            var request = manager.Server.Requests.Single();
            request.Line.ShouldBe("POST /api/kata");
            request.Headers["Authorization"].ShouldBe("Bearer k");
            request.Body.ShouldBe(
                "{\"labels\":{\"Team\":\"x\"},\"environmentVariables\":{\"A\":\"b\"},\"command\":[\"sleep\"],\"args\":[\"1\",\"2 3\"],\"resources\":{\"limits\":{\"memoryMi\":64}},\"waitForReady\":true}");
        }
    }

    [Fact]
    public async Task The_progress_is_told_and_the_sandbox_is_the_callers_afterwards()
    {
        await using var manager = await FakeManager.StartAsync();
        await using var client = new CodeSandboxClient(manager.Address);
        var creation = client.CreateWithProgressAsync();
        manager.Server.Requests.ShouldBeEmpty();

        var seen = new List<CreationEvent>();
        await foreach (var next in creation)
            seen.Add(next);
        await using var sandbox = await creation.WaitAsync().OrFail();
        await creation.DisposeAsync();

        seen.Select(e => e.GetType()).ShouldBe([typeof(SandboxCreated), typeof(SandboxWaiting), typeof(SandboxReady)]);
        ((SandboxReady)seen[2]).Timings!["create"].ShouldBe(12.5);
        manager.Sandboxes.Keys.ShouldBe([Name]);
        await Should.ThrowAsync<InvalidOperationException>(creation.WaitAsync().OrFail());
    }

    [Fact]
    public async Task A_ready_sandbox_that_nobody_takes_is_deleted()
    {
        await using var manager = await FakeManager.StartAsync();
        await using var client = new CodeSandboxClient(manager.Address);

        await using (var creation = client.CreateWithProgressAsync())
        {
            await foreach (var _ in creation)
            {
            }

            manager.Sandboxes.ShouldNotBeEmpty();
        }

        manager.Sandboxes.ShouldBeEmpty();
    }

    [Fact]
    public async Task Leaving_the_progress_at_ready_leaves_the_sandbox_to_be_taken()
    {
        await using var manager = await FakeManager.StartAsync();
        await using var client = new CodeSandboxClient(manager.Address);
        await using var creation = client.CreateWithProgressAsync();

        await foreach (var next in creation)
        {
            if (next is SandboxReady)
                break;
        }

        await using var sandbox = await creation.WaitAsync().OrFail();
        sandbox.Name.ShouldBe(Name);
        manager.Sandboxes.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Leaving_the_progress_before_ready_deletes_the_sandbox()
    {
        await using var manager = await FakeManager.StartAsync();
        await using var client = new CodeSandboxClient(manager.Address);
        var creation = client.CreateWithProgressAsync();

        await foreach (var _ in creation)
            break;

        manager.Sandboxes.ShouldBeEmpty();
        await Should.ThrowAsync<InvalidOperationException>(creation.WaitAsync().OrFail());
    }

    [Fact]
    public async Task A_creation_that_was_never_started_sends_nothing()
    {
        await using var manager = await FakeManager.StartAsync();
        await using var client = new CodeSandboxClient(manager.Address);

        await client.CreateWithProgressAsync().DisposeAsync();
        await Should.ThrowAsync<OperationCanceledException>(client.CreateAsync(cancellationToken: new CancellationToken(true)).OrFail());

        manager.Server.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Cancelling_while_it_is_not_ready_deletes_it()
    {
        await using var manager = await FakeManager.StartAsync();
        var announced = new TaskCompletionSource<Task>(TaskCreationOptions.RunContinuationsAsynchronously);
        manager.OnCreate = async context =>
        {
            var gone = Sse.GoneAsync(context);
            manager.Sandboxes[Name] = true;
            await Sse.AnswerAsync(context, Sse.Created(Name), Sse.Waiting(Name));
            announced.SetResult(gone);
            await gone;
        };
        await using var client = new CodeSandboxClient(manager.Address);
        using var cancel = new CancellationTokenSource();

        var create = client.CreateAsync(cancellationToken: cancel.Token);
        var left = await announced.Task.OrFail();
        await cancel.CancelAsync();

        (await Should.ThrowAsync<OperationCanceledException>(create.OrFail())).CancellationToken.ShouldBe(cancel.Token);
        manager.Sandboxes.ShouldBeEmpty();
        await left.OrFail();
    }

    [Fact]
    public async Task Cancelling_before_it_has_a_name_waits_for_the_name_and_deletes_it()
    {
        await using var manager = await FakeManager.StartAsync();
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        manager.OnCreate = async context =>
        {
            arrived.SetResult();
            await go.Task;
            manager.Sandboxes[Name] = true;
            await Sse.AnswerAsync(context, Sse.Created(Name));
            await Sse.GoneAsync(context);
        };
        await using var client = new CodeSandboxClient(manager.Address);
        using var cancel = new CancellationTokenSource();

        var create = client.CreateAsync(cancellationToken: cancel.Token);
        await arrived.Task.OrFail();
        await cancel.CancelAsync();
        go.SetResult();

        await Should.ThrowAsync<OperationCanceledException>(create.OrFail());
        manager.Sandboxes.ShouldBeEmpty();
        manager.Asked($"DELETE /api/kata/{Name}").ShouldBe(1);
    }

    [Fact]
    public async Task Cancelling_before_it_has_a_name_waits_no_longer_than_cleaning_up_may_take()
    {
        var time = new ManualTime();
        await using var manager = await FakeManager.StartAsync();
        var arrived = new TaskCompletionSource<Task>(TaskCreationOptions.RunContinuationsAsynchronously);
        manager.OnCreate = context =>
        {
            var gone = Sse.GoneAsync(context);
            arrived.SetResult(gone);
            return gone;
        };
        var options = new CodeSandboxClientOptions { TimeProvider = time, CleanupTimeout = TimeSpan.FromSeconds(7) };
        await using var client = new CodeSandboxClient(manager.Address, options);
        using var cancel = new CancellationTokenSource();

        var create = client.CreateAsync(cancellationToken: cancel.Token);
        var left = await arrived.Task.OrFail();
        await cancel.CancelAsync();
        await time.HasSetAsync(options.CleanupTimeout, 1);
        create.IsCompleted.ShouldBeFalse();
        time.Advance(options.CleanupTimeout);

        await Should.ThrowAsync<OperationCanceledException>(create.OrFail());
        await left.OrFail();
    }

    [Fact]
    public async Task A_failure_is_told_with_its_reason_and_leaves_nothing()
    {
        await using var manager = await FakeManager.StartAsync();
        manager.OnCreate = async context =>
        {
            manager.Sandboxes[Name] = true;
            await Sse.AnswerAsync(context, Sse.Created(Name), Sse.Failed(Name, "ImagePullBackOff"));
        };
        await using var client = new CodeSandboxClient(manager.Address);

        var e = await Should.ThrowAsync<CreationFailedException>(client.CreateAsync().OrFail());

        e.Code.ShouldBe(ClientErrorCodes.CreationFailed);
        e.Failure.Reason.ShouldBe("ImagePullBackOff");
        e.Message.ShouldContain("ImagePullBackOff");
        manager.Sandboxes.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stream_that_ends_before_ready_is_interrupted_and_leaves_nothing(bool abruptly)
    {
        await using var manager = await FakeManager.StartAsync();
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        manager.OnCreate = async context =>
        {
            manager.Sandboxes[Name] = true;
            await Sse.AnswerAsync(context, Sse.Created(Name));
            await seen.Task;
            if (abruptly)
                context.Abort();
        };
        await using var client = new CodeSandboxClient(manager.Address);
        var creation = client.CreateWithProgressAsync();

        var e = await Should.ThrowAsync<InterruptedException>(async () =>
        {
            await foreach (var _ in creation)
                seen.SetResult();
        });

        e.Code.ShouldBe(ClientErrorCodes.ResponseCut);
        manager.Sandboxes.ShouldBeEmpty();
    }

    [Fact]
    public async Task Silence_before_ready_is_told_and_leaves_nothing()
    {
        var time = new ManualTime();
        await using var manager = await FakeManager.StartAsync();
        manager.OnCreate = async context =>
        {
            manager.Sandboxes[Name] = true;
            await Sse.AnswerAsync(context, Sse.Created(Name));
            await Sse.GoneAsync(context);
        };
        var options = new CodeSandboxClientOptions { TimeProvider = time };
        await using var client = new CodeSandboxClient(manager.Address, options);
        var creation = client.CreateWithProgressAsync();
        await using var events = creation.GetAsyncEnumerator();
        (await events.MoveNextAsync().AsTask().OrFail()).ShouldBeTrue();

        var next = events.MoveNextAsync().AsTask();
        await time.HasSetAsync(options.StreamIdleTimeout, 1);
        time.Advance(options.StreamIdleTimeout);

        (await Should.ThrowAsync<InterruptedException>(next.OrFail())).Code.ShouldBe(ClientErrorCodes.StreamIdle);
        manager.Sandboxes.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("a/b")]
    public async Task A_name_that_is_none_is_never_put_into_a_path(string name)
    {
        await using var manager = await FakeManager.StartAsync();
        manager.OnCreate = context => Sse.AnswerAsync(context, Sse.Created(name));
        await using var client = new CodeSandboxClient(manager.Address);

        var e = await Should.ThrowAsync<CodeSandboxException>(client.CreateAsync().OrFail());

        e.Code.ShouldBe(ClientErrorCodes.UnexpectedResponse);
        manager.Server.Requests.Select(r => r.Line).ShouldBe(["POST /api/kata"]);
    }

    [Fact]
    public async Task A_delete_that_never_answers_does_not_hold_the_disposal()
    {
        var time = new ManualTime();
        await using var manager = await FakeManager.StartAsync();
        var options = new CodeSandboxClientOptions { TimeProvider = time, CleanupTimeout = TimeSpan.FromSeconds(7) };
        await using var client = new CodeSandboxClient(manager.Address, options);
        var sandbox = await client.CreateAsync().OrFail();
        manager.OnDelete = Sse.GoneAsync;

        var disposal = sandbox.DisposeAsync().AsTask();
        await time.HasSetAsync(options.CleanupTimeout, 1);
        time.Advance(options.CleanupTimeout);

        await disposal.OrFail();
    }
}
