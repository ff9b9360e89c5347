namespace DonkeyWork.CodeSandbox.Client;

/// <summary>
/// A stream ended before its last event: the connection was cut (<see cref="ClientErrorCodes.StreamCut"/>) or went
/// silent (<see cref="ClientErrorCodes.StreamIdle"/>). How the command ended is unknown; the executor kills what it ran
/// as soon as it notices.
/// </summary>
public class StreamInterruptedException : CodeSandboxException
{
    internal StreamInterruptedException(string code, string message, Exception? innerException = null)
        : base(code, message, innerException)
    {
    }
}

/// <summary>The sandbox went away in the middle of a command.</summary>
public sealed class SandboxLostException : StreamInterruptedException
{
    internal SandboxLostException(string name, Exception innerException)
        : base(ClientErrorCodes.SandboxLost, $"Sandbox {name} is gone: it expired, was deleted, or its machine failed.", innerException) =>
        SandboxName = name;

    /// <summary>The name of the sandbox.</summary>
    public string SandboxName { get; }
}
