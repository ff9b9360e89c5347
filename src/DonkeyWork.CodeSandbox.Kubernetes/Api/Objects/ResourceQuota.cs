namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;

/// <summary>A resource quota. Amounts are the API's quantities as text, by resource (<c>pods</c>, <c>count/pods</c>, <c>limits.memory</c>).</summary>
public sealed record ResourceQuota : IApiObject
{
    /// <inheritdoc/>
    public required string Name { get; init; }

    /// <inheritdoc/>
    public required string Uid { get; init; }

    /// <inheritdoc/>
    public required string ResourceVersion { get; init; }

    /// <summary>When the API server took it.</summary>
    public DateTimeOffset CreationTimestamp { get; init; }

    /// <summary>What is asked for (<c>spec.hard</c>).</summary>
    public IReadOnlyDictionary<string, string> Hard { get; init; } = PodView.Empty;

    /// <summary>What is enforced (<c>status.hard</c>); empty until the quota controller has counted.</summary>
    public IReadOnlyDictionary<string, string> EnforcedHard { get; init; } = PodView.Empty;

    /// <summary>What is in use (<c>status.used</c>).</summary>
    public IReadOnlyDictionary<string, string> Used { get; init; } = PodView.Empty;

    /// <summary>Whether it counts only some objects (<c>spec.scopes</c> or <c>spec.scopeSelector</c>).</summary>
    public bool IsScoped { get; init; }
}
