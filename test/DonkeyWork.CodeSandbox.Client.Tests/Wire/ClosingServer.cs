using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace DonkeyWork.CodeSandbox.Client.Tests.Wire;

/// <summary>
/// Reads every request and ends the connection without an answer, as the kernel does for a process that is killed: no reset, and
/// nothing says whether it was carried out.
/// </summary>
internal sealed class ClosingServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _serving;

    public ClosingServer()
    {
        _listener.Start();
        _serving = ServeAsync();
    }

    public Uri Address => new($"http://{_listener.LocalEndpoint}/");

    /// <summary>The first line of each request.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            using var client = await _listener.AcceptTcpClientAsync(_stop.Token);
            using var reader = new StreamReader(client.GetStream(), Encoding.Latin1);
            Requests.Enqueue(await reader.ReadLineAsync(_stop.Token) ?? "");
            while (await reader.ReadLineAsync(_stop.Token) is not (null or ""))
            {
            }

            client.Client.Shutdown(SocketShutdown.Send);
        }
    }
}
