using System.Text.Json.Serialization;

namespace DonkeyWork.CodeSandbox.Contracts;

/// <summary>The body of <c>POST …/executions</c>: one of <see cref="Command"/> and <see cref="Argv"/>, and how it is to run.</summary>
public sealed record StartExecutionRequest
{
    /// <summary>The default of <see cref="KeepOutputBytes"/>: 16 MiB.</summary>
    public const long DefaultKeepOutputBytes = 16 * 1024 * 1024;

    /// <summary>The largest <see cref="KeepOutputBytes"/>, which is what all executions of a sandbox keep together: 256 MiB.</summary>
    public const long MaxKeepOutputBytes = 256 * 1024 * 1024;

    /// <summary>The longest <see cref="Id"/>, in characters.</summary>
    public const int MaxIdLength = 64;

    /// <summary>
    /// The caller's name for it, <c>[A-Za-z0-9][A-Za-z0-9._-]{0,63}</c>: the same start twice is one process, for the sandbox's
    /// whole life. Without one the executor makes one up.
    /// </summary>
    public string? Id { get; init; }

    /// <summary>Given to <c>/bin/bash -c</c> as one argument, byte for byte.</summary>
    public string? Command { get; init; }

    /// <summary>Started without a shell; a name without a slash is looked for along the command's PATH.</summary>
    public IReadOnlyList<string>? Argv { get; init; }

    /// <summary>Where it starts; default the sandbox user's home.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Added to the sandbox's environment for this execution alone.</summary>
    public IReadOnlyDictionary<string, string>? Environment { get; init; }

    /// <summary>Seconds until the whole process tree is killed, 1 to 86,400; default 300, of one with a terminal 86,400.</summary>
    public int? TimeoutSeconds { get; init; }

    /// <summary>Whether standard input stays open for <c>POST …/stdin</c>; else it is <c>/dev/null</c>. A terminal's always is.</summary>
    public bool? Stdin { get; init; }

    /// <summary>A terminal of this size in place of pipes.</summary>
    public TerminalSize? Pty { get; init; }

    /// <summary>How much of the output is kept, in bytes, 1 to 268,435,456; default 16 MiB. Below 512 KiB it is 512 KiB.</summary>
    public long? KeepOutputBytes { get; init; }

    /// <summary>What happens when more is printed than is kept; default <c>wait</c> where the start asks for the stream, else <c>drop</c>.</summary>
    public OverflowPolicy? Overflow { get; init; }
}

/// <summary>The size of a terminal in characters, each 1 to 65,535.</summary>
public sealed record TerminalSize
{
    /// <summary>Columns.</summary>
    public required int Cols { get; init; }

    /// <summary>Rows.</summary>
    public required int Rows { get; init; }
}

/// <summary>What happens when an execution prints more than is kept.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<OverflowPolicy>))]
public enum OverflowPolicy
{
    /// <summary>The process is held, as by a full pipe, while three quarters of what may be kept have been sent to no reader.</summary>
    [JsonStringEnumMemberName("wait")] Wait,

    /// <summary>The process is never held; the middle of its output goes, and is counted.</summary>
    [JsonStringEnumMemberName("drop")] Drop,
}
