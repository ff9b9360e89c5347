namespace DonkeyWork.CodeSandbox.Kubernetes.Api;

/// <summary>The way to one API server: its address, how it proves itself, and how we do.</summary>
public sealed class ClusterConnection : IDisposable
{
    /// <summary>Reads the configuration; nothing is connected yet.</summary>
    /// <exception cref="ClusterConfigurationException">There is none, or it cannot be used.</exception>
    public static ClusterConnection Load(ConnectionOptions options, TimeProvider clock) => throw new NotImplementedException();

    /// <summary>The API server; ends with a slash.</summary>
    public Uri Server { get; } = null!;

    /// <summary>Whether this is the service account of the pod we run in.</summary>
    public bool IsInCluster { get; }

    /// <summary>Where this was read from, for people: <c>in-cluster</c>, <c>kubeconfig /path, context x</c>, <c>Connection</c>.</summary>
    public string Source { get; } = null!;

    /// <summary>
    /// A handler with connections of its own that proves who we are: client certificate, or bearer token, re-read as it
    /// rotates and once more at a 401. It follows no redirect, keeps no cookie and uses no proxy.
    /// </summary>
    /// <param name="configure">Changes the inner handler before it is used.</param>
    public HttpMessageHandler CreateHandler(Action<SocketsHttpHandler>? configure = null) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
