using System.Net.WebSockets;
using System.Text;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;

namespace DonkeyWork.CodeSandbox.Client.Tests.Wire;

/// <summary>The other end of a terminal's WebSocket, one for each connection.</summary>
internal sealed class FakeTerminal
{
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HttpContext _context;
    private readonly WebSocket _socket;

    private FakeTerminal(HttpContext context, WebSocket socket) => (_context, _socket) = (context, socket);

    /// <summary>What comes from the client: the text of a message, or <c>close 1000</c>.</summary>
    public Channel<string> Received { get; } = Channel.CreateUnbounded<string>();

    /// <summary>Answers terminals, and hands each out.</summary>
    public static RequestDelegate Into(ChannelWriter<FakeTerminal> opened) => async context =>
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var terminal = new FakeTerminal(context, socket);
        opened.TryWrite(terminal);
        await terminal.ReceiveAsync();
    };

    public Task ShowAsync(string text) => _socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Binary, true, CancellationToken.None);

    public Task CloseAsync(int status, string reason) => _socket.CloseOutputAsync((WebSocketCloseStatus)status, reason, CancellationToken.None);

    public void Cut()
    {
        _context.Abort();
        _over.TrySetResult();
    }

    public Task<string> NextAsync() => Received.Reader.ReadAsync().AsTask().OrFail();

    private async Task ReceiveAsync()
    {
        var buffer = new byte[65_536];
        try
        {
            while (!_over.Task.IsCompleted)
            {
                var received = await _socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
                if (received.MessageType == WebSocketMessageType.Close)
                {
                    Received.Writer.TryWrite($"close {(int)_socket.CloseStatus!}");
                    if (_socket.State == WebSocketState.CloseReceived)
                        await CloseAsync(1000, "");
                    return;
                }

                Received.Writer.TryWrite($"{received.MessageType} {Encoding.UTF8.GetString(buffer, 0, received.Count)}");
            }
        }
        catch (Exception e) when (e is WebSocketException or IOException or OperationCanceledException)
        {
            Received.Writer.TryWrite("cut");
        }
    }
}
