using DonkeyWork.CodeSandbox.Kubernetes.Tests.Api;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Testing.Backends;
using DonkeyWork.CodeSandbox.Testing.Clusters;
using Microsoft.AspNetCore.Http;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Backend;

/// <summary>Requests whose answer is lost: the API server did what it was asked for, and nobody hears of it.</summary>
[Collection(ControlCollection.Name)]
public sealed class UnansweredTests(ControlBackend control) : IClassFixture<ControlBackend>
{
    [Fact]
    public async Task A_create_whose_answer_is_lost_succeeds_and_made_one_pod()
    {
        var (relay, through) = await control.RelayAsync();
        await using var _ = relay;
        await using var backend = await ClusterBackend.StartAsync(control.Place, through);
        var lost = LoseAnswers(relay, "POST", 1);
        var spec = Specs.New();

        var created = await backend.Backend.CreateAsync(spec, CancellationToken.None);

        lost.Count.ShouldBe(1);
        created.Nonce.ShouldBe(spec.Nonce);
        (await control.Place.KubectlAsync("get", "pods", "--output=jsonpath={.items[*].metadata.uid}")).ShouldBe(created.Uid);
        (await control.Backend.DeleteAsync(created, DeleteCondition.SameUid, CancellationToken.None)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_create_of_which_nothing_can_be_learnt_says_that_it_may_have_happened()
    {
        var (relay, through) = await control.RelayAsync();
        await using var _ = relay;
        await using var backend = await ClusterBackend.StartAsync(control.Place, through);
        var spec = Specs.New();
        relay.PassOn = (context, _) => Task.FromResult(context.Request.Method != "POST" && !context.Request.Path.Value!.EndsWith(spec.Name, StringComparison.Ordinal));

        (await Should.ThrowAsync<BackendUnavailableException>(() => backend.Backend.CreateAsync(spec, CancellationToken.None))).MayHaveHappened.ShouldBeTrue();

        var made = (await control.Backend.ReadAsync(spec.Name, CancellationToken.None)).ShouldNotBeNull();
        (await control.Backend.DeleteAsync(made, DeleteCondition.SameUid, CancellationToken.None)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_name_that_another_took_is_taken_though_an_answer_was_lost()
    {
        var (relay, through) = await control.RelayAsync();
        await using var _ = relay;
        await using var backend = await ClusterBackend.StartAsync(control.Place, through);
        var spec = Specs.New();
        var others = await control.Backend.CreateAsync(spec with { Nonce = "another" }, CancellationToken.None);
        LoseAnswers(relay, "POST", 1);

        await Should.ThrowAsync<SandboxExistsException>(() => backend.Backend.CreateAsync(spec, CancellationToken.None));

        (await control.Backend.DeleteAsync(others, DeleteCondition.SameUid, CancellationToken.None)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_delete_whose_answer_is_lost_has_deleted()
    {
        var (relay, through) = await control.RelayAsync();
        await using var _ = relay;
        await using var backend = await ClusterBackend.StartAsync(control.Place, through);
        var created = await control.Backend.CreateAsync(Specs.New(), CancellationToken.None);
        LoseAnswers(relay, "DELETE", 1);

        (await backend.Backend.DeleteAsync(created, DeleteCondition.SameUid, CancellationToken.None)).ShouldBeTrue();

        (await control.Backend.ReadAsync(created.Name, CancellationToken.None)).ShouldBeNull();
    }

    private static Lost LoseAnswers(ApiRelay relay, string method, int count)
    {
        var lost = new Lost();
        relay.PassOn = (context, _) => Task.FromResult(context.Request.Method != method || !context.Request.Path.Value!.Contains("/pods", StringComparison.Ordinal) || lost.Count >= count || lost.Add(context));
        return lost;
    }

    private sealed class Lost
    {
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public bool Add(HttpContext _) => Interlocked.Increment(ref _count) < 0;
    }
}
