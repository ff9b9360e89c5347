using System.Buffers;

namespace DonkeyWork.CodeSandbox.Sandboxes.Execution;

/// <summary>An executor's answer: its status and the headers that may be passed on, and its body, still to be read.</summary>
public sealed class ExecutorResponse : IDisposable
{
    /// <summary>How long an executor may send nothing, not even a keep-alive, while it is being read.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(30);

    private const int BufferBytes = 64 * 1024;

    private readonly HttpResponseMessage _response;
    private readonly TimeProvider _clock;

    internal ExecutorResponse(HttpResponseMessage response, string? contentType, TimeProvider clock)
    {
        _response = response;
        _clock = clock;
        Status = (int)response.StatusCode;
        Headers = [.. ResponseHeaders.Select(response, contentType)];
    }

    /// <summary>200-299 or 400-599.</summary>
    public int Status { get; }

    /// <summary>What may be passed on, and nothing else.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; }

    /// <summary>Copies the body as it comes. A slow <paramref name="destination"/> holds the executor; the silence counts only while it is read.</summary>
    /// <exception cref="ExecutorLostException">The connection broke, or nothing came for <see cref="Silence"/>.</exception>
    public async Task CopyToAsync(Stream destination, CancellationToken cancellationToken)
    {
        using var silence = new CancellationTokenSource(Timeout.InfiniteTimeSpan, _clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, cancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            var source = await _response.Content.ReadAsStreamAsync(both.Token);
            while (true)
            {
                silence.CancelAfter(Silence);
                var count = await ReadAsync(source, buffer, both.Token, cancellationToken);
                silence.CancelAfter(Timeout.InfiniteTimeSpan);
                if (count == 0) return;
                await destination.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Closes the connection if the body was not read to its end, so that the executor notices.</summary>
    public void Dispose() => _response.Dispose();

    private static async ValueTask<int> ReadAsync(Stream source, byte[] buffer, CancellationToken either, CancellationToken caller)
    {
        try
        {
            return await source.ReadAsync(buffer, either);
        }
        catch (OperationCanceledException) when (!caller.IsCancellationRequested)
        {
            throw new ExecutorLostException($"The executor has sent nothing for {Silence.TotalSeconds} s.");
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw new ExecutorLostException("The executor's connection broke.", e);
        }
    }
}
