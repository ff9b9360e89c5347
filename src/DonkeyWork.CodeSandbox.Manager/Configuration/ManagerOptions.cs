using System.ComponentModel.DataAnnotations;
using DonkeyWork.CodeSandbox.Kubernetes;

namespace DonkeyWork.CodeSandbox.Manager.Configuration;

/// <summary>The section <c>KataContainerManager</c>.</summary>
internal sealed record ManagerOptions : KubernetesOptions
{
    public const string Section = "KataContainerManager";

    /// <summary>Where sandboxes live.</summary>
    public BackendKind Backend { get; init; } = BackendKind.Local;

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

    /// <inheritdoc/>
    public override string Shape => Backend == BackendKind.Kubernetes ? base.Shape : DefaultImage;
}

/// <summary>Where sandboxes live.</summary>
internal enum BackendKind
{
    /// <summary>Containers of this machine.</summary>
    Local,

    /// <summary>Pods of a cluster.</summary>
    Kubernetes,
}
