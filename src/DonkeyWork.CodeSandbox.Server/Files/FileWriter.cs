using System.IO.Pipelines;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Files.Archives;
using DonkeyWork.CodeSandbox.Server.Http;
using Microsoft.Net.Http.Headers;
using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Server.Files;

/// <summary>
/// <c>PUT /api/files</c>. No file is opened to be overwritten: the content goes into a new one beside it, which takes its
/// place when all of it is there. So a reader sees the old or the new, and a cut or failed upload changes nothing.
/// </summary>
internal sealed class FileWriter(SandboxPath paths)
{
    private const uint NewPermissions = 0x1A4;
    private const uint KeptPermissions = 0x1FF;

    /// <summary>Of two callers with the same condition one may succeed; commands are not asked.</summary>
    private readonly Lock _placing = new();

    /// <summary>Takes a file, or an archive to be unpacked.</summary>
    /// <param name="context">The request.</param>
    /// <param name="received">Called for every piece.</param>
    public async Task PutAsync(HttpContext context, Action received)
    {
        using var place = paths.Resolve(context.Request.Query["path"]);
        if (IsArchive(context.Request))
        {
            await PutArchiveAsync(context, place, received);
            return;
        }

        RequireFile(place, place.Status);
        Preconditions.RequireBeforeWrite(context.Request, place.Status);
        using var file = new TemporaryFile(place.Directory);
        await ReceiveAsync(context, file.File, received);
        var isNew = Put(context.Request, place, file);
        context.Response.Headers.ETag = FileSystem.StatusOf(file.File).Tag;
        context.Response.StatusCode = isNew ? StatusCodes.Status201Created : StatusCodes.Status204NoContent;
    }

    private static async Task PutArchiveAsync(HttpContext context, Place place, Action received)
    {
        if (place.Status is { Type: not FileEntryType.Directory })
            throw new FileSystemException(FileError.ENOTDIR);
        using var directory = Directories.OpenOrMake(place);
        await new ArchiveUnpacker(directory, received).UnpackAsync(context.Request.Body, context.RequestAborted);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static async Task ReceiveAsync(HttpContext context, SafeFileHandle file, Action received)
    {
        var body = context.Request.BodyReader;
        bool isLast;
        do
        {
            var read = await body.ReadAsync(context.RequestAborted);
            // Not all that is there: while this is written, the next can come.
            var piece = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, FileReader.BufferBytes));
            isLast = read.IsCompleted && piece.Length == read.Buffer.Length;
            try
            {
                foreach (var part in piece)
                    FileSystem.WriteAll(file, part.Span);
            }
            finally
            {
                body.AdvanceTo(piece.End);
            }

            received();
        }
        while (!isLast);
    }

    /// <returns>Whether nothing was there before.</returns>
    private bool Put(HttpRequest request, Place place, TemporaryFile file)
    {
        lock (_placing)
        {
            FileStatus? status = place.MissingParents.Count == 0 && FileSystem.TryGetStatus(place.Directory, place.Name, out var found) == 0 ? found : null;
            RequireFile(place, status);
            Preconditions.RequireBeforeWrite(request, status);
            FileSystem.SetMode(file.File, status is { Type: FileEntryType.File } old ? old.Permissions & KeptPermissions : NewPermissions);
            using var made = Directories.MakeMissing(place);
            var error = file.TryMoveTo(made.Last, place.Name, replace: !Preconditions.ForbidReplacing(request));
            if (error == FileError.EEXIST)
                throw new RequestException(StatusCodes.Status412PreconditionFailed, ErrorCodes.PreconditionFailed, "If-None-Match does not hold.");
            FileSystem.Check(error);
            made.Keep();
            return status is null;
        }
    }

    private static void RequireFile(Place place, FileStatus? status)
    {
        if (place.MustBeDirectory || place.IsItself || status is { Type: FileEntryType.Directory })
            throw FileErrors.IsADirectory();
        // A link is there only if it came since; it is replaced like a file.
        if (status is { Type: FileEntryType.Other } || (status is { Type: FileEntryType.File } && !FileSystem.IsWritable(place.Directory, place.Name)))
            throw new FileSystemException(FileError.EPERM);
    }

    private static bool IsArchive(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
        && type.MediaType.Equals(ArchiveFormat.ContentType, StringComparison.OrdinalIgnoreCase);
}
