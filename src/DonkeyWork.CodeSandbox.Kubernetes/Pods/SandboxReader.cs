using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;
using DonkeyWork.CodeSandbox.Sandboxes;

namespace DonkeyWork.CodeSandbox.Kubernetes.Pods;

/// <summary>Reads a sandbox off its pod.</summary>
internal static class SandboxReader
{
    /// <summary>Whether a pod is ours. Others in the namespace are never read, changed, deleted or shown, whatever they are called.</summary>
    /// <remarks>Without the label the watch would not tell what becomes of it.</remarks>
    public static bool IsOurs(PodView pod) =>
        pod.Annotations.ContainsKey(PodKeys.Template) && pod.Labels.GetValueOrDefault(SandboxLabels.ManagedBy) == SandboxLabels.Manager;

    /// <summary>The sandbox that one of our pods is.</summary>
    public static Sandbox Read(PodView pod)
    {
        var phase = PhaseOf(pod);
        var isReady = phase == SandboxPhase.Running && pod.DeletionTimestamp is null && Is(pod, "Ready");
        var isCutOff = !isReady && IsCutOff(pod, phase);
        var poolStatus = PoolStatusLabel.Parse(pod.Labels.GetValueOrDefault(SandboxLabels.PoolStatus));
        var createdAt = pod.Annotations.ReadTime(PodKeys.CreatedAt) ?? pod.CreationTimestamp;
        return new Sandbox
        {
            Name = pod.Name,
            Uid = pod.Uid,
            Version = pod.ResourceVersion,
            Nonce = pod.Annotations.GetValueOrDefault(PodKeys.Nonce, ""),
            Phase = phase,
            IsReady = isReady,
            IsCutOff = isCutOff,
            IsDeleting = pod.DeletionTimestamp is not null,
            Message = isReady ? null : PodMessage.Of(pod, phase, isCutOff),
            CreatedAt = createdAt,
            AllocatedAt = pod.Annotations.ReadTime(PodKeys.AllocatedAt) ?? (poolStatus == PoolStatus.Warm ? null : createdAt),
            LastActivity = pod.Annotations.ReadTime(PodKeys.LastActivity),
            PoolStatus = poolStatus,
            ClaimId = pod.Annotations.GetValueOrDefault(PodKeys.ClaimId),
            Lifetime = pod.Annotations.ReadNumber(PodKeys.LifetimeSeconds) is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            Epoch = pod.Annotations.ReadNumber(PodKeys.Epoch),
            Owner = pod.Annotations.GetValueOrDefault(PodKeys.AllocatedTo),
            Labels = pod.Labels,
            Resources = pod.Resources ?? new ResourceRequirements(),
            NodeName = pod.NodeName,
            Address = pod.PodIP,
            Image = pod.Image,
            RuntimeClass = pod.RuntimeClassName,
            Template = pod.Annotations.GetValueOrDefault(PodKeys.Template),
        };
    }

    private static SandboxPhase PhaseOf(PodView pod) => pod.Phase switch
    {
        "Pending" => SandboxPhase.Pending,
        "Running" => SandboxPhase.Running,
        "Succeeded" => SandboxPhase.Succeeded,
        "Failed" => SandboxPhase.Failed,
        _ => SandboxPhase.Unknown,
    };

    // Of a node that does not report any more, the node controller changes the pods' Ready alone; a kubelet changes
    // ContainersReady with it (https://kubernetes.io/docs/concepts/architecture/nodes/#condition).
    private static bool IsCutOff(PodView pod, SandboxPhase phase) =>
        phase == SandboxPhase.Unknown || (phase == SandboxPhase.Running && pod.Container is { IsRunning: true } && Is(pod, "ContainersReady"));

    private static bool Is(PodView pod, string condition)
    {
        foreach (var one in pod.Conditions)
            if (one.Type == condition) return one.Status == "True";
        return false;
    }
}
