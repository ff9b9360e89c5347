using System.Net.Sockets;
using DonkeyWork.CodeSandbox.Local.Posix;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Local.Executors;

/// <summary>
/// The way to one sandbox's executor: HTTP over a Unix socket. The socket is looked up in a directory held open, never
/// by a path that a sandbox could change.
/// </summary>
internal sealed class ExecutorConnection : IDisposable
{
    /// <summary>The socket's name in its directory.</summary>
    public const string SocketName = "executor.sock";

    /// <summary>How many connections may wait for the executor to accept them.</summary>
    private const int Backlog = 512;

    private static readonly Uri BaseAddress = new("http://sandbox/");

    private readonly SafeFileHandle _directory;
    private readonly HttpMessageInvoker _http;

    /// <param name="directory">Where the socket is, now or later.</param>
    public ExecutorConnection(string directory)
    {
        _directory = Descriptors.Directory(directory);
        var handler = ExecutorHandler.Create();
        handler.ConnectCallback = (_, cancellationToken) => ConnectAsync(cancellationToken);
        _http = new HttpMessageInvoker(handler);
        Endpoint = new ExecutorEndpoint(_http, BaseAddress);
    }

    /// <summary>What the rest of the Manager sees of it.</summary>
    public ExecutorEndpoint Endpoint { get; }

    /// <summary>Makes the socket, listening, for a sandbox to inherit.</summary>
    public Socket Listen()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            // Renamed once bound: .NET deletes the path it bound when the socket is disposed, and this one is the sandbox's to keep.
            var directory = Descriptors.PathOf(_directory);
            socket.Bind(new UnixDomainSocketEndPoint($"{directory}/bound.sock"));
            File.Move($"{directory}/bound.sock", $"{directory}/{SocketName}");
            socket.Listen(Backlog);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Connects.</summary>
    /// <exception cref="SocketException">Nobody listens.</exception>
    public async ValueTask<Stream> ConnectAsync(CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            using var entry = Descriptors.EntryOf(_directory, SocketName);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Descriptors.PathOf(entry)), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Whether it answers <c>GET /healthz</c>; any failure is a no.</summary>
    public async Task<bool> IsHealthyAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(BaseAddress, "healthz"));
            using var response = await _http.SendAsync(request, cancellationToken);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _http.Dispose();
        _directory.Dispose();
    }
}
