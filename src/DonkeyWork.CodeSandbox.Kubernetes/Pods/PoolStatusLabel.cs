using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Kubernetes.Pods;

/// <summary>Reads what <see cref="Sandboxes.SandboxLabels.PoolStatusValue"/> has written.</summary>
internal static class PoolStatusLabel
{
    /// <summary>A label that says something else, or is gone, makes a sandbox that nobody hands out.</summary>
    public static PoolStatus Parse(string? label) => label switch
    {
        "warm" => PoolStatus.Warm,
        "allocated" => PoolStatus.Allocated,
        _ => PoolStatus.Manual,
    };
}
