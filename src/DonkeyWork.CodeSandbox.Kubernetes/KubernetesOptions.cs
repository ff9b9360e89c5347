using System.ComponentModel.DataAnnotations;
using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Kubernetes.Executors;
using DonkeyWork.CodeSandbox.Kubernetes.Pods;
using DonkeyWork.CodeSandbox.Sandboxes;

namespace DonkeyWork.CodeSandbox.Kubernetes;

/// <summary>What an operator can set about sandboxes on a cluster, beside what holds for every backend; in the same section.</summary>
public record KubernetesOptions : SandboxOptions
{
    /// <summary>The fewest characters of <see cref="Secret"/>.</summary>
    public const int MinSecretLength = 32;

    /// <summary>The namespace of the pods. It must exist.</summary>
    [RegularExpression("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")]
    public string TargetNamespace { get; init; } = "sandbox-containers";

    /// <summary>The RuntimeClass of the pods. It must exist.</summary>
    [RegularExpression("[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")]
    public string RuntimeClassName { get; init; } = "kata-qemu";

    /// <summary>When a node pulls the image.</summary>
    public ImagePullPolicy ImagePullPolicy { get; init; } = ImagePullPolicy.IfNotPresent;

    /// <summary>MiB that a sandbox may write to its disk; one that writes more is evicted.</summary>
    [Range(PodFactory.EphemeralStorageRequestMi, 1_048_576)]
    public int EphemeralStorageLimitMi { get; init; } = 1024;

    /// <summary>How executors are reached.</summary>
    public ExecutorAccess ExecutorAccess { get; init; } = ExecutorAccess.Auto;

    /// <summary>
    /// What the sandboxes' tokens are derived from, at least <see cref="MinSecretLength"/> characters; the same for all
    /// Managers of a namespace. With another one the executors of the sandboxes that exist refuse to serve.
    /// </summary>
    public string? Secret { get; init; }

    /// <summary>
    /// Seconds within which another Manager leads after the one that does has died; the lease itself is written for 80 % of
    /// it, the rest is for the word to get around.
    /// </summary>
    [Range(5, 60)]
    public int LeaderLeaseDurationSeconds { get; init; } = 15;

    /// <summary>The cluster's API server, where it is not found by itself.</summary>
    public ConnectionOptions Connection { get; init; } = new();

    /// <summary>All that the pods have in common.</summary>
    public override string Shape => PodFactory.ShapeOf(this);
}

/// <summary>Kubernetes' image pull policies.</summary>
public enum ImagePullPolicy
{
    /// <summary>At every start.</summary>
    Always,

    /// <summary>Where the node does not have it.</summary>
    IfNotPresent,

    /// <summary>Never.</summary>
    Never,
}
