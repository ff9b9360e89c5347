using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client;

/// <summary>How a command runs.</summary>
public record ExecuteOptions
{
    /// <summary>Seconds until the command and everything it started is killed: 1 to 86,400, default 300.</summary>
    public int TimeoutSeconds { get; init; } = ExecuteRequest.DefaultTimeoutSeconds;

    /// <summary>Where the command starts. Default: the sandbox user's home.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Added to the sandbox's environment for this command alone.</summary>
    public IReadOnlyDictionary<string, string>? Environment { get; init; }

    internal ExecuteRequest ToRequest(string command) => new()
    {
        Command = command,
        TimeoutSeconds = TimeoutSeconds,
        WorkingDirectory = WorkingDirectory,
        Environment = Environment,
    };
}

/// <summary>How a command runs whose output is collected.</summary>
public sealed record RunOptions : ExecuteOptions
{
    /// <summary>
    /// The most output that is kept in memory, standard output and error together, in characters of UTF-16.
    /// Default 16 Mi. A command that prints more is ended with an <see cref="OutputTooLargeException"/>.
    /// </summary>
    public int MaxOutputCharacters { get; init; } = 16 * 1024 * 1024;
}
