namespace DonkeyWork.CodeSandbox.Contracts;

/// <summary>The body of <c>POST /api/kata/allocate</c>: a sandbox of the pool that is this user's alone from then on.</summary>
public sealed record AllocateRequest
{
    /// <summary>The most characters of <see cref="UserId"/> and <see cref="ClaimId"/>.</summary>
    public const int MaxIdLength = 256;

    /// <summary>The upper bound of <see cref="WaitSeconds"/>.</summary>
    public const int MaxWaitSeconds = 300;

    /// <summary>Whose it will be; 1-256 characters. Required.</summary>
    public string? UserId { get; init; }

    /// <summary>
    /// The caller's own id of this claim, 1-256 characters: the same claim again, by the same user, on whichever Manager,
    /// gives the same sandbox for as long as there is one, as it was first asked for: the rest of the body then does nothing.
    /// </summary>
    public string? ClaimId { get; init; }

    /// <summary>What every command of the sandbox finds in its environment. Names match <c>[A-Za-z_][A-Za-z0-9_]*</c>.</summary>
    public IReadOnlyDictionary<string, string>? EnvironmentVariables { get; init; }

    /// <summary>Labels of the caller's own, by Kubernetes' rules for keys and values; the product's keys are reserved.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>Seconds after which the sandbox goes, used or not; at most the configured <c>MaxContainerLifetimeMinutes</c>, which is also the default.</summary>
    public int? TimeoutSeconds { get; init; }

    /// <summary>Seconds to wait for a sandbox where none is free, first come, first served; 0-300, default 0.</summary>
    public int? WaitSeconds { get; init; }

    /// <summary>Whether to create one where (after <c>waitSeconds</c>) none is free. That takes as long as a create.</summary>
    public bool CreateIfExhausted { get; init; }
}
