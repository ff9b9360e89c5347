using System.Text;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Executions;
using Microsoft.Extensions.Primitives;
using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Server.Files.Watching;

/// <summary><c>GET /api/files/watch</c>: changes below a directory as Server-Sent Events. Ends when the directory is gone.</summary>
internal sealed class FileWatcher(SandboxPath paths, WatchHub hub, TimeProvider timeProvider)
{
    /// <param name="context">The request.</param>
    /// <param name="sent">Called for every piece.</param>
    public async Task WatchAsync(HttpContext context, Action sent)
    {
        var (path, status) = Find(context.Request.Query["path"]);
        var watched = path.Length == 0 ? "/" : Encoding.UTF8.GetString(path);
        var changes = new ChangeQueue(timeProvider) { Watched = watched };
        var tree = await hub.OpenAsync(() => Open(watched, status), path, changes, context.RequestAborted);
        try
        {
            // The headers say that from now on every change is told.
            await EventFollower.BeginAsync(context, SseBuffer.MediaType);
            while (await changes.TakeAsync(EventFollower.KeepAliveInterval, context.RequestAborted) is { } events)
            {
                await context.Response.Body.WriteAsync(events.IsEmpty ? SseBuffer.KeepAlive : events, context.RequestAborted);
                if (!events.IsEmpty)
                    sent();
            }
        }
        finally
        {
            await hub.CloseAsync(tree);
        }
    }

    private (byte[] Path, FileStatus Status) Find(StringValues path)
    {
        using var place = paths.Resolve(path);
        using var directory = place.OpenToRead(out var status);
        return status.Type != FileEntryType.Directory ? throw new FileSystemException(FileError.ENOTDIR)
            : WatchHub.IsUnwatchable(directory) ? throw new FileSystemException(FileError.EPERM)
            : (place.Path, status);
    }

    /// <summary>Opens the directory by its path, if it is still the same.</summary>
    private SafeFileHandle? Open(string path, FileStatus expected)
    {
        try
        {
            using var place = paths.Resolve(path, followLast: false);
            var directory = place.OpenToRead(out var status);
            if (status.IsSameFile(expected))
                return directory;
            directory.Dispose();
            return null;
        }
        catch (FileSystemException)
        {
            // It is gone, which is told.
            return null;
        }
    }
}
