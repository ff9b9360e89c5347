using System.Text.Json.Serialization;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;

/// <summary>A lease of <c>coordination.k8s.io/v1</c>: who holds something, and until when.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Uid">Its identity.</param>
/// <param name="ResourceVersion">Its version.</param>
/// <param name="Spec">What it says.</param>
public sealed record Lease(string Name, string Uid, string ResourceVersion, LeaseSpec Spec) : IApiObject;

/// <summary>What a lease says.</summary>
public sealed record LeaseSpec
{
    /// <summary>Who holds it.</summary>
    public string? HolderIdentity { get; init; }

    /// <summary>For how long after <see cref="RenewTime"/>, in seconds.</summary>
    public int? LeaseDurationSeconds { get; init; }

    /// <summary>When the holder got it.</summary>
    [JsonConverter(typeof(MicroTimeConverter))]
    public DateTimeOffset? AcquireTime { get; init; }

    /// <summary>When the holder last said that it holds it.</summary>
    [JsonConverter(typeof(MicroTimeConverter))]
    public DateTimeOffset? RenewTime { get; init; }

    /// <summary>How often the holder has changed.</summary>
    public int? LeaseTransitions { get; init; }
}

/// <summary>A lease to create, with <see cref="KubernetesJsonContext"/>.</summary>
public sealed record LeaseManifest
{
    /// <summary>Always <c>coordination.k8s.io/v1</c>.</summary>
    public string ApiVersion { get; } = "coordination.k8s.io/v1";

    /// <summary>Always <c>Lease</c>.</summary>
    public string Kind { get; } = "Lease";

    /// <summary>Its name and labels.</summary>
    public required ManifestMetadata Metadata { get; init; }

    /// <summary>What it says.</summary>
    public required LeaseSpec Spec { get; init; }
}

/// <summary>How a new object is called.</summary>
public sealed record ManifestMetadata
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its labels.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>Its annotations.</summary>
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}
