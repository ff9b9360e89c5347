using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using DonkeyWork.CodeSandbox.Client.Connection;
using DonkeyWork.CodeSandbox.Client.Streaming;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client.Files;

/// <summary>The bytes of a file. A connection that breaks is made again from the byte that it came to, as long as the file is the same.</summary>
internal sealed class FileDownload : AsyncStream
{
    private readonly SandboxRoute _sandbox;
    private readonly Call _call;
    private readonly long _offset;
    private readonly long? _length;
    private readonly Persistence _persistence;
    private long _read;
    private long? _total;
    private EntityTagHeaderValue? _tag;
    private Answer? _answer;
    private GuardedStream? _body;
    private volatile bool _disposed;

    private FileDownload(SandboxRoute sandbox, Call call, long offset, long? length)
    {
        _sandbox = sandbox;
        _call = call;
        _offset = offset;
        _length = length;
        _persistence = new Persistence(sandbox.Options);
    }

    public override bool CanRead => !_disposed;

    public static async Task<FileDownload> OpenAsync(SandboxRoute sandbox, Call call, long offset, long? length, CancellationToken cancellationToken)
    {
        var download = new FileDownload(sandbox, call, offset, length);
        await sandbox.PersistAsync(
            async (_, token) =>
            {
                await download.ConnectAsync(token).ConfigureAwait(false);
                return true;
            },
            cancellationToken).ConfigureAwait(false);
        return download;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
            return 0;
        while (_read != _total)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ObjectDisposedException.ThrowIf(_disposed, this);
            try
            {
                if (_body is not { } body)
                {
                    await ConnectAsync(cancellationToken).ConfigureAwait(false);
                    continue;
                }

                var count = await ReadBodyAsync(body, buffer, cancellationToken).ConfigureAwait(false);
                // Without a length only the end of the response says where the file ends.
                if (count == 0 && _total is not null)
                    throw new InterruptedException(ClientErrorCodes.ResponseCut, $"{_answer!.From.Name} ended the file after {_read} of {_total} bytes.");
                _total = count == 0 ? _read : _total;
                _read += count;
                _persistence.Progressed();
                return count;
            }
            catch (CodeSandboxException e)
            {
                var broken = _answer?.From;
                await CloseAsync().ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
                if (broken is not null && Persistence.IsOfTheServer(e))
                    _sandbox.Server.Leave(broken);
                await _sandbox.PauseAsync(_persistence, e, cancellationToken).ConfigureAwait(false);
            }
        }

        return 0;
    }

    public override async ValueTask DisposeAsync()
    {
        _disposed = true;
        await CloseAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _disposed = true;
            CloseAsync().AsTask().GetAwaiter().GetResult();
        }

        base.Dispose(disposing);
    }

    private static async ValueTask<int> ReadBodyAsync(GuardedStream body, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        using var stop = cancellationToken.UnsafeRegister(static body => ((GuardedStream)body!).Stop(), body);
        return await body.ReadAsync(buffer, CancellationToken.None).ConfigureAwait(false);
    }

    private async Task ConnectAsync(CancellationToken cancellationToken)
    {
        var from = _offset + _read;
        // Beyond the last position that there is lies nothing.
        var to = _length is { } length ? _offset + Math.Min(length - 1, long.MaxValue - _offset) : (long?)null;
        var isPart = from > 0 || to is not null;
        var call = _call with
        {
            Headers = headers =>
            {
                if (isPart)
                    headers.Range = new RangeHeaderValue(from, to);
                if (_tag is not null)
                    headers.IfMatch.Add(_tag);
            },
        };
        Answer answer;
        try
        {
            answer = await _sandbox.Server.OpenAsync(call, _persistence.AttemptTimeout, cancellationToken).ConfigureAwait(false);
        }
        catch (SandboxFileException e) when (e.Code == ErrorCodes.RangeNotSatisfiable && from == 0 && _total is null)
        {
            // An empty file has no bytes, not even the first (RFC 9110, 14.1.2).
            _total = 0;
            return;
        }

        try
        {
            Check(answer, from, isPart);
            var body = await answer.Response.Content.ReadAsStreamAsync(CancellationToken.None).ConfigureAwait(false);
            _body = new GuardedStream(body, _sandbox.Options, answer.From.Name, CancellationToken.None, long.MaxValue);
            _answer = answer;
        }
        catch
        {
            answer.Dispose();
            throw;
        }

        // Disposed in between, which closes only what it finds.
        if (_disposed)
        {
            await CloseAsync().ConfigureAwait(false);
            ObjectDisposedException.ThrowIf(true, this);
        }
    }

    private void Check(Answer answer, long from, bool isPart)
    {
        var response = answer.Response;
        var content = response.Content.Headers;
        if (isPart != (response.StatusCode == HttpStatusCode.PartialContent) || (isPart && content.ContentRange?.From != from))
            throw new CodeSandboxException(
                ClientErrorCodes.UnexpectedResponse,
                string.Create(CultureInfo.InvariantCulture, $"{answer.From.Name} answered {(int)response.StatusCode} with other bytes than those from {from} on."));
        if (_tag is not null && !_tag.Equals(response.Headers.ETag))
            throw new SandboxFileChangedException("The file changed while it was read over a connection that broke.");
        _tag ??= response.Headers.ETag;
        _total ??= content.ContentLength;
    }

    private async ValueTask CloseAsync()
    {
        var body = Interlocked.Exchange(ref _body, null);
        if (body is not null)
            await body.DisposeAsync().ConfigureAwait(false);
        Interlocked.Exchange(ref _answer, null)?.Dispose();
    }
}
