using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client;

/// <summary>No execution of this id was ever started in the sandbox.</summary>
public sealed class ExecutionNotFoundException : CodeSandboxException
{
    internal ExecutionNotFoundException(string message)
        : base(ErrorCodes.ExecutionNotFound, message)
    {
    }
}

/// <summary>The execution was deleted; its id never starts again.</summary>
public sealed class ExecutionDeletedException : CodeSandboxException
{
    internal ExecutionDeletedException(string message)
        : base(ErrorCodes.ExecutionDeleted, message)
    {
    }
}

/// <summary>The id belongs to an execution of another command, or of other options.</summary>
public sealed class ExecutionExistsException : CodeSandboxException
{
    internal ExecutionExistsException(string message)
        : base(ErrorCodes.ExecutionExists, message)
    {
    }
}

/// <summary>The execution has ended, so nothing can be sent to it.</summary>
public sealed class ExecutionExitedException : CodeSandboxException
{
    internal ExecutionExitedException(string message)
        : base(ErrorCodes.ExecutionExited, message)
    {
    }
}

/// <summary>Standard input was not kept open, was closed, or nobody is left to read it.</summary>
public sealed class StandardInputClosedException : CodeSandboxException
{
    internal StandardInputClosedException(string message)
        : base(ErrorCodes.StdinClosed, message)
    {
    }
}
