using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;
using Microsoft.Extensions.Logging;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api;

/// <summary>One namespace of one API server.</summary>
public sealed class KubernetesClient : IDisposable
{
    /// <param name="connection">The API server; outlives the client.</param>
    /// <param name="namespace">The namespace.</param>
    /// <param name="clock">For budgets and pauses.</param>
    /// <param name="logger">Is told of watches that break.</param>
    public KubernetesClient(ClusterConnection connection, string @namespace, TimeProvider clock, ILogger<KubernetesClient> logger) =>
        throw new NotImplementedException();

    /// <summary>The pods.</summary>
    public ApiObjects<PodView> Pods { get; } = null!;

    /// <summary>The leases of <c>coordination.k8s.io/v1</c>.</summary>
    public ApiObjects<Lease> Leases { get; } = null!;

    /// <summary>The resource quotas.</summary>
    public ApiObjects<ResourceQuota> ResourceQuotas { get; } = null!;

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
