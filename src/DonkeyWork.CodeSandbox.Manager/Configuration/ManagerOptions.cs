using System.ComponentModel.DataAnnotations;
using DonkeyWork.CodeSandbox.Sandboxes;

namespace DonkeyWork.CodeSandbox.Manager.Configuration;

/// <summary>The section <c>KataContainerManager</c>.</summary>
internal sealed record ManagerOptions : SandboxOptions
{
    public const string Section = "KataContainerManager";

    /// <summary>Where sandboxes live.</summary>
    public BackendKind Backend { get; init; } = BackendKind.Local;

    /// <summary>The namespace of the pods.</summary>
    [Required(ErrorMessage = "must not be empty")]
    [RegularExpression("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")]
    public string TargetNamespace { get; init; } = "sandbox-containers";

    /// <summary>The RuntimeClass of the pods.</summary>
    [Required(ErrorMessage = "must not be empty")]
    [RegularExpression("[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")]
    public string RuntimeClassName { get; init; } = "kata-qemu";

    /// <summary>When a node pulls the image.</summary>
    public ImagePullPolicy ImagePullPolicy { get; init; } = ImagePullPolicy.IfNotPresent;

    /// <summary>Minutes without use after which a sandbox goes.</summary>
    [Range(1, 1440)]
    public int IdleTimeoutMinutes { get; init; } = 5;

    /// <summary>Minutes after which a sandbox goes, used or not.</summary>
    [Range(1, 1440)]
    public int MaxContainerLifetimeMinutes { get; init; } = 15;

    /// <summary>How many sandboxes wait ready for a claim.</summary>
    [Range(0, 100)]
    public int WarmPoolSize { get; init; } = 10;

    /// <summary>Seconds between looks at the pool.</summary>
    [Range(10, 300)]
    public int PoolBackfillCheckIntervalSeconds { get; init; } = 30;

    /// <summary>How many sandboxes of the pool are created at once.</summary>
    [Range(1, 50)]
    public int PoolCreateConcurrency { get; init; } = 2;

    /// <summary>Seconds that a leader's lease lasts.</summary>
    [Range(5, 60)]
    public int LeaderLeaseDurationSeconds { get; init; } = 15;

    /// <summary>How executors are reached on a cluster.</summary>
    public ExecutorAccess ExecutorAccess { get; init; } = ExecutorAccess.Auto;

    /// <summary>The cluster's API server, where it is not found by itself.</summary>
    public ConnectionOptions Connection { get; init; } = new();
}

/// <summary>How to reach the cluster's API server.</summary>
internal sealed record ConnectionOptions
{
    /// <summary>Its URL.</summary>
    public string? ServerUrl { get; init; }

    /// <summary>The bearer token.</summary>
    public string? Token { get; init; }

    /// <summary>Whether any certificate is taken.</summary>
    public bool SkipTlsVerify { get; init; }
}

/// <summary>Where sandboxes live.</summary>
internal enum BackendKind
{
    /// <summary>Containers of this machine.</summary>
    Local,

    /// <summary>Pods of a cluster.</summary>
    Kubernetes,
}

/// <summary>Kubernetes' image pull policies.</summary>
internal enum ImagePullPolicy
{
    /// <summary>At every start.</summary>
    Always,

    /// <summary>Where the node does not have it.</summary>
    IfNotPresent,

    /// <summary>Never.</summary>
    Never,
}

/// <summary>How executors are reached on a cluster.</summary>
internal enum ExecutorAccess
{
    /// <summary>By pod IP from within the cluster, else through the API server.</summary>
    Auto,

    /// <summary>By pod IP.</summary>
    PodIp,

    /// <summary>Through the API server's pod proxy.</summary>
    ApiServerProxy,
}
