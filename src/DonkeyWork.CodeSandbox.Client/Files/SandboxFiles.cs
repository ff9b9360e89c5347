using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Text;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Client.Connection;
using DonkeyWork.CodeSandbox.Client.Files;
using DonkeyWork.CodeSandbox.Client.Streaming;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client;

/// <summary>
/// The files of a sandbox, with the rights of its user. Paths are absolute, or relative to that user's home. Content is streamed
/// in constant memory, of any size. What may be repeated is repeated where a connection breaks, for
/// <see cref="ConnectionOptions.ReconnectTimeout"/>; a read goes on from the byte that it came to. All members may be used at once
/// from several threads.
/// </summary>
/// <remarks>Each may throw a <see cref="SandboxFileException"/>, <see cref="SandboxNotFoundException"/>,
/// <see cref="InvalidRequestException"/>, or another <see cref="CodeSandboxException"/> by its code.</remarks>
public sealed partial class SandboxFiles
{
    private const int BufferBytes = 128 * 1024;

    private readonly SandboxRoute _sandbox;
    private readonly FileRoutes _routes;

    internal SandboxFiles(SandboxRoute sandbox)
    {
        _sandbox = sandbox;
        _routes = new FileRoutes(sandbox);
    }

    /// <summary>Opens a file, or a part of it.</summary>
    /// <param name="path">The file's.</param>
    /// <param name="offset">The first byte; it must be in the file, unless it is 0.</param>
    /// <param name="length">The most bytes; default: to the end.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Its bytes. A file that changed meanwhile where a connection broke is a <see cref="SandboxFileChangedException"/>.</returns>
    /// <exception cref="SandboxFileNotFoundException">There is none.</exception>
    /// <exception cref="SandboxFileForbiddenException">The sandbox's user may not read it, or it is no regular file.</exception>
    /// <exception cref="SandboxFileException">It is a directory, or has no byte at <paramref name="offset"/>.</exception>
    public async Task<Stream> ReadAsync(string path, long offset = 0, long? length = null, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfLessThan(length ?? 1, 1, nameof(length));
        var call = _routes.Of(HttpMethod.Get, path) with { Accept = FileRoutes.FileType };
        return await FileDownload.OpenAsync(_sandbox, call, offset, length, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads a file into memory.</summary>
    /// <inheritdoc cref="ReadAsync" path="/exception"/>
    public async Task<byte[]> ReadBytesAsync(string path, CancellationToken cancellationToken = default)
    {
        using var bytes = new MemoryStream();
        var file = await ReadAsync(path, cancellationToken: cancellationToken).ConfigureAwait(false);
        await using (file.ConfigureAwait(false))
            await file.CopyToAsync(bytes, BufferBytes, cancellationToken).ConfigureAwait(false);
        return bytes.ToArray();
    }

    /// <summary>Reads a file as text: UTF-8, unless it begins with another byte order mark.</summary>
    /// <inheritdoc cref="ReadAsync" path="/exception"/>
    public async Task<string> ReadTextAsync(string path, CancellationToken cancellationToken = default)
    {
        using var text = new StreamReader(await ReadAsync(path, cancellationToken: cancellationToken).ConfigureAwait(false));
        return await text.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Writes a file, and its parents where they are missing. It appears at once and whole: a write that fails changes nothing. Where a
    /// connection breaks it is sent again if the stream can seek and there is no condition; else what came of it is unknown.
    /// </summary>
    /// <param name="path">The file's.</param>
    /// <param name="content">Read from where it is to its end; not disposed.</param>
    /// <param name="options">Conditions, and who is told of the progress.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The new file's <see cref="SandboxFileInfo.ETag"/>.</returns>
    /// <exception cref="SandboxFileChangedException">A condition does not hold.</exception>
    /// <exception cref="SandboxDiskFullException">The sandbox's disk is full.</exception>
    /// <exception cref="SandboxFileForbiddenException">The sandbox's user may not write there.</exception>
    /// <exception cref="SandboxFileException">It is a directory, or a parent is none.</exception>
    /// <exception cref="InterruptedException">The connection broke; whether it was written is unknown.</exception>
    public Task<string?> WriteAsync(string path, Stream content, WriteOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(content);
        var start = content.CanSeek ? content.Position : 0;
        var upload = new Upload(
            FileRoutes.FileType,
            content.CanSeek ? content.Length - start : null,
            (body, token) =>
            {
                if (content.CanSeek)
                    content.Position = start;
                return CopyAsync(content, body, options?.Progress, token);
            },
            content.CanSeek);
        return PutAsync(path, upload, options, cancellationToken);
    }

    /// <inheritdoc cref="WriteAsync(string, Stream, WriteOptions?, CancellationToken)"/>
    public Task<string?> WriteAsync(
        string path, ReadOnlyMemory<byte> content, WriteOptions? options = null, CancellationToken cancellationToken = default) =>
        PutAsync(
            path,
            new Upload(
                FileRoutes.FileType,
                content.Length,
                async (body, token) =>
                {
                    await body.WriteAsync(content, token).ConfigureAwait(false);
                    options?.Progress?.Report(content.Length);
                }),
            options,
            cancellationToken);

    /// <summary>Writes text as UTF-8.</summary>
    /// <inheritdoc cref="WriteAsync(string, Stream, WriteOptions?, CancellationToken)"/>
    public Task<string?> WriteTextAsync(string path, string content, WriteOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(content);
        return WriteAsync(path, Encoding.UTF8.GetBytes(content), options, cancellationToken);
    }

    /// <summary>Copies a file of the sandbox to this machine. It appears there when all of it has come.</summary>
    /// <param name="path">The file's in the sandbox.</param>
    /// <param name="localPath">Its own here; what is there is replaced.</param>
    /// <param name="progress">Told of the bytes so far.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <inheritdoc cref="ReadAsync" path="/exception"/>
    public async Task DownloadAsync(string path, string localPath, IProgress<long>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(localPath);
        var file = await ReadAsync(path, cancellationToken: cancellationToken).ConfigureAwait(false);
        await using (file.ConfigureAwait(false))
            await LocalFile.WriteAsync(localPath, (to, token) => CopyAsync(file, to, progress, token), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Copies a file of this machine into the sandbox.</summary>
    /// <param name="localPath">The file's here.</param>
    /// <param name="path">Its own in the sandbox.</param>
    /// <param name="options">Conditions, and who is told of the progress.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <inheritdoc cref="WriteAsync(string, Stream, WriteOptions?, CancellationToken)" path="/returns|/exception"/>
    public async Task<string?> UploadAsync(
        string localPath, string path, WriteOptions? options = null, CancellationToken cancellationToken = default)
    {
        var file = new FileStream(localPath, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.Asynchronous | FileOptions.SequentialScan);
        await using (file.ConfigureAwait(false))
            return await WriteAsync(path, file, options, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The entries of a directory, in no order, as they come; what is below a directory comes right behind it.</summary>
    /// <param name="path">The directory's.</param>
    /// <param name="depth">1 for its own entries, up to 64 for those below them, too.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="SandboxFileException">It is not there, or no directory.</exception>
    /// <exception cref="InterruptedException">The connection broke in the middle.</exception>
    public async IAsyncEnumerable<FileEntry> ListAsync(
        string path, int depth = 1, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var answer = await _sandbox.PersistAsync(
            (limit, token) => _sandbox.Server.OpenAsync(_routes.List(path, depth), limit, token), cancellationToken).ConfigureAwait(false);
        var stream = await answer.Response.Content.ReadAsStreamAsync(CancellationToken.None).ConfigureAwait(false);
        var body = new GuardedStream(stream, _sandbox.Options, answer.From.Name, cancellationToken);
        await using (body.ConfigureAwait(false))
        {
            var entries = JsonSerializer.DeserializeAsyncEnumerable(body, ServerConnection.TypeInfo<FileEntry>(), CancellationToken.None)
                .GetAsyncEnumerator(CancellationToken.None);
            await using (entries.ConfigureAwait(false))
            {
                while (await NextAsync().ConfigureAwait(false) is { } entry)
                {
                    body.EventSeen();
                    yield return entry;
                }
            }

            async ValueTask<FileEntry?> NextAsync()
            {
                try
                {
                    return !await entries.MoveNextAsync().ConfigureAwait(false) ? null : entries.Current ?? throw new JsonException("The entry is null.");
                }
                catch (JsonException e)
                {
                    throw new CodeSandboxException(ClientErrorCodes.UnexpectedResponse, $"{answer.From.Name} answered with JSON that is not of this protocol.", e);
                }
            }
        }
    }

    /// <summary>What a file or directory is.</summary>
    /// <exception cref="SandboxFileNotFoundException">There is none.</exception>
    /// <exception cref="SandboxFileForbiddenException">It is neither a regular file nor a directory, or the sandbox's user may not look there.</exception>
    public async Task<SandboxFileInfo> GetInfoAsync(string path, CancellationToken cancellationToken = default)
    {
        try
        {
            return await AskInfoAsync(path, cancellationToken).ConfigureAwait(false);
        }
        catch (CodeSandboxException e) when (e.Code == ClientErrorCodes.UnexpectedResponse && e.StatusCode is not null)
        {
            // An answer to HEAD has no body to say why (RFC 9110, 9.3.2); that to GET has.
            var file = await ReadAsync(path, length: 1, cancellationToken: cancellationToken).ConfigureAwait(false);
            await file.DisposeAsync().ConfigureAwait(false);
            // It has come to be there in between.
            return await AskInfoAsync(path, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Whether there is such a file or directory.</summary>
    /// <exception cref="SandboxFileForbiddenException">It is neither a regular file nor a directory, or the sandbox's user may not look there.</exception>
    public async Task<bool> ExistsAsync(string path, CancellationToken cancellationToken = default)
    {
        try
        {
            await GetInfoAsync(path, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (SandboxFileException e) when (e.Code is ErrorCodes.NotFound or ErrorCodes.NotADirectory)
        {
            return false;
        }
    }

    /// <summary>Moves or renames a file, a directory, or a link itself; to another file system only a file. It is sent once: a lost answer is an <see cref="InterruptedException"/>.</summary>
    /// <param name="from">What is moved.</param>
    /// <param name="to">Its new path; the directory must be there.</param>
    /// <param name="overwrite">Whether a file that is there is replaced.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="SandboxFileExistsException">Something is there, and <paramref name="overwrite"/> was not given.</exception>
    /// <exception cref="SandboxFileException"><see cref="ErrorCodes.OtherFileSystem"/>: a command (<c>mv</c>) can.</exception>
    /// <exception cref="SandboxFileNotFoundException">There is none.</exception>
    public Task MoveAsync(string from, string to, bool overwrite = false, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(from);
        ArgumentException.ThrowIfNullOrEmpty(to);
        // Without a limit: to another file system a file is copied.
        return _sandbox.TellOnceAsync(
            _routes.Move(new MoveFileRequest { From = from, To = to, Overwrite = overwrite }), cancellationToken, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Makes a directory with its parents; one that is there already is fine.</summary>
    /// <exception cref="SandboxFileExistsException">Something else is there.</exception>
    public Task CreateDirectoryAsync(string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return _sandbox.TellAsync(_routes.MakeDirectory(new MakeDirectoryRequest { Path = path }), cancellationToken);
    }

    /// <summary>Deletes a file, a link itself, or a directory.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="recursive">Whether a directory may have something in it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="SandboxFileNotFoundException">There is none.</exception>
    /// <exception cref="SandboxFileException"><see cref="ErrorCodes.DirectoryNotEmpty"/>.</exception>
    public Task DeleteAsync(string path, bool recursive = false, CancellationToken cancellationToken = default) =>
        // Without a limit: a tree takes as long as it has files.
        _sandbox.DeleteAsync<SandboxFileNotFoundException>(_routes.Delete(path, recursive), cancellationToken, Timeout.InfiniteTimeSpan);

    private async Task<SandboxFileInfo> AskInfoAsync(string path, CancellationToken cancellationToken)
    {
        using var answer = await _sandbox.PersistAsync(
            (limit, token) => _sandbox.Server.OpenAsync(_routes.Of(HttpMethod.Head, path), limit, token), cancellationToken).ConfigureAwait(false);
        return FileHeaders.Read(path, answer);
    }

    private static async Task CopyAsync(Stream from, Stream to, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var buffer = new byte[BufferBytes];
        long copied = 0;
        while (await from.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is var count and > 0)
        {
            await to.WriteAsync(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
            progress?.Report(copied += count);
        }
    }

    private async Task<string?> PutAsync(string path, Upload upload, WriteOptions? options, CancellationToken cancellationToken)
    {
        var call = _routes.Of(HttpMethod.Put, path) with { Content = upload.ToContent, Headers = FileHeaders.OfUpload(options) };
        // The second of two attempts would not find what its condition says, had the first succeeded.
        var isConditional = options is { IfMatch: not null } or { CreateNew: true };
        return await _sandbox.PersistAsync(
            async (_, token) =>
            {
                try
                {
                    // Without a limit: it takes as long as it is large.
                    using var answer = await _sandbox.Server.OpenAsync(call, Timeout.InfiniteTimeSpan, token).ConfigureAwait(false);
                    return answer.Response.Headers.ETag?.ToString();
                }
                catch (CodeSandboxException) when (upload.Failure is not null)
                {
                    ExceptionDispatchInfo.Throw(upload.Failure);
                    throw;
                }
            },
            cancellationToken,
            e => upload.CanSend && (!isConditional || Persistence.WasNotBegun(e))).ConfigureAwait(false);
    }
}
