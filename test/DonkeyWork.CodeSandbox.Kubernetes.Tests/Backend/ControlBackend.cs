using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Testing.Clusters;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Backend;

/// <summary>A namespace of the API server that runs no pods, and a backend over it.</summary>
public sealed class ControlBackend : IAsyncLifetime
{
    private ClusterBackend _backend = null!;

    public ControlCluster Cluster { get; } = ControlCluster.Current;

    public TestNamespace Place { get; private set; } = null!;

    public ISandboxBackend Backend => _backend.Backend;

    public async Task InitializeAsync()
    {
        Place = await Cluster.CreateNamespaceAsync("backend");
        _backend = await ClusterBackend.StartAsync(Place);
    }

    /// <summary>A relay in front of the API server, and settings that lead through it.</summary>
    public async Task<(ApiRelay Relay, Func<KubernetesOptions, KubernetesOptions> Through)> RelayAsync()
    {
        using var direct = ClusterConnection.Load(new ConnectionOptions { Kubeconfig = Cluster.Kubeconfig }, TimeProvider.System);
        var relay = await ApiRelay.StartAsync(direct.Server);
        return (relay, options => options with { Connection = new ConnectionOptions { ServerUrl = relay.Address.AbsoluteUri, Token = Cluster.AdminToken } });
    }

    public async Task DisposeAsync()
    {
        await _backend.DisposeAsync();
        await Place.DisposeAsync();
    }
}
