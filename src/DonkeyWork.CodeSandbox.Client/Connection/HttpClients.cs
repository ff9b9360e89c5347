using System.Net.Sockets;

namespace DonkeyWork.CodeSandbox.Client.Connection;

/// <summary>What sends a client's requests. Streams have no total time.</summary>
internal sealed class HttpClients : IDisposable
{
    // What one connection holds on its way to a reader who is slow must stay small beside what an execution keeps
    // (16 MiB by default): it is what a cut connection has to be given again.
    private const int StreamReceiveBufferBytes = 256 * 1024;

    private readonly bool _owned;

    private HttpClients(HttpClient requests, HttpClient streams, bool owned, bool onlyConnectingIsTimed)
    {
        OnlyConnectingIsTimed = onlyConnectingIsTimed;
        Requests = requests;
        Streams = streams;
        _owned = owned;
    }

    /// <summary>For everything but <see cref="Streams"/>.</summary>
    public HttpClient Requests { get; }

    /// <summary>For the output of executions.</summary>
    public HttpClient Streams { get; }

    /// <summary>Whether a timeout of theirs is one of connecting: nothing was sent.</summary>
    public bool OnlyConnectingIsTimed { get; }

    public static HttpClients Of(HttpClient caller)
    {
        ArgumentNullException.ThrowIfNull(caller);
        return new HttpClients(caller, caller, owned: false, onlyConnectingIsTimed: false);
    }

    public static HttpClients Over(HttpMessageHandler handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        var http = new HttpClient(handler, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan };
        return new HttpClients(http, http, owned: true, onlyConnectingIsTimed: handler is SocketsHttpHandler);
    }

    public static HttpClients Own(IReadOnlyList<Uri> addresses, ConnectionOptions? options)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        // A proxy for the outside world cannot reach this machine's loopback.
        var useProxy = !addresses.All(a => a is { IsAbsoluteUri: true, IsLoopback: true });
        var connectTimeout = options?.ConnectTimeout ?? ConnectionOptions.DefaultConnectTimeout;
        return new HttpClients(
            Create(useProxy, connectTimeout), Create(useProxy, connectTimeout, StreamReceiveBufferBytes), owned: true, onlyConnectingIsTimed: true);
    }

    public void Dispose()
    {
        if (!_owned)
            return;
        Requests.Dispose();
        Streams.Dispose();
    }

    private static HttpClient Create(bool useProxy, TimeSpan connectTimeout, int? receiveBufferBytes = null) => new(
        new SocketsHttpHandler
        {
            // A redirect would carry commands and keys to wherever it points.
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = useProxy,
            ConnectTimeout = connectTimeout,
            // A name may come to mean another machine; streams in progress are not touched.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            // Leaving a stream closes its connection at once, which is what ends the command.
            ResponseDrainTimeout = TimeSpan.Zero,
            ConnectCallback = (context, cancellationToken) => ConnectAsync(context, receiveBufferBytes, cancellationToken),
        })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    private static async ValueTask<Stream> ConnectAsync(
        SocketsHttpConnectionContext context, int? receiveBufferBytes, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            // Input waits for its program for as long as that takes; only the kernel can tell that the other machine is gone. These
            // are for a connection on which nothing is under way. Bytes that nobody acknowledges are sent again for some 15 minutes
            // first (tcp_retries2), and TCP_USER_TIMEOUT, which shortens that, would also end a living one whose reader takes none.
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 15);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 5);
            // Before connecting, for the window that is announced (man 7 socket: SO_RCVBUF).
            if (receiveBufferBytes is { } bytes)
                socket.ReceiveBufferSize = bytes;
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
