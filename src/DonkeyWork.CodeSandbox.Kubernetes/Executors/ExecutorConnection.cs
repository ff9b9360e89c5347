using System.Collections.Concurrent;
using System.Net.Sockets;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;

namespace DonkeyWork.CodeSandbox.Kubernetes.Executors;

/// <summary>
/// The connections to one sandbox's executor. They end with the sandbox: where its node has gone without a word, nothing
/// else would break a stream.
/// </summary>
internal sealed class ExecutorConnection : IDisposable
{
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(5);

    // What is on its way to a caller when its connection breaks must be much less than an execution keeps of its output. Left
    // to itself the kernel goes up to 6 MiB (tcp(7), tcp_rmem).
    private const int ReceiveBytes = 256 * 1024;

    private readonly ConcurrentDictionary<Socket, bool> _sockets = new();
    private readonly HttpMessageInvoker _http;
    private volatile bool _isGone;

    /// <param name="address">Where the executor's paths begin.</param>
    /// <param name="createHandler">Makes the handler; what it is given must be applied to the innermost one.</param>
    public ExecutorConnection(Uri address, Func<Action<SocketsHttpHandler>, HttpMessageHandler> createHandler)
    {
        _http = new HttpMessageInvoker(createHandler(handler =>
        {
            ExecutorHandler.Configure(handler);
            handler.ConnectTimeout = 2 * ConnectPatience; // TLS included
            handler.ConnectCallback = ConnectAsync;
        }));
        Endpoint = new ExecutorEndpoint(_http, address);
    }

    /// <summary>What the rest of the Manager sees of it.</summary>
    public ExecutorEndpoint Endpoint { get; }

    /// <summary>Breaks every request that is under way, and makes every later one fail.</summary>
    public void Dispose()
    {
        _isGone = true;
        _http.Dispose();
        // The sockets and not the streams over them: whoever reads gets an IOException, now or later.
        foreach (var socket in _sockets.Keys) socket.Dispose();
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(ConnectPatience);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveBufferSize = ReceiveBytes };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, patience.Token);
            _sockets[socket] = true;
            ObjectDisposedException.ThrowIf(_isGone, this);
            return new TrackedStream(socket, _sockets);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            socket.Dispose();
            throw new SocketException((int)SocketError.TimedOut);
        }
        catch
        {
            _sockets.TryRemove(socket, out _);
            socket.Dispose();
            throw;
        }
    }

    private sealed class TrackedStream(Socket socket, ConcurrentDictionary<Socket, bool> sockets) : NetworkStream(socket, ownsSocket: true)
    {
        protected override void Dispose(bool disposing)
        {
            sockets.TryRemove(Socket, out _);
            base.Dispose(disposing);
        }
    }
}
