using System.Text.Json.Serialization;

namespace DonkeyWork.CodeSandbox.Contracts;

/// <summary>
/// The names of the events of <c>GET …/executions/{id}/events</c>. <c>started</c> first (unless replayed from behind it), any
/// number of <c>output</c> and <c>truncated</c>, then exactly one <c>exited</c>, whose data is an <see cref="ExecutionState"/>.
/// </summary>
public static class ExecutionEventNames
{
    /// <summary>The media type of the binary framing, <see cref="ExecutionFrame"/>.</summary>
    public const string FramesMediaType = "application/vnd.codesandbox.frames";

    /// <summary>An <see cref="ExecutionStarted"/>.</summary>
    public const string Started = "started";

    /// <summary>An <see cref="ExecutionOutput"/>; in the binary framing a frame of its stream.</summary>
    public const string Output = "output";

    /// <summary>An <see cref="ExecutionTruncated"/>.</summary>
    public const string Truncated = "truncated";

    /// <summary>An <see cref="ExecutionState"/>; nothing follows.</summary>
    public const string Exited = "exited";
}

/// <summary>The event <c>started</c>.</summary>
public sealed record ExecutionStarted
{
    /// <summary>The execution.</summary>
    public required string ExecutionId { get; init; }

    /// <summary>The process id inside the sandbox.</summary>
    public required int Pid { get; init; }
}

/// <summary>The event <c>output</c>: a chunk of up to 64 KiB, with exactly one of <see cref="Data"/> and <see cref="Base64"/>.</summary>
public sealed record ExecutionOutput
{
    /// <summary>Where it was printed.</summary>
    public required OutputChannel Stream { get; init; }

    /// <summary>The chunk, where it is UTF-8; cut only at character borders.</summary>
    public string? Data { get; init; }

    /// <summary>The chunk, where it is not.</summary>
    public byte[]? Base64 { get; init; }
}

/// <summary>The event <c>truncated</c>: this reader cannot have these bytes any more.</summary>
public sealed record ExecutionTruncated
{
    /// <summary>Where they were printed.</summary>
    public required OutputChannel Stream { get; init; }

    /// <summary>How many they were.</summary>
    public required long Bytes { get; init; }
}

/// <summary>Where an execution prints; the numbers are those of <see cref="ExecutionFrame.Stream"/>.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<OutputChannel>))]
public enum OutputChannel : byte
{
    /// <summary>Standard output.</summary>
    [JsonStringEnumMemberName("stdout")] Stdout = 1,

    /// <summary>Standard error.</summary>
    [JsonStringEnumMemberName("stderr")] Stderr = 2,

    /// <summary>The terminal.</summary>
    [JsonStringEnumMemberName("pty")] Pty = 3,
}
