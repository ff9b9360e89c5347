using System.Globalization;
using System.IO.Pipelines;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Files.Archives;
using DonkeyWork.CodeSandbox.Server.Http;
using Microsoft.Net.Http.Headers;
using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Server.Files;

/// <summary><c>GET</c> and <c>HEAD /api/files</c>.</summary>
internal sealed class FileReader(SandboxPath paths, TimeProvider timeProvider)
{
    /// <summary>The most that is held of an archive, or of a file that is copied.</summary>
    public const int BufferBytes = 64 * 1024;

    private const string ContentType = "application/octet-stream";

    /// <summary>What a file or directory is, without its content.</summary>
    public Task HeadAsync(HttpContext context)
    {
        using var place = paths.Resolve(context.Request.Query["path"]);
        var status = place.Status ?? throw new FileSystemException(FileError.ENOENT);
        if (status.Type is not (FileEntryType.File or FileEntryType.Directory))
            throw new FileSystemException(FileError.EPERM);
        Describe(context.Response, status);
        if (status.Type == FileEntryType.Directory)
            return Task.CompletedTask;
        if (Preconditions.AreNotModified(context.Request, status))
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        context.Response.ContentType = ContentType;
        context.Response.ContentLength = status.Size;
        return Task.CompletedTask;
    }

    /// <summary>Sends a file, a part of it, or a directory as an archive.</summary>
    /// <param name="context">The request.</param>
    /// <param name="sent">Called for every piece.</param>
    public async Task GetAsync(HttpContext context, Action sent)
    {
        using var place = paths.Resolve(context.Request.Query["path"]);
        using var file = place.OpenToRead(out var status);
        var isArchive = status.Type == FileEntryType.Directory;
        if (isArchive && !AcceptsArchive(context.Request))
            throw FileErrors.IsADirectory();
        Describe(context.Response, status);
        if (isArchive)
        {
            context.Response.ContentType = ArchiveFormat.ContentType;
            await new ArchiveSender(context.Response.Body, sent).SendAsync(file, context.RequestAborted);
            return;
        }

        if (Preconditions.AreNotModified(context.Request, status))
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        var part = ByteRange.Of(context.Request, status);
        if (part is { Length: 0 })
        {
            context.Response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes */{status.Size}");
            throw new RequestException(StatusCodes.Status416RangeNotSatisfiable, ErrorCodes.RangeNotSatisfiable, $"The file has {status.Size} bytes.");
        }

        var range = part ?? new ByteRange(0, status.Size);
        if (part is not null)
        {
            context.Response.StatusCode = StatusCodes.Status206PartialContent;
            context.Response.Headers.ContentRange =
                string.Create(CultureInfo.InvariantCulture, $"bytes {range.Offset}-{range.Offset + range.Length - 1}/{status.Size}");
        }

        context.Response.ContentType = ContentType;
        context.Response.ContentLength = range.Length;
        await SendAsync(file, range, context.Response.BodyWriter, sent, context.RequestAborted);
    }

    /// <summary>Sends a part of an open file; what is added to it meanwhile is not sent.</summary>
    /// <exception cref="FileShrankException">It ends before the part does.</exception>
    /// <exception cref="OperationCanceledException">The reader is gone.</exception>
    private static async Task SendAsync(SafeFileHandle file, ByteRange range, PipeWriter body, Action sent, CancellationToken cancellationToken)
    {
        for (var (offset, end) = (range.Offset, range.Offset + range.Length); offset < end;)
        {
            var count = FileSystem.Read(file, Room(body, end - offset), offset);
            if (count == 0)
                throw new FileShrankException();
            body.Advance(count);
            offset += count;
            if ((await body.FlushAsync(cancellationToken)).IsCompleted)
                throw new OperationCanceledException("The reader is gone.");
            sent();
        }
    }

    /// <summary>Memory of the response itself, so that nothing is copied on the way.</summary>
    private static Span<byte> Room(PipeWriter body, long most)
    {
        var room = body.GetSpan(ConnectionMemory.PieceBytes);
        return room[..(int)Math.Min(room.Length, most)];
    }

    /// <summary>The content comes from anybody: no browser may guess what it is, show it, or keep it.</summary>
    private void Describe(HttpResponse response, FileStatus status)
    {
        var modified = Preconditions.ModifiedSecond(status);
        var now = timeProvider.GetUtcNow();
        var headers = response.Headers;
        headers.LastModified = HeaderUtilities.FormatDate(modified < now ? modified : now);
        headers.CacheControl = "no-cache";
        headers.XContentTypeOptions = "nosniff";
        headers.ContentDisposition = "attachment";
        headers["X-File-Type"] = status.Type == FileEntryType.Directory ? "directory" : "file";
        headers["X-File-Mode"] = status.ModeText;
        if (status.Type == FileEntryType.Directory)
            return;
        headers.ETag = status.Tag;
        headers.AcceptRanges = "bytes";
    }

    private static bool AcceptsArchive(HttpRequest request) =>
        MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted)
        && accepted.Any(type => type.MediaType.Equals(ArchiveFormat.ContentType, StringComparison.OrdinalIgnoreCase) && type.Quality is not 0);
}

/// <summary>A file became shorter while it was sent: the response has to break.</summary>
internal sealed class FileShrankException() : IOException("The file became shorter while it was read.");
