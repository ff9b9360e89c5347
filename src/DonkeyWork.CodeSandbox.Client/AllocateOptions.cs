using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client;

/// <summary>What a claim of a warm sandbox may say beside whose it is. Everything is optional.</summary>
public sealed record AllocateOptions
{
    /// <summary>
    /// Your own id of this claim, 1-256 characters: the same claim again, by the same user, on whichever Manager, gives the
    /// same sandbox for as long as there is one, as it was first asked for. Default: one that nobody else has.
    /// </summary>
    public string? ClaimId { get; init; }

    /// <summary>What every command of the sandbox finds in its environment. Names match <c>[A-Za-z_][A-Za-z0-9_]*</c>.</summary>
    public IReadOnlyDictionary<string, string>? EnvironmentVariables { get; init; }

    /// <summary>Labels of your own, by Kubernetes' rules for keys and values; the product's keys are reserved.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>Seconds after which the sandbox goes, used or not; from 1 to the Manager's maximum, which is also the default.</summary>
    public int? TimeoutSeconds { get; init; }

    /// <summary>Seconds to wait where no sandbox is free, first come, first served: 0 to 300, default 0.</summary>
    public int WaitSeconds { get; init; }

    /// <summary>Whether one is created where, after <see cref="WaitSeconds"/>, none is free. That takes as long as a create.</summary>
    public bool CreateIfExhausted { get; init; }

    internal AllocateRequest ToRequest(string userId) => new()
    {
        UserId = userId,
        ClaimId = ClaimId ?? Guid.NewGuid().ToString("N"),
        EnvironmentVariables = EnvironmentVariables,
        Labels = Labels,
        TimeoutSeconds = TimeoutSeconds,
        WaitSeconds = WaitSeconds,
        CreateIfExhausted = CreateIfExhausted,
    };
}
