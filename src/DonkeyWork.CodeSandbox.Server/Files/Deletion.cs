using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Http;
using static DonkeyWork.CodeSandbox.Server.Files.FileSystemCalls;

namespace DonkeyWork.CodeSandbox.Server.Files;

/// <summary><c>DELETE /api/files</c>: a file, a link itself, an empty directory; with <c>recursive=true</c> any.</summary>
internal sealed class Deletion(SandboxPath paths)
{
    /// <summary>How often a directory is emptied again in which something appeared meanwhile.</summary>
    private const int MaxRefills = 1000;

    /// <summary>After so many entries other requests get a turn.</summary>
    private const int EntriesPerTurn = 256;

    public async Task DeleteAsync(HttpContext context)
    {
        var isRecursive = Query.Flag(context, "recursive") ?? false;
        using var place = paths.Resolve(context.Request.Query["path"], followLast: false);
        if (place.Status is not { } status)
            throw new FileSystemException(FileError.ENOENT);
        if (place.IsItself)
            throw new FileSystemException(FileError.EBUSY);
        var isDirectory = status.Type == FileEntryType.Directory;
        var error = FileSystem.TryRemove(place.Directory, place.Name, isDirectory);
        for (var refills = 0; error == FileError.ENOTEMPTY && isRecursive && refills < MaxRefills; refills++)
        {
            await EmptyAsync(place, context.RequestAborted);
            error = FileSystem.TryRemove(place.Directory, place.Name, isDirectory);
        }

        FileSystem.Check(error);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static async Task EmptyAsync(Place place, CancellationToken cancellationToken)
    {
        var refills = 0;
        using var top = FileSystem.Open(place.Directory, place.Name, O_RDONLY | O_DIRECTORY);
        using var walk = new TreeWalk(FileSystem.Open(top, "."u8, O_RDONLY | O_DIRECTORY), withTemporary: true);
        var entries = 0;
        for (var step = walk.Next(); step != WalkStep.End; step = walk.Next())
        {
            if (++entries % EntriesPerTurn == 0)
                await Task.Yield();
            cancellationToken.ThrowIfCancellationRequested();
            var error = step == WalkStep.Entry ? FileSystem.TryRemove(walk.Directory, walk.Name) : FileError.EISDIR;
            if (error is FileError.EISDIR or FileError.EPERM)
                error = FileSystem.TryRemove(walk.Directory, walk.Name, isDirectory: true) is not FileError.ENOTDIR and var other ? other : error;
            if (error == FileError.ENOTEMPTY && (step == WalkStep.Entry || ++refills < MaxRefills))
                error = walk.TryEnter();
            // Too deep to go on: it is emptied from the top, when that is come to again.
            if (error == FileError.ENAMETOOLONG)
                error = FileSystem.TryRename(walk.Directory, walk.Name, top, TemporaryFile.NewName(), replace: false);
            if (error is not (0 or FileError.ENOENT))
                throw new FileSystemException(error);
        }
    }
}
