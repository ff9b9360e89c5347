using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Sandboxes.Backends;

/// <summary>What a change sets; <see langword="null"/> leaves a field as it is.</summary>
public sealed record SandboxChange
{
    /// <summary>The last use.</summary>
    public DateTimeOffset? LastActivity { get; init; }

    /// <summary>The pool's word.</summary>
    public PoolStatus? PoolStatus { get; init; }

    /// <summary>The owner's user id.</summary>
    public string? Owner { get; init; }

    /// <summary>When the owner got it.</summary>
    public DateTimeOffset? AllocatedAt { get; init; }

    /// <summary>Labels added to those it has.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }
}

/// <summary>What must still be true of a sandbox that is to be deleted.</summary>
public enum DeleteCondition
{
    /// <summary>It is the same sandbox (a caller's delete).</summary>
    SameUid,

    /// <summary>It has not changed since it was judged (a sweeper's delete).</summary>
    SameVersion,
}
