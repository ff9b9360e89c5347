using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client;

/// <summary>The server refused the request; <see cref="Errors"/> names every wrong field.</summary>
public sealed class InvalidRequestException : CodeSandboxException
{
    internal InvalidRequestException(string message, IReadOnlyDictionary<string, string[]>? errors)
        : base(ErrorCodes.InvalidRequest, message) => Errors = errors ?? new Dictionary<string, string[]>();

    /// <summary>What is wrong, by field. Empty where the fault has no field, as in malformed JSON.</summary>
    public IReadOnlyDictionary<string, string[]> Errors { get; }
}

/// <summary>There is no such sandbox, or not any more.</summary>
public sealed class SandboxNotFoundException : CodeSandboxException
{
    internal SandboxNotFoundException(string message)
        : base(ErrorCodes.SandboxNotFound, message)
    {
    }
}

/// <summary>The sandbox is still being created; try again after <see cref="CodeSandboxException.RetryAfter"/>.</summary>
public sealed class SandboxNotReadyException : CodeSandboxException
{
    internal SandboxNotReadyException(string message)
        : base(ErrorCodes.SandboxNotReady, message)
    {
    }
}

/// <summary>There are as many sandboxes as the operator allows; <see cref="CodeSandboxException.RetryAfter"/> may say when to ask again.</summary>
public sealed class LimitReachedException : CodeSandboxException
{
    internal LimitReachedException(string message)
        : base(ErrorCodes.LimitReached, message)
    {
    }
}

/// <summary>
/// No sandbox of the pool is free, and none came free in the time that was given; <see cref="CodeSandboxException.RetryAfter"/>
/// may say when to ask again.
/// </summary>
public sealed class PoolExhaustedException : CodeSandboxException
{
    internal PoolExhaustedException(string message)
        : base(ErrorCodes.PoolExhausted, message)
    {
    }
}
