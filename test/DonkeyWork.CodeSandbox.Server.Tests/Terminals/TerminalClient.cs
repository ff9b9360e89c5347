using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests.Terminals;

/// <summary>A person at a terminal: a WebSocket, and a screen that shows what came.</summary>
internal sealed class TerminalClient : IAsyncDisposable
{
    /// <summary>A shell's loop that says each line in brackets. A read whose time is over in the middle of a line has taken its beginning.</summary>
    public const string EchoLines = "while :; do if IFS= read -t 0.05 -r part; then echo \"[$line$part]\"; line=; else line+=$part; fi; done";

    private readonly ClientWebSocket _socket = new();
    private readonly Lock _gate = new();
    private readonly MemoryStream _received = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _reading = Task.CompletedTask;

    private TerminalClient(int columns, int rows) => Screen = new Screen(columns, rows);

    /// <summary>What is seen. Look at it within <see cref="UntilAsync"/>.</summary>
    public Screen Screen { get; }

    /// <summary>Everything that came.</summary>
    public byte[] Received
    {
        get
        {
            lock (_gate)
                return _received.ToArray();
        }
    }

    public WebSocketCloseStatus? CloseStatus => _socket.CloseStatus;

    public string? CloseReason => _socket.CloseStatusDescription;

    /// <summary>Completes when the other side closes or breaks the connection.</summary>
    public Task Ended => _reading;

    public static Task<TerminalClient> ConnectAsync(ExecutorContainer container, string query = "", int columns = 80, int rows = 24) =>
        ConnectAsync(container.Api.SocketPath, $"cols={columns}&rows={rows}{(query.Length == 0 ? "" : "&")}{query}", columns, rows);

    public static Task<TerminalClient> ConnectAsync(ClockedExecutor executor, string query) =>
        ConnectAsync(executor.Api.SocketPath, query, 80, 24);

    /// <summary>Sends an input that is typed.</summary>
    public Task TypeAsync(string text) =>
        _socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Binary, true, CancellationToken.None);

    /// <summary>Sends a text message.</summary>
    public Task SendTextAsync(string text) =>
        _socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, CancellationToken.None);

    public Task ResizeAsync(int columns, int rows)
    {
        lock (_gate)
            Screen.Resize(columns, rows);
        return SendTextAsync($$$"""{"type":"resize","payload":{"cols":{{{columns}}},"rows":{{{rows}}}}}""");
    }

    /// <summary>Waits until the screen shows something.</summary>
    public async Task UntilAsync(Func<Screen, bool> condition, string what)
    {
        using var patience = new CancellationTokenSource(Published.Patience);
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (condition(Screen))
                    return;
                changed = _changed.Task;
            }

            var hasEnded = _reading.IsCompleted;
            await Task.WhenAny(changed, hasEnded ? changed : _reading, Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, patience.Token));
            if (patience.IsCancellationRequested || (hasEnded && !changed.IsCompleted))
                throw new TimeoutException($"{what}; the terminal {(hasEnded ? "has ended" : "is open")}, and the screen shows:\n{Screen.Text}");
        }
    }

    public Task UntilAsync(string text) =>
        UntilAsync(screen => screen.Text.Contains(text, StringComparison.Ordinal), $"'{text}' does not appear");

    /// <summary>Closes as a browser does.</summary>
    public async Task CloseAsync(WebSocketCloseStatus status)
    {
        using var patience = new CancellationTokenSource(Published.Patience);
        await _socket.CloseOutputAsync(status, null, patience.Token);
        await _reading.WaitAsync(patience.Token);
    }

    /// <summary>Breaks the connection.</summary>
    public void Cut() => _socket.Abort();

    public async ValueTask DisposeAsync()
    {
        _socket.Abort();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _socket.Dispose();
    }

    private static async Task<TerminalClient> ConnectAsync(string socketPath, string query, int columns, int rows)
    {
        using var http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        var client = new TerminalClient(columns, rows);
        using var patience = new CancellationTokenSource(Published.Patience);
        await client._socket.ConnectAsync(new Uri($"ws://executor/api/terminal?{query}"), http, patience.Token);
        client._reading = client.ReadAsync();
        return client;
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (true)
            {
                var received = await _socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
                if (received.MessageType == WebSocketMessageType.Close)
                {
                    await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
                    return;
                }

                received.MessageType.ShouldBe(WebSocketMessageType.Binary);
                lock (_gate)
                {
                    _received.Write(buffer, 0, received.Count);
                    Screen.Write(buffer.AsSpan(0, received.Count));
                    _changed.SetResult();
                    _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                }
            }
        }
        catch (Exception error) when (error is WebSocketException or OperationCanceledException)
        {
            // Cut, by one side or the other.
        }
    }
}
