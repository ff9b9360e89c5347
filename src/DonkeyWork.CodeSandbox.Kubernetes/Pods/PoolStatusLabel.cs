using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Kubernetes.Pods;

/// <summary>The value of the label <c>pool-status</c>: <c>warm</c>, <c>allocated</c> or <c>manual</c>.</summary>
internal static class PoolStatusLabel
{
    public static string Format(PoolStatus status) => status switch
    {
        PoolStatus.Warm => "warm",
        PoolStatus.Allocated => "allocated",
        PoolStatus.Manual => "manual",
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, "Creating is derived, and never written."),
    };

    /// <summary>A label that says something else, or is gone, makes a sandbox that nobody hands out.</summary>
    public static PoolStatus Parse(string? label) => label switch
    {
        "warm" => PoolStatus.Warm,
        "allocated" => PoolStatus.Allocated,
        _ => PoolStatus.Manual,
    };
}
