using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Requests;
using Microsoft.Extensions.Logging;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api;

/// <summary>One namespace of one API server.</summary>
public sealed class KubernetesClient : IDisposable
{
    private readonly ApiTransport _transport;

    /// <param name="connection">The API server; outlives the client.</param>
    /// <param name="namespace">The namespace.</param>
    /// <param name="clock">For budgets and pauses.</param>
    /// <param name="logger">Is told of watches that break.</param>
    public KubernetesClient(ClusterConnection connection, string @namespace, TimeProvider clock, ILogger<KubernetesClient> logger)
    {
        _transport = new ApiTransport(connection, connection.CreateHandler(), RetryPolicy.Default, clock);
        var core = $"api/v1/namespaces/{@namespace}";
        Pods = Objects(new ApiResource<PodView>($"{core}/pods", new PodReader().Read));
        ResourceQuotas = Objects(new ApiResource<ResourceQuota>($"{core}/resourcequotas", ResourceQuotaDocument.Read));
        Leases = Objects(new ApiResource<Lease>($"apis/coordination.k8s.io/v1/namespaces/{@namespace}/leases", LeaseDocument.Read));

        ApiObjects<T> Objects<T>(ApiResource<T> resource) where T : class, IApiObject => new(resource, connection, _transport, clock, logger);
    }

    /// <summary>The pods.</summary>
    public ApiObjects<PodView> Pods { get; }

    /// <summary>The leases of <c>coordination.k8s.io/v1</c>.</summary>
    public ApiObjects<Lease> Leases { get; }

    /// <summary>The resource quotas.</summary>
    public ApiObjects<ResourceQuota> ResourceQuotas { get; }

    /// <inheritdoc/>
    public void Dispose() => _transport.Dispose();
}
