using System.Net;

namespace DonkeyWork.CodeSandbox.Sandboxes.Execution;

/// <summary>A caller's body on its way to the executor; tells a fault of the caller from one of the executor.</summary>
internal sealed class RelayedBody : HttpContent
{
    private const int BufferBytes = 64 * 1024;

    private readonly Stream _source;
    private readonly long? _length;
    private readonly CancellationToken _refused;
    private readonly Action _sent;
    private readonly CancellationTokenSource _over = new();
    private readonly Lock _gate = new();
    private Task _reading = Task.CompletedTask;
    private volatile bool _isOver;

    /// <param name="request">Whose body it is.</param>
    /// <param name="sent">Called when all has been sent.</param>
    /// <param name="refused">Cancelled when the executor has refused the request, and reads no more of it.</param>
    public RelayedBody(ExecutorRequest request, Action sent, CancellationToken refused)
    {
        _source = request.Body!;
        _length = request.ContentLength;
        _refused = refused;
        _sent = sent;
        if (request.ContentType is { } type) Headers.TryAddWithoutValidation("Content-Type", type);
    }

    /// <summary>What went wrong while the caller's side was read.</summary>
    public Exception? CallerFault { get; private set; }

    /// <summary>
    /// Returns when the caller's side is not read any more, nor will be: whoever is answered early is still being read from, and
    /// only one can do that.
    /// </summary>
    public async Task EndAsync()
    {
        Task reading;
        lock (_gate) (_isOver, reading) = (true, _reading);
        await _over.CancelAsync();
        await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_refused, _over.Token, cancellationToken);
        var buffer = new byte[BufferBytes];
        while (await ReadAsync(buffer, either.Token) is > 0 and var count)
        {
            await stream.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
            // Somebody may be typing.
            await stream.FlushAsync(cancellationToken);
        }

        if (!_isOver) _sent();
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _length ?? 0;
        // The handler wants as many bytes as were announced; of a body that may end early nobody knows how many those are.
        return _length is not null && !_refused.CanBeCanceled;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _over.Dispose();
        base.Dispose(disposing);
    }

    private async Task<int> ReadAsync(byte[] buffer, CancellationToken cancellationToken)
    {
        try
        {
            Task<int> reading;
            lock (_gate)
            {
                if (_isOver) return 0;
                _reading = reading = _source.ReadAsync(buffer, cancellationToken).AsTask();
            }

            return await reading;
        }
        catch (OperationCanceledException) when (_refused.IsCancellationRequested || _isOver)
        {
            return 0;
        }
        catch (Exception e)
        {
            CallerFault = e;
            throw;
        }
    }
}
