namespace DonkeyWork.CodeSandbox.Sandboxes.Backends;

/// <summary>A sandbox of that name exists.</summary>
public sealed class SandboxExistsException(string name) : Exception($"A sandbox named {name} exists already.");

/// <summary>A sandbox is not as it was seen.</summary>
public sealed class SandboxConflictException(string name) : Exception($"Sandbox {name} has changed or is gone.");

/// <summary>The backend cannot be reached, or refuses.</summary>
public sealed class BackendUnavailableException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>No answer came: what was asked for may have happened, or may happen yet.</summary>
    public bool MayHaveHappened { get; init; }
}

/// <summary>The backend itself holds a limit, and it is reached; the message says by whose word.</summary>
public sealed class SandboxLimitReachedException(string message, Exception? inner = null) : Exception(message, inner);
