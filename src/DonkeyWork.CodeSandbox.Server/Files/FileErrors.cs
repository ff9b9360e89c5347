using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Http;

namespace DonkeyWork.CodeSandbox.Server.Files;

/// <summary>What the kernel's refusals are to a caller.</summary>
internal static class FileErrors
{
    public static RequestException Of(FileSystemException failure)
    {
        var (status, code) = failure.Error switch
        {
            FileError.ENOENT => (StatusCodes.Status404NotFound, ErrorCodes.NotFound),
            FileError.ENOTDIR => (StatusCodes.Status409Conflict, ErrorCodes.NotADirectory),
            FileError.EISDIR => (StatusCodes.Status409Conflict, ErrorCodes.IsADirectory),
            FileError.EEXIST => (StatusCodes.Status409Conflict, ErrorCodes.Exists),
            FileError.ENOTEMPTY => (StatusCodes.Status409Conflict, ErrorCodes.DirectoryNotEmpty),
            FileError.EXDEV => (StatusCodes.Status409Conflict, ErrorCodes.OtherFileSystem),
            FileError.ENOSPC or FileError.EDQUOT or FileError.EFBIG => (StatusCodes.Status507InsufficientStorage, ErrorCodes.NoSpace),
            FileError.ENAMETOOLONG or FileError.ELOOP or FileError.EINVAL => (StatusCodes.Status400BadRequest, ErrorCodes.InvalidRequest),
            FileError.EPERM or FileError.EACCES or FileError.EROFS or FileError.EBUSY or FileError.ETXTBSY or FileError.EAGAIN or FileError.EMLINK =>
                (StatusCodes.Status403Forbidden, ErrorCodes.Forbidden),
            // Its directory was moved away, or the device fails.
            FileError.ESTALE => (StatusCodes.Status404NotFound, ErrorCodes.NotFound),
            _ => (StatusCodes.Status500InternalServerError, ErrorCodes.InternalError),
        };
        var detail = failure.Error switch
        {
            FileError.EPERM => "The sandbox user may not, or it is neither a regular file nor a directory.",
            FileError.EXDEV => "It is a directory or a link, and the new path is on another file system, to which only files are moved. Move it with a command: mv FROM TO.",
            FileError.EAGAIN => "Another process holds a lease on the file.",
            _ => $"{failure.Message}.",
        };
        return new RequestException(status, code, detail);
    }

    public static RequestException IsADirectory() =>
        new(StatusCodes.Status409Conflict, ErrorCodes.IsADirectory, "The path is a directory.");
}
