using System.Security.Cryptography;
using System.Text;

namespace DonkeyWork.CodeSandbox.Sandboxes;

/// <summary>The labels that every sandbox carries beside the caller's. Their keys are reserved.</summary>
public static class SandboxLabels
{
    /// <summary>The key of who made it.</summary>
    public const string ManagedBy = "managed-by";

    /// <summary>Who made it.</summary>
    public const string Manager = "CodeSandbox-Manager";

    /// <summary>The key of <c>warm</c>, <c>allocated</c> or <c>manual</c>.</summary>
    public const string PoolStatus = "pool-status";

    /// <summary>The key of whom it belongs to: the first 40 hex digits of the SHA-256 of the user id, which itself need not be fit for a label.</summary>
    public const string AllocatedTo = "allocated-to";

    private const int OwnerHexDigits = 40;

    /// <summary>A user id as the value of <see cref="AllocatedTo"/>.</summary>
    public static string OwnerValue(string owner) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(owner)))[..OwnerHexDigits];

    /// <summary>A pool status as the value of <see cref="PoolStatus"/>.</summary>
    public static string PoolStatusValue(Contracts.PoolStatus status) => status switch
    {
        Contracts.PoolStatus.Warm => "warm",
        Contracts.PoolStatus.Allocated => "allocated",
        Contracts.PoolStatus.Manual => "manual",
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, "Creating is derived, and never written."),
    };

    /// <summary>All of a sandbox that was created by <c>POST /api/kata</c>.</summary>
    public static IReadOnlyDictionary<string, string> OfManual { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["app"] = "kata-manager",
        ["runtime"] = "kata",
        [ManagedBy] = Manager,
        ["container-type"] = "sandbox",
        [PoolStatus] = "manual",
    };
}
