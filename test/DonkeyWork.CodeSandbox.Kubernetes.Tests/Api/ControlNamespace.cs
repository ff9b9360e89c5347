using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Testing.Clusters;
using Microsoft.Extensions.Logging.Abstractions;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Api;

/// <summary>A namespace of the API server that runs no pods, and a client of it.</summary>
public sealed class ControlNamespace : IAsyncLifetime
{
    private ClusterConnection? _connection;

    public ControlCluster Cluster { get; } = ControlCluster.Current;

    public TestNamespace Namespace { get; private set; } = null!;

    public KubernetesClient Client { get; private set; } = null!;

    public Uri Server => _connection!.Server;

    public async Task InitializeAsync()
    {
        Namespace = await Cluster.CreateNamespaceAsync("api");
        _connection = ClusterConnection.Load(new ConnectionOptions { Kubeconfig = Cluster.Kubeconfig }, TimeProvider.System);
        Client = ClientOf(_connection);
    }

    public async Task DisposeAsync()
    {
        // Nothing of it is there where the first step has failed.
        if (_connection is null) return;
        Client.Dispose();
        _connection.Dispose();
        await Namespace.DisposeAsync();
    }

    public KubernetesClient ClientOf(ClusterConnection connection) =>
        new(connection, Namespace.Name, TimeProvider.System, NullLogger<KubernetesClient>.Instance);

    /// <summary>A client that goes through <paramref name="relay"/>, as an administrator.</summary>
    public TestClient Through(ApiRelay relay) => At(relay.Address.AbsoluteUri);

    public TestClient At(string url) => With(new ConnectionOptions { ServerUrl = url, Token = Cluster.AdminToken, SkipTlsVerify = true });

    public TestClient With(ConnectionOptions options) => new(ClusterConnection.Load(options, TimeProvider.System), this);
}

/// <summary>A client with a connection of its own.</summary>
public sealed class TestClient(ClusterConnection connection, ControlNamespace control) : IDisposable
{
    public KubernetesClient Client { get; } = control.ClientOf(connection);

    public void Dispose()
    {
        Client.Dispose();
        connection.Dispose();
    }
}

/// <summary>One after another: some of these tests kill the API server that the others use.</summary>
[CollectionDefinition(Name)]
public sealed class ControlCollection
{
    public const string Name = "control cluster";
}
