using System.Net;
using System.Net.Http.Headers;

namespace DonkeyWork.CodeSandbox.Sandboxes.Execution;

/// <summary>A caller's body on its way to the executor; tells a fault of the caller from one of the executor.</summary>
internal sealed class RelayedBody : HttpContent
{
    private const int BufferBytes = 64 * 1024;

    private readonly Stream _source;
    private readonly long? _length;
    private readonly Action _sent;

    public RelayedBody(ExecutorRequest request, Action sent)
    {
        _source = request.Body!;
        _length = request.ContentLength;
        _sent = sent;
        if (request.ContentType is { } type) Headers.ContentType = MediaTypeHeaderValue.Parse(type);
    }

    /// <summary>What went wrong while the caller's side was read.</summary>
    public Exception? CallerFault { get; private set; }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var buffer = new byte[BufferBytes];
        while (await ReadAsync(buffer, cancellationToken) is > 0 and var count)
            await stream.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
        _sent();
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _length ?? 0;
        return _length is not null;
    }

    private async Task<int> ReadAsync(byte[] buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await _source.ReadAsync(buffer, cancellationToken);
        }
        catch (Exception e)
        {
            CallerFault = e;
            throw;
        }
    }
}
