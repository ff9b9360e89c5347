using DonkeyWork.CodeSandbox.Kubernetes.Tests.Api;
using DonkeyWork.CodeSandbox.Kubernetes.Executors;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Testing;
using DonkeyWork.CodeSandbox.Testing.Backends;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Backend;

/// <summary>Sandboxes that were made while a list was on its way: in a large cluster that takes seconds.</summary>
[Collection(ControlCollection.Name)]
public sealed class YoungSandboxTests(ControlBackend control) : IClassFixture<ControlBackend>
{
    [Fact]
    public async Task What_is_younger_than_a_list_is_not_taken_for_gone()
    {
        var (relay, through) = await control.RelayAsync();
        await using var _ = relay;
        await using var backend = await ClusterBackend.StartAsync(control.Place, options => through(options) with { ExecutorAccess = ExecutorAccess.ApiServerProxy });
        var isAnswered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var mayPass = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        relay.PassOn = async (context, _) =>
        {
            if (context.Request.Method != "GET" || !context.Request.Path.Value!.EndsWith("/pods", StringComparison.Ordinal)) return true;
            isAnswered.TrySetResult();
            await mayPass.Task;
            return true;
        };
        using var limit = new CancellationTokenSource(Patience.Limit);
        await using var watch = backend.Backend.WatchAsync(limit.Token).GetAsyncEnumerator(limit.Token);
        var listing = watch.MoveNextAsync().AsTask();
        await isAnswered.Task.WaitAsync(limit.Token);

        var young = await backend.Backend.CreateAsync(Specs.New(), limit.Token);
        var executor = backend.Backend.Connect(young);
        mayPass.SetResult();

        (await listing).ShouldBeTrue();
        watch.Current.ShouldBeOfType<SandboxListed>().Sandboxes.ShouldNotContain(sandbox => sandbox.Uid == young.Uid);
        backend.Backend.Connect(young).ShouldBe(executor);

        // Once the watch tells of its end, it is.
        await control.Backend.DeleteAsync(young, DeleteCondition.SameUid, limit.Token);
        while (await watch.MoveNextAsync() && watch.Current is not SandboxGone) { }
        backend.Backend.Connect(young).ShouldNotBe(executor);
    }
}
