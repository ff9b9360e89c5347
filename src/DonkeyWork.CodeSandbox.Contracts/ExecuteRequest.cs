namespace DonkeyWork.CodeSandbox.Contracts;

/// <summary>The body of <c>POST /api/kata/{id}/execute</c> and of the executor's <c>POST /api/execute</c>.</summary>
public sealed record ExecuteRequest
{
    /// <summary>The largest command, in bytes of UTF-8: Linux' MAX_ARG_STRLEN (execve(2)) less the final NUL.</summary>
    public const int MaxCommandBytes = 131_071;

    /// <summary>The default of <see cref="TimeoutSeconds"/>.</summary>
    public const int DefaultTimeoutSeconds = 300;

    /// <summary>The largest <see cref="TimeoutSeconds"/>: a day.</summary>
    public const int MaxTimeoutSeconds = 86_400;

    /// <summary>Given to <c>/bin/bash -c</c> as one argument, byte for byte. Empty is valid.</summary>
    public string? Command { get; init; }

    /// <summary>Seconds until the whole process tree is killed, 1 to 86,400; 300 when not given.</summary>
    /// <remarks>Not init-only: a source-generated deserializer would set it to 0 where the JSON does not name it.</remarks>
    public int TimeoutSeconds { get; set; } = DefaultTimeoutSeconds;

    /// <summary>Where the command starts; default the sandbox user's home.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Added to the sandbox's environment for this command alone.</summary>
    public IReadOnlyDictionary<string, string>? Environment { get; init; }
}
