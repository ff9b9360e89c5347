using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Sandboxes;

/// <summary>What a backend is asked to create. Validated and complete: no field needs a default any more.</summary>
public sealed record SandboxSpec
{
    /// <summary>The name, unused so far.</summary>
    public required string Name { get; init; }

    /// <summary>32 hex characters of randomness, not used before.</summary>
    public required string Nonce { get; init; }

    /// <summary>Lower-case hex of the token's SHA-256; all the executor learns of the token.</summary>
    public required string TokenHash { get; init; }

    /// <summary>
    /// <see cref="PoolStatus.Manual"/> and <see cref="PoolStatus.Allocated"/>: born claimed, allocated at
    /// <see cref="CreatedAt"/>. <see cref="PoolStatus.Warm"/>: closed until claimed.
    /// </summary>
    public required PoolStatus PoolStatus { get; init; }

    /// <summary>The user id, of an allocated one.</summary>
    public string? Owner { get; init; }

    /// <summary>The caller's own id of the claim, of an allocated one.</summary>
    public string? ClaimId { get; init; }

    /// <summary>How long its owner may have it, where that is said.</summary>
    public TimeSpan? Lifetime { get; init; }

    /// <summary>The term of the leader that makes it, of a warm one.</summary>
    public int? Epoch { get; init; }

    /// <summary>Labels, the caller's and ours.</summary>
    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    /// <summary>Requests and limits, every field set.</summary>
    public required ResourceRequirements Resources { get; init; }

    /// <summary>Environment and startup command.</summary>
    public required SandboxStart Start { get; init; }

    /// <summary>The creation time to record.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>What must not change while a sandbox waits in the pool, hashed.</summary>
    public required string Template { get; init; }
}
