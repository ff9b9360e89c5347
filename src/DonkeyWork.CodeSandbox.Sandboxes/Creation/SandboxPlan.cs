using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Sandboxes.Creation;

/// <summary>A validated create: all of its <see cref="SandboxSpec"/> that does not depend on the name.</summary>
internal sealed record SandboxPlan
{
    /// <summary>Manual, warm or allocated.</summary>
    public required PoolStatus PoolStatus { get; init; }

    public string? Owner { get; init; }

    public string? ClaimId { get; init; }

    public TimeSpan? Lifetime { get; init; }

    public int? Epoch { get; init; }

    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    public required ResourceRequirements Resources { get; init; }

    public required SandboxStart Start { get; init; }

    public required string Template { get; init; }

    /// <summary>
    /// Whether what comes of a create that is not answered is lost to everyone: a warm one is the pool's whenever it turns
    /// up, and one with a claim's id is found when the claim is made again.
    /// </summary>
    public bool IsLostUnanswered => PoolStatus != PoolStatus.Warm && ClaimId is null;
}
