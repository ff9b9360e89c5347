using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;

namespace DonkeyWork.CodeSandbox.Sandboxes;

/// <summary>A validated <see cref="AllocateRequest"/>.</summary>
internal sealed record Claim
{
    /// <summary>The user id.</summary>
    public required string Owner { get; init; }

    /// <summary>The caller's own id of the claim.</summary>
    public string? ClaimId { get; init; }

    public IReadOnlyDictionary<string, string>? Environment { get; init; }

    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    public TimeSpan? Lifetime { get; init; }

    /// <summary>How long to wait for one of the pool.</summary>
    public TimeSpan Wait { get; init; }

    public bool CreateIfExhausted { get; init; }

    /// <summary>The one write that makes a sandbox this owner's.</summary>
    public SandboxChange ChangeAt(DateTimeOffset now) => new()
    {
        PoolStatus = PoolStatus.Allocated,
        Owner = Owner,
        AllocatedAt = now,
        ClaimId = ClaimId,
        Lifetime = Lifetime,
        Labels = Labels,
    };

    /// <summary>What its executor is told.</summary>
    public ClaimRequest ToRequest() => new() { Environment = Environment, Owner = Owner, ClaimId = ClaimId };
}
