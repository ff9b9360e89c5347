using System.Buffers;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Http;
using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Server.Files;

/// <summary><c>POST /api/files/move</c>, and renames where the file system cannot refuse to replace by itself.</summary>
internal sealed class Moves(SandboxPath paths)
{
    /// <summary>Moves a file, a directory, or a link itself; a file also to another file system.</summary>
    public async Task MoveAsync(HttpContext context)
    {
        var request = await Json.ReadAsync(context, ContractsJsonContext.Default.MoveFileRequest);
        using var from = paths.Resolve(request.From, followLast: false);
        using var to = paths.Resolve(request.To, followLast: false);
        if (from.Status is not { } status || to.MissingParents.Count > 0)
            throw new FileSystemException(FileError.ENOENT);
        if (from.IsItself || to.IsItself)
            throw new FileSystemException(FileError.EBUSY);
        var replace = request.Overwrite ?? false;
        var error = TryRename(from.Directory, from.Name, to.Directory, to.Name, replace);
        if (error == FileError.EXDEV && status.Type == FileEntryType.File)
            error = await TryCopyAsync(from, to, replace, context.RequestAborted);
        FileSystem.Check(error);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>As rename(2); without <paramref name="replace"/> EEXIST when something is there.</summary>
    public static int TryRename(SafeFileHandle from, ReadOnlySpan<byte> name, SafeFileHandle to, ReadOnlySpan<byte> newName, bool replace)
    {
        var error = FileSystem.TryRename(from, name, to, newName, replace);
        if (replace || error is not (FileError.EINVAL or FileError.ENOSYS))
            return error;
        // A directory cannot have a second name; for it the look and the rename are two steps.
        error = FileSystem.TryLink(from, name, to, newName);
        if (error == 0)
            return FileSystem.TryRemove(from, name);
        if (error is not FileError.EPERM)
            return error;
        return FileSystem.TryGetStatus(to, newName, out _) == 0 ? FileError.EEXIST : FileSystem.TryRename(from, name, to, newName, replace: true);
    }

    private static async Task<int> TryCopyAsync(Place from, Place to, bool replace, CancellationToken cancellationToken)
    {
        if (!replace && to.Status is not null)
            return FileError.EEXIST;
        using var source = from.OpenToRead(out var status);
        using var copy = new TemporaryFile(to.Directory);
        var buffer = ArrayPool<byte>.Shared.Rent(FileReader.BufferBytes);
        try
        {
            int count;
            for (long offset = 0; (count = FileSystem.Read(source, buffer, offset)) > 0; offset += count)
            {
                FileSystem.WriteAll(copy.File, buffer.AsSpan(0, count));
                cancellationToken.ThrowIfCancellationRequested();
                await Task.Yield();
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        FileSystem.SetMode(copy.File, status.Permissions);
        FileSystem.SetModified(copy.File, status.Modified);
        var error = copy.TryMoveTo(to.Directory, to.Name, replace);
        return error == 0 ? FileSystem.TryRemove(from.Directory, from.Name) : error;
    }
}
