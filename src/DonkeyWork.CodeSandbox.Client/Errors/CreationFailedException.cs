using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client;

/// <summary>The sandbox did not become ready. It has been deleted.</summary>
public sealed class CreationFailedException : CodeSandboxException
{
    internal CreationFailedException(SandboxFailed failed)
        : base(ClientErrorCodes.CreationFailed, $"Sandbox {failed.PodName} did not become ready: {failed.Reason}") => Failure = failed;

    /// <summary>The Manager's last word: the reason and the sandbox's last known state.</summary>
    public SandboxFailed Failure { get; }
}
