using System.Buffers;
using System.Net.WebSockets;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;

namespace DonkeyWork.CodeSandbox.Sandboxes.Execution;

/// <summary>An executor's answer: its status and the headers that may be passed on, and its body, still to be read.</summary>
public sealed class ExecutorResponse : IDisposable
{
    /// <summary>How long an executor may send nothing, not even a keep-alive, while it is being read.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(30);

    private const int BufferBytes = 64 * 1024;

    private readonly HttpResponseMessage _response;
    private readonly bool _isTimed;
    private readonly TimeProvider _clock;

    internal ExecutorResponse(HttpResponseMessage response, string? contentType, bool isTimed, TimeProvider clock)
    {
        _response = response;
        _isTimed = isTimed;
        _clock = clock;
        Status = (int)response.StatusCode;
        Headers = [.. ResponseHeaders.Select(response, contentType)];
    }

    /// <summary>200, 201, 204, 206 or 400-599; 304 and 101 where the request asked for them.</summary>
    public int Status { get; }

    /// <summary>Whether <see cref="OpenAsync"/> opens a WebSocket, instead of a body to be copied.</summary>
    public bool IsWebSocket => Status == 101;

    /// <summary>What may be passed on, and nothing else.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; }

    /// <summary>Copies the body as it comes. A slow <paramref name="destination"/> holds the executor; the silence counts only while it is read,
    /// and only where the request is timed.</summary>
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
                if (_isTimed) silence.CancelAfter(Silence);
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

    /// <summary>The WebSocket. A read of it fails when the connection breaks, or nothing came for <see cref="Silence"/>, not even a ping.</summary>
    public async Task<WebSocket> OpenAsync(CancellationToken cancellationToken)
    {
        var connection = new ListeningStream(await _response.Content.ReadAsStreamAsync(cancellationToken), Silence, _clock);
        return WebSocket.CreateFromStream(connection, new WebSocketCreationOptions { KeepAliveInterval = Timeout.InfiniteTimeSpan });
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
