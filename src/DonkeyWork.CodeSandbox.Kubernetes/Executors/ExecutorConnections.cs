using System.Collections.Concurrent;
using System.Net;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;

namespace DonkeyWork.CodeSandbox.Kubernetes.Executors;

/// <summary>The ways to all executors: made when one is first asked, dropped when its sandbox is gone.</summary>
internal sealed class ExecutorConnections(ClusterConnection cluster, KubernetesOptions options) : IDisposable
{
    private const int RememberedGone = 1024;

    private readonly ConcurrentDictionary<string, Lazy<ExecutorConnection>> _bySandbox = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _gone = new();

    /// <summary>How executors are reached: never <see cref="ExecutorAccess.Auto"/>.</summary>
    public ExecutorAccess Access { get; } = options.ExecutorAccess switch
    {
        ExecutorAccess.Auto => cluster.IsInCluster ? ExecutorAccess.PodIp : ExecutorAccess.ApiServerProxy,
        var chosen => chosen,
    };

    /// <summary>The way to one executor.</summary>
    public ExecutorEndpoint Of(Sandbox sandbox)
    {
        if (_bySandbox.TryGetValue(sandbox.Uid, out var known)) return known.Value.Endpoint;
        if ((Access == ExecutorAccess.PodIp && sandbox.Address is null) || _gone.Contains(sandbox.Uid)) return ExecutorEndpoint.Nobody;
        return _bySandbox.GetOrAdd(sandbox.Uid, (_, self) => new Lazy<ExecutorConnection>(() => self.Connect(sandbox)), this).Value.Endpoint;
    }

    /// <summary>The sandbox is gone: so are its connections.</summary>
    public void Drop(string uid)
    {
        _gone.Enqueue(uid);
        if (_gone.Count > RememberedGone) _gone.TryDequeue(out _);
        if (_bySandbox.TryRemove(uid, out var connection)) connection.Value.Dispose();
    }

    /// <summary>The sandboxes whose executors have been asked for.</summary>
    public IEnumerable<string> Known => _bySandbox.Keys;

    public void Dispose()
    {
        foreach (var uid in Known) Drop(uid);
    }

    /// <summary>Where the executor of a pod is found by its address.</summary>
    internal static Uri AddressOf(string podIP) =>
        new($"http://{new IPEndPoint(IPAddress.Parse(podIP), ExecutorProtocol.DefaultPort)}/");

    private ExecutorConnection Connect(Sandbox sandbox)
    {
        var address = Access == ExecutorAccess.PodIp
            ? AddressOf(sandbox.Address!)
            : new Uri(cluster.Server, $"api/v1/namespaces/{options.TargetNamespace}/pods/{sandbox.Name}:{ExecutorProtocol.DefaultPort}/proxy/");
        return new ExecutorConnection(address, configure => new FirstAnswer(Access == ExecutorAccess.PodIp ? Direct(configure) : ByProxy(configure), address));
    }

    private ProxyRefusals ByProxy(Action<SocketsHttpHandler> configure) => new(new UpgradeQuery(cluster.CreateHandler(configure, toPods: true)));

    private static SocketsHttpHandler Direct(Action<SocketsHttpHandler> configure)
    {
        var handler = new SocketsHttpHandler();
        configure(handler);
        return handler;
    }
}
