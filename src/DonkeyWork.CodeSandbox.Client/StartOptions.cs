using DonkeyWork.CodeSandbox.Client.Executions;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client;

/// <summary>How an execution is started. Everything is optional.</summary>
public sealed record StartOptions
{
    /// <summary>
    /// Your own name for it, 1-64 of <c>A-Z a-z 0-9 . _ -</c>, a letter or digit first. The same start again, by whomever and
    /// through whichever Manager, is the same process for the sandbox's whole life. Default: one that nobody else has.
    /// </summary>
    public string? Id { get; init; }

    /// <summary>Where it starts. Default: the sandbox user's home.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Added to the sandbox's environment for this execution alone.</summary>
    public IReadOnlyDictionary<string, string>? Environment { get; init; }

    /// <summary>Seconds until it and everything it started is killed: 1 to 86,400; default 300, with a terminal 86,400.</summary>
    public int? TimeoutSeconds { get; init; }

    /// <summary>Whether <see cref="Execution.StandardInput"/> stays open for it. Default: it reads nothing, from <c>/dev/null</c>.</summary>
    public bool OpenStandardInput { get; init; }

    /// <summary>A terminal of this size in place of pipes: input is open then, and all output is <see cref="OutputChannel.Pty"/>.</summary>
    public TerminalSize? Terminal { get; init; }

    /// <summary>How much of its output is kept for readers, in bytes; 512 KiB to 256 MiB, default 16 MiB.</summary>
    public long? KeepOutputBytes { get; init; }

    /// <summary>
    /// What happens when it prints more than is kept. <see cref="OverflowPolicy.Drop"/>, the default: it is never held, and what
    /// a reader was too slow for is told as <see cref="OutputTruncated"/>. <see cref="OverflowPolicy.Wait"/>: it is held, as by a
    /// full pipe, until somebody reads; no byte is lost to the
    /// reader that is furthest. Read both streams at once, or <see cref="Execution.ReadEventsAsync"/>: one read behind the other may find
    /// its bytes gone.
    /// </summary>
    public OverflowPolicy? Overflow { get; init; }

    internal StartExecutionRequest ToRequest(string? command, IReadOnlyList<string>? argv) => new()
    {
        Id = Id is null ? Guid.NewGuid().ToString("N") : ExecutionRoute.RequireId(Id),
        Command = command,
        Argv = argv,
        WorkingDirectory = WorkingDirectory,
        Environment = Environment,
        TimeoutSeconds = TimeoutSeconds,
        Stdin = OpenStandardInput ? true : null,
        Pty = Terminal,
        KeepOutputBytes = KeepOutputBytes,
        Overflow = Overflow,
    };
}
