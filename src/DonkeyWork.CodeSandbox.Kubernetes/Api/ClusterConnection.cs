using System.Net.Security;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Connecting;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Connecting.Kubeconfigs;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api;

/// <summary>The way to one API server: its address, how it proves itself, and how we do.</summary>
public sealed class ClusterConnection : IDisposable
{
    private readonly ConnectionSettings _settings;
    private readonly SslClientAuthenticationOptions _tls;

    private ClusterConnection(ConnectionSettings settings) => (_settings, _tls) = (settings, ServerTransport.TlsOf(settings));

    /// <summary>The API server; ends with a slash.</summary>
    public Uri Server => _settings.Server;

    /// <summary>Whether this is the service account of the pod we run in.</summary>
    public bool IsInCluster => _settings.IsInCluster;

    /// <summary>Where this was read from, for people: <c>in-cluster</c>, <c>kubeconfig /path, context x</c>, <c>Connection</c>.</summary>
    public string Source => _settings.Source;

    /// <summary>
    /// Reads the configuration; nothing is connected yet. In this order: <see cref="ConnectionOptions.ServerUrl"/>, a
    /// kubeconfig or context that the options name, the service account, the files of <c>KUBECONFIG</c>, <c>~/.kube/config</c>.
    /// </summary>
    /// <exception cref="ClusterConfigurationException">There is none, or it cannot be used.</exception>
    public static ClusterConnection Load(ConnectionOptions options, TimeProvider clock) => Load(options, clock, ClusterEnvironment.Current);

    internal static ClusterConnection Load(ConnectionOptions options, TimeProvider clock, ClusterEnvironment environment)
    {
        var namesKubeconfig = !string.IsNullOrWhiteSpace(options.Kubeconfig) || !string.IsNullOrWhiteSpace(options.Context);
        var settings = ExplicitConnection.Read(options)
            ?? (namesKubeconfig ? null : ServiceAccount.Read(environment, clock))
            ?? Kubeconfig.Read(options, environment, clock)
            ?? throw new ClusterConfigurationException(
                "No Kubernetes cluster is configured: set KUBECONFIG, or KataContainerManager:Connection:ServerUrl and :Token, or run in a pod with a service account; there is no ~/.kube/config.");
        return new ClusterConnection(settings);
    }

    /// <summary>
    /// A handler with connections of its own that proves who we are: client certificate, or bearer token, re-read as it
    /// rotates and once more at a 401. It follows no redirect, keeps no cookie and uses no proxy.
    /// </summary>
    /// <param name="configure">Changes the inner handler before it is used.</param>
    /// <param name="toPods">Whether it leads to the pod proxy: a 401 may be a pod's then, and is taken as it is.</param>
    public HttpMessageHandler CreateHandler(Action<SocketsHttpHandler>? configure = null, bool toPods = false)
    {
        var transport = ServerTransport.Create(_tls);
        configure?.Invoke(transport);
        return new AuthenticatingHandler(_settings.Token, _settings.TlsServerName, isServers: !toPods, transport);
    }

    /// <summary>Handlers that were made before must not be used afterwards.</summary>
    public void Dispose()
    {
        (_settings.Token as IDisposable)?.Dispose();
        foreach (var certificate in _settings.ClientCertificate ?? []) certificate.Dispose();
        foreach (var certificate in _settings.Authorities ?? []) certificate.Dispose();
    }
}
