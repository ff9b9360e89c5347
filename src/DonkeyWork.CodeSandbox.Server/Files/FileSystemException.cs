using System.Runtime.InteropServices;

namespace DonkeyWork.CodeSandbox.Server.Files;

/// <summary>A system call on files failed.</summary>
/// <param name="error">Its errno.</param>
internal sealed class FileSystemException(int error) : IOException(Marshal.GetPInvokeErrorMessage(error))
{
    /// <summary>The errno.</summary>
    public int Error => error;
}

/// <summary>The errors that are told apart (errno(3)).</summary>
internal static class FileError
{
    public const int EPERM = 1;
    public const int ENOENT = 2;
    public const int EINTR = 4;
    public const int EAGAIN = 11;
    public const int EACCES = 13;
    public const int EBUSY = 16;
    public const int EEXIST = 17;
    public const int EXDEV = 18;
    public const int ENOTDIR = 20;
    public const int EISDIR = 21;
    public const int EINVAL = 22;
    public const int ENFILE = 23;
    public const int EMFILE = 24;
    public const int ETXTBSY = 26;
    public const int EFBIG = 27;
    public const int ENOSPC = 28;
    public const int EROFS = 30;
    public const int EMLINK = 31;
    public const int ENAMETOOLONG = 36;
    public const int ENOSYS = 38;
    public const int ENOTEMPTY = 39;
    public const int ELOOP = 40;
    public const int ESTALE = 116;
    public const int EDQUOT = 122;
}
