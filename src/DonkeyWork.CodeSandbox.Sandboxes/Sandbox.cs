using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Sandboxes;

/// <summary>One sandbox as its backend showed it at one moment. Immutable: a change is a new record with a new <see cref="Version"/>.</summary>
public sealed record Sandbox
{
    /// <summary>Its name, <c>&lt;prefix&gt;-&lt;8 hex&gt;</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Its identity: a later sandbox of the same name has another.</summary>
    public required string Uid { get; init; }

    /// <summary>Of this state; opaque, compared for equality only.</summary>
    public required string Version { get; init; }

    /// <summary>Known before the create; the token is derived from it and from <see cref="Name"/>.</summary>
    public required string Nonce { get; init; }

    /// <summary>Where it is in its life.</summary>
    public required SandboxPhase Phase { get; init; }

    /// <summary>Whether the backend holds it for up. The executor is asked once more before anyone is told.</summary>
    public required bool IsReady { get; init; }

    /// <summary>
    /// It was up, and the backend has lost the machine it runs on: not ready, and not being created either. It may come
    /// back, so it is listed and can be deleted; who has a command for it is told that its executor does not answer.
    /// </summary>
    public bool IsCutOff { get; init; }

    /// <summary>A delete was accepted.</summary>
    public bool IsDeleting { get; init; }

    /// <summary>What it waits for, or why it failed; for people.</summary>
    public string? Message { get; init; }

    /// <summary>When it was created.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it got its owner; for a manual sandbox its creation.</summary>
    public DateTimeOffset? AllocatedAt { get; init; }

    /// <summary>The last recorded use.</summary>
    public DateTimeOffset? LastActivity { get; init; }

    /// <summary><see cref="PoolStatus.Manual"/>, <see cref="PoolStatus.Warm"/> or <see cref="PoolStatus.Allocated"/> as recorded; creating is derived.</summary>
    public required PoolStatus PoolStatus { get; init; }

    /// <summary>The user id of the claim.</summary>
    public string? Owner { get; init; }

    /// <summary>The caller's own id of the claim, where one was given.</summary>
    public string? ClaimId { get; init; }

    /// <summary>How long its owner may have it, where the claim says so.</summary>
    public TimeSpan? Lifetime { get; init; }

    /// <summary>The term of the leader that made it for the pool.</summary>
    public int? Epoch { get; init; }

    /// <summary>Labels, the caller's and ours.</summary>
    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    /// <summary>Requests and limits in force, every field set.</summary>
    public required ResourceRequirements Resources { get; init; }

    /// <summary>Whether the host enforces <see cref="Resources"/>.</summary>
    public bool LimitsEnforced { get; init; } = true;

    /// <summary>The machine it runs on.</summary>
    public string? NodeName { get; init; }

    /// <summary>Its IP address, where it has one.</summary>
    public string? Address { get; init; }

    /// <summary>The image, or <c>host</c>.</summary>
    public string? Image { get; init; }

    /// <summary>The RuntimeClass or OCI runtime.</summary>
    public string? RuntimeClass { get; init; }

    /// <summary>Hash of image, resources and spec.</summary>
    public string? Template { get; init; }
}

/// <summary>Kubernetes' pod phases.</summary>
public enum SandboxPhase
{
    /// <summary>Accepted, not running yet.</summary>
    Pending,

    /// <summary>Its executor was started.</summary>
    Running,

    /// <summary>Its executor ended with 0.</summary>
    Succeeded,

    /// <summary>Its executor ended otherwise, or it could not be started.</summary>
    Failed,

    /// <summary>The backend cannot tell.</summary>
    Unknown,
}
