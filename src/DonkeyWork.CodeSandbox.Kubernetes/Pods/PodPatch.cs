using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;

namespace DonkeyWork.CodeSandbox.Kubernetes.Pods;

/// <summary>A change as one JSON patch, which applies to the pod while its condition holds, or not at all.</summary>
internal static class PodPatch
{
    public static JsonPatch Of(Sandbox seen, SandboxChange change, ChangeCondition condition)
    {
        var patch = new JsonPatch().Test("/metadata/uid", seen.Uid);
        _ = condition == ChangeCondition.StillWarm
            ? patch.Test(Label(SandboxLabels.PoolStatus), SandboxLabels.PoolStatusValue(PoolStatus.Warm))
            : patch.Test("/metadata/resourceVersion", seen.Version);
        foreach (var (key, value) in change.Labels ?? new Dictionary<string, string>()) patch.Add(Label(key), value);
        if (change.PoolStatus is { } status) patch.Add(Label(SandboxLabels.PoolStatus), SandboxLabels.PoolStatusValue(status));
        if (change.Owner is { } owner)
        {
            patch.Add(Annotation(PodKeys.AllocatedTo), owner);
            patch.Add(Label(SandboxLabels.AllocatedTo), SandboxLabels.OwnerValue(owner));
        }

        if (change.AllocatedAt is { } allocated) patch.Add(Annotation(PodKeys.AllocatedAt), PodKeys.Format(allocated));
        if (change.ClaimId is { } claim) patch.Add(Annotation(PodKeys.ClaimId), claim);
        if (change.Lifetime is { } lifetime) patch.Add(Annotation(PodKeys.LifetimeSeconds), PodKeys.Format(lifetime));
        if (change.LastActivity is { } used) patch.Add(Annotation(PodKeys.LastActivity), PodKeys.Format(used));
        return patch;
    }

    private static string Label(string key) => $"/metadata/labels/{JsonPatch.Escape(key)}";

    private static string Annotation(string key) => $"/metadata/annotations/{JsonPatch.Escape(PodView.AnnotationPrefix + key)}";
}
