using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client;

/// <summary>What a command did that ran to its end.</summary>
public sealed record RunResult
{
    /// <summary>The exit code, or 128 + signal.</summary>
    public required int ExitCode { get; init; }

    /// <summary>What it printed, exactly: every <c>\r</c> and <c>\n</c> as written; bytes that are not UTF-8 are U+FFFD.</summary>
    public required string StandardOutput { get; init; }

    /// <summary>What it printed to standard error, as exactly.</summary>
    public required string StandardError { get; init; }

    /// <summary>Whether its timeout killed it.</summary>
    public required bool TimedOut { get; init; }

    /// <summary>How it ended where not by itself.</summary>
    public CompletionReason? Reason { get; init; }
}
