using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.IO.Pipelines;
using System.Net.WebSockets;
using DonkeyWork.CodeSandbox.Server.Executions;
using DonkeyWork.CodeSandbox.Server.Executions.Logs;
using DonkeyWork.CodeSandbox.Server.Http;

namespace DonkeyWork.CodeSandbox.Server.Terminals;

/// <summary>How a connection to a terminal ended.</summary>
internal enum TerminalLeave
{
    /// <summary>The execution did.</summary>
    Exited,

    /// <summary>The caller closed it: 1000 or 1001.</summary>
    HungUp,

    /// <summary>Any other way.</summary>
    Cut,
}

/// <summary>One WebSocket at a terminal: binary messages out; in, everything is typed but a text message that asks for another size.</summary>
[SuppressMessage("Reliability", "CA1001", Justification = "CloseAsync closes everything.")]
internal sealed class TerminalConnection
{
    /// <summary>How much of what was printed before is sent again: 256 KiB.</summary>
    private const long ReplayBytes = 256 * 1024;

    private const int BufferBytes = 4 * 1024;

    /// <summary>
    /// What may be typed ahead of the program. Beyond that nothing is received, answers to pings neither, so that a caller whose
    /// program has stopped reading is cut off in time.
    /// </summary>
    private const int MaxTypedAhead = 1024 * 1024;

    /// <summary>How long the other side may take to close in its turn.</summary>
    private static readonly TimeSpan CloseGrace = TimeSpan.FromSeconds(5);

    private readonly WebSocket _socket;
    private readonly Execution _execution;
    private readonly CancellationTokenSource _over = new();
    private readonly Pipe _typed = new(new PipeOptions(
        pauseWriterThreshold: MaxTypedAhead, resumeWriterThreshold: MaxTypedAhead / 2, useSynchronizationContext: false));
    private readonly Task _sending;
    private readonly Task<TerminalLeave> _receiving;
    private readonly Task _typing;

    public TerminalConnection(WebSocket socket, Execution execution)
    {
        (_socket, _execution) = (socket, execution);
        _sending = SendAsync();
        _receiving = ReceiveAsync();
        _typing = TypeAsync();
    }

    /// <summary>Waits until one side ends it. Then <see cref="CloseAsync"/>.</summary>
    public async Task<TerminalLeave> WaitAsync()
    {
        try
        {
            if (await Task.WhenAny(_sending, _receiving) == _receiving)
                return await _receiving;
            await _sending;
            return TerminalLeave.Exited;
        }
        // Reading a connection that breaks fails in many ways, and so does an output that was deleted.
        catch (Exception error) when (error is WebSocketException or OperationCanceledException or IOException or RequestException)
        {
            return TerminalLeave.Cut;
        }
    }

    /// <summary>Says goodbye, where the other side still listens: 1000, with the exit code of an execution that has ended.</summary>
    public async Task CloseAsync(TerminalLeave leave)
    {
        await _over.CancelAsync();
        await Task.WhenAny(SayGoodbyeAsync(leave), Task.Delay(CloseGrace, TimeProvider.System, CancellationToken.None));
        _socket.Abort();
        await Task.WhenAll(_sending, _receiving, _typing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _over.Dispose();
    }

    private async Task SayGoodbyeAsync(TerminalLeave leave)
    {
        await _sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_socket.State != WebSocketState.CloseReceived && (_socket.State != WebSocketState.Open || leave != TerminalLeave.Exited))
            return;
        var reason = leave == TerminalLeave.Exited ? _execution.State.ExitCode?.ToString(CultureInfo.InvariantCulture) : null;
        try
        {
            await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, reason, CancellationToken.None);
        }
        catch (WebSocketException)
        {
            // Nobody listens any more.
        }

        await ((Task)_receiving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task SendAsync()
    {
        using var reader = _execution.Log.OpenTail(ReplayBytes);
        while (true)
        {
            var item = await reader.NextAsync(_over.Token);
            if (item.Kind == LogItemKind.End)
                return;
            // On a screen there is no place to say what a slow reader has missed.
            if (item.Kind != LogItemKind.Output)
                continue;
            // Not cancelled: that would break the connection, and nobody could say goodbye.
            await _socket.SendAsync(item.Bytes, WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);
            reader.Sent(item.Position);
        }
    }

    private async Task<TerminalLeave> ReceiveAsync()
    {
        var buffer = new byte[BufferBytes];
        var length = 0;
        var isBegun = false;
        while (true)
        {
            var received = await _socket.ReceiveAsync(buffer.AsMemory(length), CancellationToken.None);
            if (received.MessageType == WebSocketMessageType.Close)
            {
                return _socket.CloseStatus is WebSocketCloseStatus.NormalClosure or WebSocketCloseStatus.EndpointUnavailable
                    ? TerminalLeave.HungUp
                    : TerminalLeave.Cut;
            }

            length += received.Count;
            if (received.MessageType == WebSocketMessageType.Text && !isBegun)
            {
                if (!received.EndOfMessage && TextInput.MayBecomeResize(buffer.AsSpan(0, length)))
                    continue;
                if (received.EndOfMessage && TextInput.IsResize(buffer.AsSpan(0, length), out var size))
                {
                    if (size is not null)
                        Resize(size);
                    length = 0;
                    continue;
                }
            }

            isBegun = !received.EndOfMessage;
            await _typed.Writer.WriteAsync(buffer.AsMemory(0, length), _over.Token);
            length = 0;
        }
    }

    private void Resize(Contracts.TerminalSize size)
    {
        try
        {
            _execution.Resize(size);
        }
        catch (RequestException)
        {
            // It has just ended.
        }
    }

    private async Task TypeAsync()
    {
        try
        {
            while (true)
            {
                var typed = await _typed.Reader.ReadAsync(_over.Token);
                foreach (var segment in typed.Buffer)
                    await _execution.Stdin.TypeAsync(segment, _over.Token);
                _typed.Reader.AdvanceTo(typed.Buffer.End);
            }
        }
        catch (RequestException)
        {
            // Nobody reads it any more; what else is typed is forgotten.
        }
        finally
        {
            await _typed.Reader.CompleteAsync();
        }
    }
}
