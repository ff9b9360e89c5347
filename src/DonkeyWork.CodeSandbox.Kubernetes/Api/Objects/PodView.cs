using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;

/// <summary>What is read of a pod. Strings that many pods have in common are shared between views.</summary>
public sealed class PodView : IApiObject
{
    /// <summary>What comes before the keys of <see cref="Annotations"/> in the pod.</summary>
    public const string AnnotationPrefix = "codesandbox.donkeywork.dev/";

    /// <summary>The container that <see cref="Image"/>, <see cref="Resources"/> and <see cref="Container"/> are about.</summary>
    public const string ContainerName = "executor";

    /// <inheritdoc/>
    public required string Name { get; init; }

    /// <inheritdoc/>
    public required string Uid { get; init; }

    /// <inheritdoc/>
    public required string ResourceVersion { get; init; }

    /// <summary>When the API server took it.</summary>
    public DateTimeOffset CreationTimestamp { get; init; }

    /// <summary>Set once it is being deleted: when its grace period ends.</summary>
    public DateTimeOffset? DeletionTimestamp { get; init; }

    /// <summary>Its labels.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = Empty;

    /// <summary>Its annotations under <see cref="AnnotationPrefix"/>, keys without it.</summary>
    public IReadOnlyDictionary<string, string> Annotations { get; init; } = Empty;

    /// <summary>The node it is bound to.</summary>
    public string? NodeName { get; init; }

    /// <summary>Its RuntimeClass.</summary>
    public string? RuntimeClassName { get; init; }

    /// <summary>The first container's image.</summary>
    public string? Image { get; init; }

    /// <summary>The first container's resources; memory in MiB rounded up, CPU in thousandths of a core.</summary>
    public ResourceRequirements? Resources { get; init; }

    /// <summary><c>Pending</c>, <c>Running</c>, <c>Succeeded</c>, <c>Failed</c> or <c>Unknown</c>.</summary>
    public string Phase { get; init; } = "Pending";

    /// <summary>Its address, once it has one.</summary>
    public string? PodIP { get; init; }

    /// <summary>Why it is in this phase, for machines (<c>Evicted</c>, <c>NodeLost</c>).</summary>
    public string? Reason { get; init; }

    /// <summary>Why it is in this phase, for people.</summary>
    public string? Message { get; init; }

    /// <summary>Its conditions.</summary>
    public IReadOnlyList<PodCondition> Conditions { get; init; } = [];

    /// <summary>The state of the first container, once the node tells it.</summary>
    public ContainerState? Container { get; init; }

    internal static IReadOnlyDictionary<string, string> Empty { get; } = new Dictionary<string, string>().AsReadOnly();
}

/// <summary>One condition of a pod, for example <c>Ready</c>.</summary>
/// <param name="Type"><c>PodScheduled</c>, <c>Initialized</c>, <c>ContainersReady</c>, <c>Ready</c>, ...</param>
/// <param name="Status"><c>True</c>, <c>False</c> or <c>Unknown</c>.</param>
/// <param name="Reason">Why, for machines (<c>Unschedulable</c>).</param>
/// <param name="Message">Why, for people.</param>
public sealed record PodCondition(string Type, string Status, string? Reason, string? Message);

/// <summary>What a container does: it waits, runs, or has ended.</summary>
public sealed record ContainerState
{
    /// <summary>It runs.</summary>
    public static ContainerState Running { get; } = new() { IsRunning = true };

    /// <summary>Why it does not run yet, for machines (<c>ContainerCreating</c>, <c>ImagePullBackOff</c>).</summary>
    public string? WaitingReason { get; init; }

    /// <summary>Why it does not run yet, for people.</summary>
    public string? WaitingMessage { get; init; }

    /// <summary>Why it ended, for machines (<c>OOMKilled</c>, <c>Error</c>).</summary>
    public string? TerminatedReason { get; init; }

    /// <summary>Why it ended, for people.</summary>
    public string? TerminatedMessage { get; init; }

    /// <summary>Its exit code, once it has ended.</summary>
    public int? ExitCode { get; init; }

    /// <summary>Whether it runs.</summary>
    public bool IsRunning { get; init; }
}
