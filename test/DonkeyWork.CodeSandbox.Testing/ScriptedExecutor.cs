using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;

namespace DonkeyWork.CodeSandbox.Testing;

/// <summary>
/// Stands where an executor would and says, byte for byte, what a test wants: a sandbox may have made anything of its
/// executor. <c>/healthz</c> is answered as <see cref="IsHealthy"/> says; everything else is the script's.
/// </summary>
public sealed class ScriptedExecutor : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentBag<Task> _connections = [];
    private readonly Channel<ExecutorCall> _calls = Channel.CreateUnbounded<ExecutorCall>();
    private readonly Task _accepting;

    public ScriptedExecutor()
    {
        // As an executor bounds it.
        _listener.Server.SendBufferSize = 256 * 1024;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Uri Address => new($"http://{_listener.LocalEndpoint}/");

    /// <summary>What <c>/healthz</c> says.</summary>
    public bool IsHealthy { get; set; } = true;

    /// <summary>Whether a request's body is read before a test gets to see the request; else that is the test's.</summary>
    public bool ReadsBodies { get; set; } = true;

    /// <summary>How many times it was asked for its health.</summary>
    public int HealthChecks { get; private set; }

    /// <summary>The next request beside health checks, read as <see cref="ReadsBodies"/> says, not answered yet.</summary>
    public async Task<ExecutorCall> NextCallAsync() => await _calls.Reader.ReadAsync().AsTask().WaitAsync(Patience.Limit);

    /// <summary>Whether a request has come that no test has taken.</summary>
    public bool HasCall => _calls.Reader.TryPeek(out _);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await Task.WhenAll([_accepting, .. _connections]).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            var client = await _listener.AcceptTcpClientAsync(_stop.Token);
            _connections.Add(ServeAsync(client));
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var owned = client;
        var stream = client.GetStream();
        while (await ExecutorCall.ReadAsync(client, stream, () => ReadsBodies, _stop.Token) is { } call)
        {
            if (call.Target == "/healthz")
            {
                HealthChecks++;
                await call.SendAsync($"HTTP/1.1 {(IsHealthy ? "200 OK" : "503 Service Unavailable")}\r\nContent-Length: 0\r\n\r\n");
                continue;
            }

            _calls.Writer.TryWrite(call);
            // The script says when this connection may take another request, or that it is over.
            if (!await call.Over.WaitAsync(_stop.Token)) return;
        }
    }
}

/// <summary>One request as the executor got it.</summary>
public sealed class ExecutorCall
{
    private readonly TcpClient _client;
    private readonly NetworkStream _stream;
    private readonly TaskCompletionSource<bool> _over = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly bool _isRead;

    private ExecutorCall(TcpClient client, NetworkStream stream, string head, bool isRead)
    {
        _isRead = isRead;
        _client = client;
        _stream = stream;
        Head = head;
    }

    /// <summary>Request line and headers.</summary>
    public string Head { get; }

    public byte[] Body { get; private set; } = [];

    public string Method => Head.Split(' ')[0];

    public string Target => Head.Split(' ')[1];

    /// <summary>What comes behind the head, where nobody has read it yet, and where the answer goes.</summary>
    public Stream Connection => _stream;

    internal Task<bool> Over => _over.Task;

    public string? Header(string name) => Head.Split("\r\n").Skip(1)
        .Where(line => line.StartsWith($"{name}:", StringComparison.OrdinalIgnoreCase))
        .Select(line => line[(name.Length + 1)..].Trim()).FirstOrDefault();

    public async Task SendAsync(string text) => await _stream.WriteAsync(Encoding.Latin1.GetBytes(text));

    /// <summary>The head of a chunked response of that type.</summary>
    public Task StartAsync(string contentType, string status = "200 OK", string headers = "") =>
        SendAsync($"HTTP/1.1 {status}\r\nContent-Type: {contentType}\r\n{headers}Transfer-Encoding: chunked\r\n\r\n");

    public Task ChunkAsync(string text) => SendAsync($"{text.Length:x}\r\n{text}\r\n");

    /// <summary>The last chunk: the response is complete.</summary>
    public async Task EndAsync()
    {
        await SendAsync("0\r\n\r\n");
        _over.TrySetResult(true);
    }

    /// <summary>A whole response.</summary>
    public async Task AnswerAsync(string status, string contentType, string body, string headers = "")
    {
        await SendAsync($"HTTP/1.1 {status}\r\nContent-Type: {contentType}\r\nContent-Length: {body.Length}\r\n{headers}\r\n{body}");
        if (_isRead) _over.TrySetResult(true);
    }

    /// <summary>Grants the WebSocket that was asked for (RFC 6455, 4.2.2).</summary>
    public async Task<WebSocket> UpgradeAsync()
    {
#pragma warning disable CA5350 // The protocol wants SHA-1, and for no secret's sake.
        var accept = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(Header("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
        await SendAsync($"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n");
        return WebSocket.CreateFromStream(_stream, new WebSocketCreationOptions { IsServer = true, KeepAliveInterval = Timeout.InfiniteTimeSpan });
    }

    /// <summary>Ends the connection as a program does that has said all it has to say.</summary>
    public void Close()
    {
        _client.Client.Shutdown(SocketShutdown.Send);
        _over.TrySetResult(false);
    }

    /// <summary>Breaks the connection, as a dead machine does.</summary>
    public void Cut()
    {
        _client.Client.LingerState = new LingerOption(true, 0);
        _client.Close();
        _over.TrySetResult(false);
    }

    /// <summary>Completes when the other side has closed the connection: that is what makes an executor kill the tree.</summary>
    public async Task DisconnectedAsync()
    {
        try
        {
            (await _stream.ReadAsync(new byte[1]).AsTask().WaitAsync(Patience.Limit)).ShouldBe(0);
        }
        catch (IOException)
        {
            // A reset says the same.
        }

        _over.TrySetResult(false);
    }

    internal static async Task<ExecutorCall?> ReadAsync(TcpClient client, NetworkStream stream, Func<bool> readsBodies, CancellationToken cancellationToken)
    {
        var head = new StringBuilder();
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await ReadByteAsync(stream, cancellationToken) is not { } next) return null;
            head.Append((char)next);
        }

        var call = new ExecutorCall(client, stream, head.ToString(), readsBodies());
        if (!call._isRead) return call;
        if (call.Header("Expect") == "100-continue") await call.SendAsync("HTTP/1.1 100 Continue\r\n\r\n");
        call.Body = call.Header("Transfer-Encoding") == "chunked"
            ? await ReadChunksAsync(stream, cancellationToken)
            : await ReadExactlyAsync(stream, int.Parse(call.Header("Content-Length") ?? "0"), cancellationToken);
        return call;
    }

    private static async Task<byte[]> ReadChunksAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        var body = new List<byte>();
        while (true)
        {
            var line = "";
            while (!line.EndsWith("\r\n", StringComparison.Ordinal)) line += (char)(await ReadByteAsync(stream, cancellationToken))!.Value;
            var length = Convert.ToInt32(line.Trim(), 16);
            body.AddRange(await ReadExactlyAsync(stream, length, cancellationToken));
            await ReadExactlyAsync(stream, 2, cancellationToken);
            if (length == 0) return [.. body];
        }
    }

    private static async Task<byte?> ReadByteAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        var one = new byte[1];
        return await stream.ReadAsync(one, cancellationToken) == 0 ? null : one[0];
    }

    private static async Task<byte[]> ReadExactlyAsync(NetworkStream stream, int length, CancellationToken cancellationToken)
    {
        var bytes = new byte[length];
        await stream.ReadExactlyAsync(bytes, cancellationToken);
        return bytes;
    }
}
