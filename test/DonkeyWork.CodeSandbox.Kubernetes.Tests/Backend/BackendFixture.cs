using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Testing.Clusters;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Backend;

/// <summary>A namespace of a cluster for a class of tests, and a backend over it. Its end fails where a pod is left.</summary>
public abstract class BackendFixture(TestCluster cluster) : IAsyncLifetime
{
    private ClusterBackend _backend = null!;

    public TestNamespace Place { get; private set; } = null!;

    public ISandboxBackend Backend => _backend.Backend;

    public async Task InitializeAsync()
    {
        Place = await cluster.CreateNamespaceAsync("backend");
        _backend = await ClusterBackend.StartAsync(Place);
    }

    public async Task DisposeAsync()
    {
        await _backend.DisposeAsync();
        var left = await Place.KubectlAsync("get", "pods", "--output=name");
        await Place.DisposeAsync();
        left.ShouldBeEmpty("Each test deletes its pods.");
    }
}

/// <summary>Over the cluster that runs pods.</summary>
public sealed class NodeCluster() : BackendFixture(TestCluster.Node);
