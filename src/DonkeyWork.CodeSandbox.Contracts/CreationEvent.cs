using System.Text.Json.Serialization;

namespace DonkeyWork.CodeSandbox.Contracts;

/// <summary>
/// What the stream of <c>POST /api/kata</c> says: <c>created</c> first; with
/// <c>waitForReady</c> exactly one <c>ready</c> or <c>failed</c> last.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "eventType", IgnoreUnrecognizedTypeDiscriminators = false)]
[JsonDerivedType(typeof(SandboxCreated), "created")]
[JsonDerivedType(typeof(SandboxWaiting), "waiting")]
[JsonDerivedType(typeof(SandboxHealthCheck), "healthcheck")]
[JsonDerivedType(typeof(SandboxReady), "ready")]
[JsonDerivedType(typeof(SandboxFailed), "failed")]
public abstract record CreationEvent
{
    /// <summary>The sandbox's name.</summary>
    [JsonPropertyOrder(-1)]
    public required string PodName { get; init; }
}

/// <summary>The backend has accepted the sandbox.</summary>
public sealed record SandboxCreated : CreationEvent
{
    /// <summary>Its phase, normally <c>Pending</c>.</summary>
    public required string Phase { get; init; }
}

/// <summary>Not ready yet; sent when something changed and at least every 2 s.</summary>
public sealed record SandboxWaiting : CreationEvent
{
    /// <summary>Counts these events from 1.</summary>
    public required int AttemptNumber { get; init; }

    /// <summary>The phase.</summary>
    public required string Phase { get; init; }

    /// <summary>What it waits for.</summary>
    public required string Message { get; init; }
}

/// <summary>The executor was asked for its health.</summary>
public sealed record SandboxHealthCheck : CreationEvent
{
    /// <summary>Whether it answered.</summary>
    public required bool IsHealthy { get; init; }

    /// <summary>In words.</summary>
    public required string Message { get; init; }

    /// <summary>The sandbox's address, where it has one.</summary>
    [JsonPropertyName("podIP")]
    public string? PodIP { get; init; }
}

/// <summary>Commands are accepted. Last.</summary>
public sealed record SandboxReady : CreationEvent
{
    /// <summary>The sandbox.</summary>
    public required SandboxInfo ContainerInfo { get; init; }

    /// <summary>Seconds from the request to here.</summary>
    public required double ElapsedSeconds { get; init; }

    /// <summary>Milliseconds of each phase that can be seen, by name.</summary>
    public IReadOnlyDictionary<string, double>? Timings { get; init; }
}

/// <summary>The sandbox did not become ready and was deleted. Last.</summary>
public sealed record SandboxFailed : CreationEvent
{
    /// <summary>Why.</summary>
    public required string Reason { get; init; }

    /// <summary>Its last known state.</summary>
    public SandboxInfo? ContainerInfo { get; init; }
}
