using System.Text.Json.Serialization;

namespace DonkeyWork.CodeSandbox.Contracts;

/// <summary>One sandbox as the Manager shows it ("container info" on the wire).</summary>
public sealed record SandboxInfo
{
    /// <summary>The sandbox's name: the configured prefix, and 8 hex digits; also <c>podName</c>, <c>sandboxId</c> and <c>id</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Kubernetes' pod phase: <c>Pending</c>, <c>Running</c>, <c>Succeeded</c>, <c>Failed</c>, <c>Unknown</c>.</summary>
    public required string Phase { get; init; }

    /// <summary>Whether it serves: commands are accepted, of a <c>warm</c> one once it is claimed.</summary>
    public required bool IsReady { get; init; }

    /// <summary>When the sandbox was created.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>The last recorded use; up to 30 s behind the real one, and ahead of the clock where <c>keepalive</c> has moved it.</summary>
    public DateTimeOffset? LastActivity { get; init; }

    /// <summary>The machine it runs on.</summary>
    public string? NodeName { get; init; }

    /// <summary>Its address, where it has one.</summary>
    [JsonPropertyName("podIP")]
    public string? PodIP { get; init; }

    /// <summary>Labels, the caller's and ours.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>The image, or <c>host</c> where the machine's own <c>/usr</c> is shared read-only.</summary>
    public string? Image { get; init; }

    /// <summary>The RuntimeClass, or the OCI runtime's name on one machine.</summary>
    public string? RuntimeClass { get; init; }

    /// <summary>Whether the sandbox waits in the pool or belongs to somebody.</summary>
    public PoolStatus? PoolStatus { get; init; }

    /// <summary>The user id given to the claim.</summary>
    public string? Owner { get; init; }

    /// <summary>When it expires if nothing uses it; it goes at the next look (<c>CleanupCheckIntervalMinutes</c>). Not given of one in the pool.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Requests and limits in force.</summary>
    public ResourceRequirements? Resources { get; init; }

    /// <summary><see langword="false"/> where the host cannot enforce the limits and the operator has allowed that.</summary>
    public bool? LimitsEnforced { get; init; }
}

/// <summary>How a sandbox came to its owner.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PoolStatus>))]
public enum PoolStatus
{
    /// <summary>Of the pool, not ready yet.</summary>
    [JsonStringEnumMemberName("creating")] Creating,

    /// <summary>Of the pool, ready, nobody's.</summary>
    [JsonStringEnumMemberName("warm")] Warm,

    /// <summary>Claimed from the pool.</summary>
    [JsonStringEnumMemberName("allocated")] Allocated,

    /// <summary>Created by <c>POST /api/kata</c>.</summary>
    [JsonStringEnumMemberName("manual")] Manual,
}
