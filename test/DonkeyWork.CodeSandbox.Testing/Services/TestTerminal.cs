using System.Net.WebSockets;
using System.Text;
using System.Text.RegularExpressions;

namespace DonkeyWork.CodeSandbox.Testing.Services;

/// <summary>A person at a terminal, by the framework's own WebSocket client: types, and reads what is on the screen.</summary>
public sealed class TestTerminal : IAsyncDisposable
{
    private readonly ClientWebSocket _socket = new();
    private readonly StringBuilder _screen = new();
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _reading = Task.CompletedTask;

    private TestTerminal()
    {
    }

    /// <summary>Everything that was drawn so far.</summary>
    public string Screen
    {
        get { lock (_screen) return _screen.ToString(); }
    }

    /// <summary>How the other end closed it; <see langword="null"/>: it did not.</summary>
    public (WebSocketCloseStatus? Status, string? Reason) Closed => (_socket.CloseStatus, _socket.CloseStatusDescription);

    /// <param name="way">By which Manager.</param>
    /// <param name="sandbox">Where.</param>
    /// <param name="query">Such as <c>execution=mine&amp;cols=80</c>.</param>
    public static async Task<TestTerminal> OpenAsync(CuttingRelay way, TestSandbox sandbox, string query = "")
    {
        var terminal = new TestTerminal();
        using var patience = new CancellationTokenSource(Patience.Limit);
        var address = new UriBuilder(new Uri(way.Address, $"/api/kata/{sandbox.Name}/terminal")) { Scheme = "ws", Query = query }.Uri;
        await terminal._socket.ConnectAsync(address, patience.Token);
        terminal._reading = terminal.ReadAsync();
        return terminal;
    }

    /// <summary>Types, as keys: Enter is <c>\r</c>.</summary>
    public Task TypeAsync(string keys) =>
        _socket.SendAsync(Encoding.UTF8.GetBytes(keys), WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);

    /// <summary>Makes the window another size.</summary>
    public Task ResizeAsync(int columns, int rows) => _socket.SendAsync(
        Encoding.UTF8.GetBytes($$$"""{"type":"resize","payload":{"cols":{{{columns}}},"rows":{{{rows}}}}}"""), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);

    /// <summary>Types a line that runs a script of any form, quoted so that the shell's line editor shows nothing of what it does.</summary>
    public Task RunAsync(string script) => TypeAsync($"eval \"$(echo {Convert.ToBase64String(Encoding.UTF8.GetBytes(script))} | base64 -d)\"\r");

    /// <summary>Waits until something is on the screen.</summary>
    public Task UntilAsync(string pattern) => UntilAsync(drawn => Regex.IsMatch(drawn, pattern), $"\"{pattern}\"");

    /// <summary>Waits until what was drawn so far is so; <paramref name="what"/> is said of what does not appear.</summary>
    public async Task UntilAsync(Func<string, bool> condition, string what)
    {
        using var patience = new CancellationTokenSource(Patience.Limit);
        while (true)
        {
            var more = Volatile.Read(ref _more).Task;
            var ended = _reading.IsCompleted;
            if (condition(Screen)) return;
            ended.ShouldBeFalse($"{what} does not appear, and it has ended with {Closed}: {Screen}");
            try
            {
                await Task.WhenAny(more, _reading).WaitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"{what} does not appear: {Screen}");
            }
        }
    }

    /// <summary>Closes it, as a browser does.</summary>
    public Task CloseAsync(WebSocketCloseStatus status) => _socket.CloseOutputAsync(status, null, CancellationToken.None);

    /// <summary>Waits until the other end has closed or broken it; how.</summary>
    public async Task<(WebSocketCloseStatus? Status, string? Reason)> EndAsync()
    {
        await _reading.WaitAsync(Patience.Limit);
        return Closed;
    }

    public async ValueTask DisposeAsync()
    {
        _socket.Abort();
        await _reading;
        _socket.Dispose();
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[64 * 1024];
        var decoder = Encoding.UTF8.GetDecoder();
        var characters = new char[64 * 1024];
        try
        {
            while (await _socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None) is { MessageType: not WebSocketMessageType.Close } read)
            {
                read.MessageType.ShouldBe(WebSocketMessageType.Binary);
                lock (_screen) _screen.Append(characters.AsSpan(0, decoder.GetChars(buffer.AsSpan(0, read.Count), characters, flush: false)));
                More();
            }
        }
        catch (Exception cut) when (cut is WebSocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Cut off, or given up.
        }
    }

    private void More() => Interlocked.Exchange(ref _more, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
}
