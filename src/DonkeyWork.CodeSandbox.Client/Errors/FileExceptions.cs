using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client;

/// <summary>
/// Something is the matter with a path in the sandbox; <see cref="CodeSandboxException.Code"/> says what:
/// <see cref="ErrorCodes.NotADirectory"/>, <see cref="ErrorCodes.IsADirectory"/>, <see cref="ErrorCodes.DirectoryNotEmpty"/>,
/// <see cref="ErrorCodes.OtherFileSystem"/>, <see cref="ErrorCodes.RangeNotSatisfiable"/>, or what the derived ones are for.
/// </summary>
public class SandboxFileException : CodeSandboxException
{
    internal SandboxFileException(string code, string message)
        : base(code, message)
    {
    }
}

/// <summary>There is no such file or directory in the sandbox.</summary>
public sealed class SandboxFileNotFoundException : SandboxFileException
{
    internal SandboxFileNotFoundException(string message)
        : base(ErrorCodes.NotFound, message)
    {
    }
}

/// <summary>The sandbox's user may not, or it is neither a regular file nor a directory.</summary>
public sealed class SandboxFileForbiddenException : SandboxFileException
{
    internal SandboxFileForbiddenException(string message)
        : base(ErrorCodes.Forbidden, message)
    {
    }
}

/// <summary>Something is there already.</summary>
public sealed class SandboxFileExistsException : SandboxFileException
{
    internal SandboxFileExistsException(string message)
        : base(ErrorCodes.Exists, message)
    {
    }
}

/// <summary>
/// The file is not as it was to be: <see cref="WriteOptions.IfMatch"/> or <see cref="WriteOptions.CreateNew"/> does not hold, or a
/// file changed while a broken read was to be gone on with.
/// </summary>
public sealed class SandboxFileChangedException : SandboxFileException
{
    internal SandboxFileChangedException(string message)
        : base(ErrorCodes.PreconditionFailed, message)
    {
    }
}

/// <summary>The sandbox's disk is full.</summary>
public sealed class SandboxDiskFullException : SandboxFileException
{
    internal SandboxDiskFullException(string message)
        : base(ErrorCodes.NoSpace, message)
    {
    }
}

/// <summary>An archive is broken, or has an entry that may not be: an absolute path, one with <c>..</c>, a device.</summary>
public sealed class BadArchiveException : SandboxFileException
{
    internal BadArchiveException(string message, int? unpacked = null)
        : base(ErrorCodes.BadArchive, message) => Unpacked = unpacked;

    /// <summary>How many entries were unpacked before it, of an upload.</summary>
    public int? Unpacked { get; }
}
