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

    /// <summary>The caller's own id of the claim.</summary>
    public string? ClaimId { get; init; }

    /// <summary>How long its owner may have it.</summary>
    public TimeSpan? Lifetime { get; init; }

    /// <summary>Labels added to those it has.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>What the change makes of a sandbox, for backends that hold sandboxes as such. The version is theirs to set.</summary>
    public Sandbox ApplyTo(Sandbox sandbox) => sandbox with
    {
        LastActivity = LastActivity ?? sandbox.LastActivity,
        PoolStatus = PoolStatus ?? sandbox.PoolStatus,
        Owner = Owner ?? sandbox.Owner,
        AllocatedAt = AllocatedAt ?? sandbox.AllocatedAt,
        ClaimId = ClaimId ?? sandbox.ClaimId,
        Lifetime = Lifetime ?? sandbox.Lifetime,
        Labels = LabelsOver(sandbox.Labels),
    };

    private Dictionary<string, string> LabelsOver(IReadOnlyDictionary<string, string> before)
    {
        var labels = new Dictionary<string, string>(before, StringComparer.Ordinal);
        if (PoolStatus is { } status) labels[SandboxLabels.PoolStatus] = SandboxLabels.PoolStatusValue(status);
        if (Owner is { } owner) labels[SandboxLabels.AllocatedTo] = SandboxLabels.OwnerValue(owner);
        foreach (var (key, value) in Labels ?? new Dictionary<string, string>()) labels[key] = value;
        return labels;
    }
}

/// <summary>What must still be true of a sandbox that is to be changed.</summary>
public enum ChangeCondition
{
    /// <summary>It has not changed since it was seen (<see cref="Sandbox.Version"/>).</summary>
    SameVersion,

    /// <summary>
    /// It is the same sandbox and still nobody's (<see cref="PoolStatus.Warm"/>), whatever else has changed: of any number of
    /// claims at once one succeeds.
    /// </summary>
    StillWarm,
}

/// <summary>What must still be true of a sandbox that is to be deleted.</summary>
public enum DeleteCondition
{
    /// <summary>It is the same sandbox (a caller's delete).</summary>
    SameUid,

    /// <summary>It has not changed since it was judged (a sweeper's delete).</summary>
    SameVersion,
}
