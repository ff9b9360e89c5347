using System.Text.Json.Serialization;

namespace DonkeyWork.CodeSandbox.Contracts;

/// <summary>
/// What the stream of <c>/execute</c> says: any number of <c>OutputEvent</c>, then exactly one
/// <c>CompletedEvent</c>. A stream that ends without it has not completed.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "$type")]
[JsonDerivedType(typeof(OutputEvent), nameof(OutputEvent))]
[JsonDerivedType(typeof(CompletedEvent), nameof(CompletedEvent))]
public abstract record ExecutionEvent
{
    /// <summary>The command's process id inside the sandbox.</summary>
    [JsonPropertyOrder(-1)]
    public required int Pid { get; init; }
}

/// <summary>One line of output, without its <c>\n</c>.</summary>
public sealed record OutputEvent : ExecutionEvent
{
    /// <summary>Where the command wrote it.</summary>
    public required OutputSource Stream { get; init; }

    /// <summary>The line; bytes that are not UTF-8 are U+FFFD.</summary>
    public required string Data { get; init; }

    /// <summary>No <c>\n</c> follows this text: the end of the output, or a part of a line longer than 1 MiB.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Partial { get; init; }
}

/// <summary>The command has ended. Last.</summary>
public sealed record CompletedEvent : ExecutionEvent
{
    /// <summary>The exit code, or 128 + signal.</summary>
    public required int ExitCode { get; init; }

    /// <summary>Whether the timeout killed it.</summary>
    public required bool TimedOut { get; init; }

    /// <summary>How it ended where not by itself.</summary>
    public CompletionReason? Reason { get; init; }
}

/// <summary>A standard stream.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<OutputSource>))]
public enum OutputSource
{
    /// <summary>Standard output.</summary>
    Stdout,

    /// <summary>Standard error.</summary>
    Stderr,
}

/// <summary>How a command ended that did not end by itself.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<CompletionReason>))]
public enum CompletionReason
{
    /// <summary>Its time was up; the whole tree was killed.</summary>
    [JsonStringEnumMemberName("timed_out")] TimedOut,

    /// <summary>A signal that the kernel's memory killer did not send.</summary>
    [JsonStringEnumMemberName("killed")] Killed,

    /// <summary>The kernel killed it for want of memory.</summary>
    [JsonStringEnumMemberName("oom_killed")] OomKilled,
}
