using System.Net;

namespace DonkeyWork.CodeSandbox.Cluster.Tests;

/// <summary>Pods that others have made in the namespace, one under a name of ours and with our labels.</summary>
public sealed class ForeignPodsTests : IAsyncLifetime
{
    private const string Disguised = "kata-sandbox-0badcafe";

    private ControlPlane _control = null!;
    private KubernetesManager _manager = null!;

    public async Task InitializeAsync()
    {
        _control = await ControlPlane.StartAsync();
        var labels = new Dictionary<string, string> { ["app"] = "kata-manager", ["managed-by"] = "CodeSandbox-Manager", ["container-type"] = "sandbox", ["pool-status"] = "manual" };
        foreach (var metadata in (object[])[new { name = "plain" }, new { name = "labelled", labels }, new { name = Disguised, labels }])
            await _control.Place.Api.CreateAsync(_control.Place.Pods, new { metadata, spec = new { containers = new[] { new { name = "main", image = "none" } } } });
        _manager = await KubernetesManager.StartAsync(_control.Place);
    }

    public async Task DisposeAsync()
    {
        await _manager.DisposeAsync();
        await _control.DisposeAsync();
    }

    [Fact]
    public async Task They_are_neither_shown_nor_reached_nor_deleted()
    {
        var own = await _manager.CreateNamedAsync();

        (await _manager.ListAsync()).ShouldBe([own]);
        await (await _manager.Http.GetAsync($"/api/kata/{Disguised}")).ShouldBeProblemAsync(HttpStatusCode.NotFound, "sandbox_not_found");
        await (await _manager.ExecuteAsync(Disguised, "anything")).ShouldBeProblemAsync(HttpStatusCode.NotFound, "sandbox_not_found");
        await (await _manager.Http.DeleteAsync($"/api/kata/{Disguised}")).ShouldBeProblemAsync(HttpStatusCode.NotFound, "sandbox_not_found");
        (await _manager.Client.DeleteAllAsync()).DeletedPods.ShouldBe([own]);

        (await _control.Place.ListLivePodsAsync()).ShouldBe(new[] { "plain", "labelled", Disguised }.Order());
    }
}
