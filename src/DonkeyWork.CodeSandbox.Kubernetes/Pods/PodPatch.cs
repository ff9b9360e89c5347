using System.Security.Cryptography;
using System.Text;
using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;

namespace DonkeyWork.CodeSandbox.Kubernetes.Pods;

/// <summary>A change as one JSON patch, which applies to the pod exactly as it was seen, or not at all.</summary>
internal static class PodPatch
{
    private const int OwnerHexDigits = 40;

    public static JsonPatch Of(Sandbox seen, SandboxChange change)
    {
        var patch = new JsonPatch().Test("/metadata/uid", seen.Uid).Test("/metadata/resourceVersion", seen.Version);
        foreach (var (key, value) in change.Labels ?? new Dictionary<string, string>()) patch.Add(Label(key), value);
        if (change.PoolStatus is { } status) patch.Add(Label(SandboxLabels.PoolStatus), PoolStatusLabel.Format(status));
        if (change.Owner is { } owner)
        {
            patch.Add(Annotation(PodKeys.AllocatedTo), owner);
            patch.Add(Label(SandboxLabels.AllocatedTo), OwnerLabel(owner));
        }

        if (change.AllocatedAt is { } allocated) patch.Add(Annotation(PodKeys.AllocatedAt), PodKeys.Format(allocated));
        if (change.LastActivity is { } used) patch.Add(Annotation(PodKeys.LastActivity), PodKeys.Format(used));
        return patch;
    }

    /// <summary>A user id as a label's value: any text fits.</summary>
    public static string OwnerLabel(string owner) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(owner)))[..OwnerHexDigits];

    private static string Label(string key) => $"/metadata/labels/{JsonPatch.Escape(key)}";

    private static string Annotation(string key) => $"/metadata/annotations/{JsonPatch.Escape(PodView.AnnotationPrefix + key)}";
}
