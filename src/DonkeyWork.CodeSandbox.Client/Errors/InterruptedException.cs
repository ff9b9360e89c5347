namespace DonkeyWork.CodeSandbox.Client;

/// <summary>
/// The connection broke (<see cref="ClientErrorCodes.ResponseCut"/>) or went silent (<see cref="ClientErrorCodes.StreamIdle"/>),
/// or the Manager stopped (<see cref="Contracts.ErrorCodes.Interrupted"/>), after the request was sent and before its answer was whole: what came of it is unknown. The executor kills what a command
/// started as soon as it notices.
/// </summary>
public class InterruptedException : CodeSandboxException
{
    internal InterruptedException(string code, string message, Exception? innerException = null)
        : base(code, message, innerException)
    {
    }
}

/// <summary>The sandbox went away in the middle of a command.</summary>
public sealed class SandboxLostException : InterruptedException
{
    internal SandboxLostException(string name, Exception innerException)
        : base(ClientErrorCodes.SandboxLost, $"Sandbox {name} is gone: it was deleted, ended, or its machine failed.", innerException) =>
        SandboxName = name;

    /// <summary>The name of the sandbox.</summary>
    public string SandboxName { get; }
}
