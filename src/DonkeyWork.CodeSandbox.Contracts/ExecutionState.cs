using System.Text.Json.Serialization;

namespace DonkeyWork.CodeSandbox.Contracts;

/// <summary>An execution as it is now, or how it ended: the answer of <c>GET …/executions/{id}</c> and the event <c>exited</c>.</summary>
public sealed record ExecutionState
{
    /// <summary>Its id.</summary>
    public required string Id { get; init; }

    /// <summary>The command, where it was one.</summary>
    public string? Command { get; init; }

    /// <summary>The argument array, where it was one.</summary>
    public IReadOnlyList<string>? Argv { get; init; }

    /// <summary>The process id inside the sandbox.</summary>
    public required int Pid { get; init; }

    /// <summary>Whether it runs.</summary>
    public required ExecutionStatus Status { get; init; }

    /// <summary>When it was started.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset? ExitedAt { get; init; }

    /// <summary>The exit code, or 128 + signal.</summary>
    public int? ExitCode { get; init; }

    /// <summary>The signal that ended it, such as <c>SIGKILL</c>.</summary>
    public string? Signal { get; init; }

    /// <summary>How it ended.</summary>
    public ExitReason? Reason { get; init; }

    /// <summary>The CPU time of everything it started, in milliseconds, where that is known.</summary>
    public long? CpuMilliseconds { get; init; }

    /// <summary>The largest resident set of any one of its processes, in bytes, where that is known.</summary>
    public long? PeakMemoryBytes { get; init; }

    /// <summary>Bytes printed to standard output, or to the terminal.</summary>
    public required long StdoutBytes { get; init; }

    /// <summary>Bytes printed to standard error.</summary>
    public required long StderrBytes { get; init; }

    /// <summary>Bytes printed that are no longer kept.</summary>
    public required long TruncatedBytes { get; init; }
}

/// <summary>Whether an execution runs.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ExecutionStatus>))]
public enum ExecutionStatus
{
    /// <summary>The process runs, or its last output is still being read.</summary>
    [JsonStringEnumMemberName("running")] Running,

    /// <summary>It has ended, and nothing follows.</summary>
    [JsonStringEnumMemberName("exited")] Exited,
}

/// <summary>How an execution ended.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ExitReason>))]
public enum ExitReason
{
    /// <summary>By itself.</summary>
    [JsonStringEnumMemberName("exited")] Exited,

    /// <summary>Its time was up; the whole tree was killed.</summary>
    [JsonStringEnumMemberName("timed_out")] TimedOut,

    /// <summary>By a signal that the kernel's memory killer did not send.</summary>
    [JsonStringEnumMemberName("killed")] Killed,

    /// <summary>The kernel killed it for want of memory.</summary>
    [JsonStringEnumMemberName("oom_killed")] OomKilled,
}
