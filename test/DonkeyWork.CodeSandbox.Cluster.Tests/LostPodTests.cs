using System.Net;

namespace DonkeyWork.CodeSandbox.Cluster.Tests;

/// <summary>Real pods that go while a command streams, without the Manager having been asked.</summary>
public sealed class LostPodTests : IAsyncLifetime
{
    private SandboxNamespace _place = null!;
    private KubernetesManager _manager = null!;

    public async Task InitializeAsync()
    {
        _place = await SandboxNamespace.CreateAsync(TestCluster.Node);
        _manager = await KubernetesManager.StartAsync(_place);
    }

    public async Task DisposeAsync()
    {
        await _manager.DisposeAsync();
        await _place.DisposeAsync();
    }

    [Fact]
    public Task Deleted_behind_its_back() => LoseAsync(name => _place.Cluster.KubectlAsync("delete", "pod", name, "--namespace", _place.Name, "--wait=false"));

    [Fact]
    public Task Evicted() => LoseAsync(name => _place.Api.CreateAsync(
        $"{_place.Pods}/{name}/eviction", new { apiVersion = "policy/v1beta1", kind = "Eviction", metadata = new { name, @namespace = _place.Name } }));

    [Fact]
    public Task Killed_without_grace() => LoseAsync(name => _place.Api.DeleteAsync($"{_place.Pods}/{name}", graceSeconds: 0));

    private async Task LoseAsync(Func<string, Task> lose)
    {
        var name = await _manager.CreateNamedAsync();
        using var execution = await _manager.ExecuteAsync(name, "echo started; sleep 3600");
        using var stream = await execution.ReadFirstEventAsync();

        await lose(name);

        // Now, at the latest, the API server shows it.
        (await _place.ListLivePodsAsync()).ShouldBeEmpty();
        await _manager.ShouldSoonAgreeWithAsync(_place);
        await (await _manager.Http.GetAsync($"/api/kata/{name}")).ShouldBeProblemAsync(HttpStatusCode.NotFound, "sandbox_not_found");
        await (await _manager.ExecuteAsync(name, "anything")).ShouldBeProblemAsync(HttpStatusCode.NotFound, "sandbox_not_found");
        await stream.ShouldBreakOrTellOfTheKillAsync();
        await Patience.UntilAsync(async () => (await _place.ListPodsAsync()).Count == 0, () => "The pod stays.");
    }
}
