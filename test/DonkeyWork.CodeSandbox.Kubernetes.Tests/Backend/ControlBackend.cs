using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Testing.Clusters;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Backend;

/// <summary>Over the API server that runs no pods.</summary>
public sealed class ControlBackend() : BackendFixture(ControlCluster.Current)
{
    /// <summary>A relay in front of the API server, and settings that lead through it.</summary>
    public async Task<(ApiRelay Relay, Func<KubernetesOptions, KubernetesOptions> Through)> RelayAsync()
    {
        using var api = await ApiServer.LoadAsync(Place.Cluster);
        var relay = await ApiRelay.StartAsync(api.Url);
        return (relay, options => options with { Connection = new ConnectionOptions { ServerUrl = relay.Address.AbsoluteUri, Token = ControlCluster.Current.AdminToken } });
    }
}
