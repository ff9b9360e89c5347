using System.ComponentModel.DataAnnotations;
using DonkeyWork.CodeSandbox.Kubernetes;

namespace DonkeyWork.CodeSandbox.Manager.Configuration;

/// <summary>The section <c>KataContainerManager</c>.</summary>
internal sealed record ManagerOptions : KubernetesOptions
{
    public const string Section = "KataContainerManager";

    /// <summary>Where sandboxes live.</summary>
    public BackendKind Backend { get; init; } = BackendKind.Local;

    /// <summary>Seconds that open requests have to end when the Manager is told to stop.</summary>
    [Range(0, 3600)]
    public int DrainSeconds { get; init; } = 30;

    /// <summary>The same as a time.</summary>
    public TimeSpan Drain => TimeSpan.FromSeconds(DrainSeconds);

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
