using System.Buffers;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Requests;

/// <summary>A whole body, in memory that goes back to the pool.</summary>
internal sealed class ResponseBody : IDisposable
{
    private const int Most = 256 * 1024 * 1024;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
    private int _length;

    public ReadOnlySpan<byte> Bytes => _buffer.AsSpan(0, _length);

    public static async Task<ResponseBody> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var body = new ResponseBody();
        try
        {
            await body.FillAsync(await response.Content.ReadAsStreamAsync(cancellationToken), cancellationToken);
            return body;
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(Interlocked.Exchange(ref _buffer, []));

    private async Task FillAsync(Stream stream, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (_length == _buffer.Length) Grow();
            var read = await stream.ReadAsync(_buffer.AsMemory(_length), cancellationToken);
            if (read == 0) return;
            _length += read;
        }
    }

    private void Grow()
    {
        if (_buffer.Length >= Most) throw new HttpIOException(HttpRequestError.ConfigurationLimitExceeded, $"The answer is larger than {Most} bytes.");
        var larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
        Bytes.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
