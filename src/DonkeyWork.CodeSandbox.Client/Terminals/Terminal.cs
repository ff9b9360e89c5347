using System.Globalization;
using System.IO.Pipelines;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Client.Connection;
using DonkeyWork.CodeSandbox.Client.Terminals;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client;

/// <summary>
/// A terminal in a sandbox. One with a name (<see cref="TerminalOptions.Id"/>) connects again by itself where its connection breaks, to
/// the next Manager where one fails, for as long as <see cref="ConnectionOptions.ReconnectTimeout"/> allows. Disposing it hangs up: what
/// runs in it is told by SIGHUP, then killed. All members may be used at once from several threads; <see cref="Output"/> by one reader.
/// </summary>
public sealed class Terminal : IAsyncDisposable
{
    // What may lie between the connection and a reader who is slow.
    private const int MaxUnreadBytes = 256 * 1024;
    private const int ReceiveBytes = 16 * 1024;

    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(5);

    // ESC c, "reset to initial state": what follows is drawn from a clean screen.
    private static readonly byte[] Reset = [0x1b, (byte)'c'];

    private readonly TerminalRoute _route;
    private readonly Pipe _output = new(new PipeOptions(pauseWriterThreshold: MaxUnreadBytes, resumeWriterThreshold: MaxUnreadBytes / 2, useSynchronizationContext: false));
    // Never disposed, which it need not be: a write may end after the terminal.
    private readonly SemaphoreSlim _sending = new(1);
    private readonly CancellationTokenSource _disposed = new();
    private readonly Task<int?> _end;
    private readonly TerminalOutput _read;
    private TaskCompletionSource<WebSocketConnection> _connection = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal Terminal(TerminalRoute route, WebSocketConnection connection)
    {
        _route = route;
        _read = new TerminalOutput(_output.Reader);
        _connection.SetResult(connection);
        _end = RunAsync(connection);
    }

    /// <summary>Its name, where it has one. It is an execution, too: <see cref="Sandbox.GetExecution"/> has its state and signals.</summary>
    public string? Id => _route.Id;

    /// <summary>
    /// What it shows, as bytes for a terminal emulator. Where the connection was made again, what it showed last (up to 256 KiB) comes
    /// again, behind a reset (<c>ESC c</c>). Read it all the time: a program is held while nobody does, and a connection that is not read
    /// from for a minute is given up. Ends when its program has.
    /// </summary>
    /// <exception cref="SandboxLostException">Thrown by a read: the sandbox is gone.</exception>
    /// <exception cref="InterruptedException">Thrown by a read: the connection broke, and could not be made again.</exception>
    public Stream Output => _read;

    /// <summary>Types. Bytes arrive in order; where the connection breaks in the middle of a write, whether they arrived is unknown.</summary>
    /// <param name="input">The bytes, such as 3 for Ctrl+C.</param>
    /// <param name="cancellationToken">Gives up. Bytes that were being sent may have arrived, or arrive yet, and what is typed next comes behind them.</param>
    /// <exception cref="InterruptedException">The connection broke in the middle. One with a name goes on all the same.</exception>
    /// <exception cref="ExecutionExitedException">Its program has ended.</exception>
    /// <exception cref="CodeSandboxException">Anything else, by its code.</exception>
    public Task WriteAsync(ReadOnlyMemory<byte> input, CancellationToken cancellationToken = default) =>
        SendAsync(input, WebSocketMessageType.Binary, cancellationToken);

    /// <summary>Types text, as UTF-8. Enter is <c>\r</c>.</summary>
    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>
    public Task WriteAsync(string input, CancellationToken cancellationToken = default) => WriteAsync(Encoding.UTF8.GetBytes(input), cancellationToken);

    /// <summary>Changes its size.</summary>
    /// <param name="columns">1 to 65,535 characters.</param>
    /// <param name="rows">1 to 65,535 characters.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)" path="/exception"/>
    public Task ResizeAsync(int columns, int rows, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(columns, ushort.MaxValue);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, ushort.MaxValue);
        _route.SetSize(columns, rows);
        var message = new TerminalMessage { Type = TerminalMessage.Resize, Payload = new TerminalSize { Cols = columns, Rows = rows } };
        return SendAsync(
            JsonSerializer.SerializeToUtf8Bytes(message, ServerConnection.TypeInfo<TerminalMessage>()), WebSocketMessageType.Text, cancellationToken);
    }

    /// <summary>Waits until its program has ended. Output that nobody has begun to read is let go of meanwhile: begin to read
    /// <see cref="Output"/> before calling it, or not at all.</summary>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The exit code, or 128 + signal; <see langword="null"/> where nobody can say.</returns>
    /// <exception cref="SandboxLostException">The sandbox is gone.</exception>
    /// <exception cref="InterruptedException">The connection broke, and could not be made again.</exception>
    public async Task<int?> WaitAsync(CancellationToken cancellationToken = default)
    {
        if (_read.TryClaim())
        {
            try
            {
                await _read.CopyToAsync(Stream.Null, cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                _read.Release();
                throw;
            }
        }

        return await _end.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Hangs up. Takes at most 5 s, and does not throw.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed.IsCancellationRequested)
            return;
        using var limit = new CancellationTokenSource(CloseTimeout, _route.Sandbox.Options.TimeProvider);
        var connection = Volatile.Read(ref _connection).Task;
        // First, so that nobody connects again behind the goodbye; and what it shows until then is nobody's any more.
        await _disposed.CancelAsync().ConfigureAwait(false);
        await _read.CloseAsync().ConfigureAwait(false);
        try
        {
            if (connection.IsCompletedSuccessfully)
            {
                await _sending.WaitAsync(limit.Token).ConfigureAwait(false);
                await (await connection.ConfigureAwait(false)).Socket
                    .CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, limit.Token).ConfigureAwait(false);
                await _end.WaitAsync(limit.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException or CodeSandboxException or InvalidOperationException)
        {
            // It is gone, or does not answer; the executor notices that, too.
        }

        if (connection.IsCompletedSuccessfully)
            (await connection.ConfigureAwait(false)).Dispose();
        await ((Task)_end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _disposed.Dispose();
    }

    private async Task<int?> RunAsync(WebSocketConnection connection)
    {
        try
        {
            var code = await ReceiveAsync(connection).ConfigureAwait(false);
            await _output.Writer.CompleteAsync().ConfigureAwait(false);
            End(new ExecutionExitedException("The terminal's program has ended."));
            return code;
        }
        catch (Exception e)
        {
            await _output.Writer.CompleteAsync(e).ConfigureAwait(false);
            End(e);
            throw;
        }
    }

    private async Task<int?> ReceiveAsync(WebSocketConnection connection)
    {
        var persistence = new Persistence(_route.Sandbox.Options);
        while (true)
        {
            try
            {
                var code = await ReceiveAsync(connection.Socket, persistence).ConfigureAwait(false);
                if (connection.Socket.CloseStatus != WebSocketCloseStatus.NormalClosure && !_disposed.IsCancellationRequested)
                    throw TerminalRoute.Cut(connection, failure: null);
                connection.Dispose();
                return code;
            }
            catch (Exception e) when (e is WebSocketException or IOException or InterruptedException or OperationCanceledException or ObjectDisposedException)
            {
                ObjectDisposedException.ThrowIf(_disposed.IsCancellationRequested, this);
                var failure = e as InterruptedException ?? TerminalRoute.Cut(connection, e);
                connection.Dispose();
                if (_route.Id is null)
                    throw await _route.Sandbox.ExplainAsync(failure, _disposed.Token).ConfigureAwait(false);
                connection = await ReconnectAsync(connection, failure, persistence).ConfigureAwait(false);
            }
        }
    }

    private async Task<int?> ReceiveAsync(WebSocket socket, Persistence persistence)
    {
        while (true)
        {
            var received = await socket.ReceiveAsync(_output.Writer.GetMemory(ReceiveBytes), CancellationToken.None).ConfigureAwait(false);
            if (received.MessageType == WebSocketMessageType.Close)
                return int.TryParse(socket.CloseStatusDescription, NumberStyles.None, CultureInfo.InvariantCulture, out var code) ? code : null;
            persistence.Progressed();
            _output.Writer.Advance(received.Count);
            // Once disposed there is no reader, and what comes until the goodbye is let go of.
            await _output.Writer.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task<WebSocketConnection> ReconnectAsync(WebSocketConnection broken, CodeSandboxException failure, Persistence persistence)
    {
        var next = new TaskCompletionSource<WebSocketConnection>(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _connection, next);
        _route.Sandbox.Server.Leave(broken.From);
        while (true)
        {
            try
            {
                await _route.Sandbox.PauseAsync(persistence, failure, _disposed.Token).ConfigureAwait(false);
                var connection = await _route.ConnectAsync(persistence.AttemptTimeout, _disposed.Token).ConfigureAwait(false);
                await _output.Writer.WriteAsync(Reset, CancellationToken.None).ConfigureAwait(false);
                next.SetResult(connection);
                // Disposed in between, which closes only what it finds.
                if (_disposed.IsCancellationRequested)
                    connection.Dispose();
                return connection;
            }
            catch (CodeSandboxException e) when (e != failure)
            {
                failure = e;
            }
        }
    }

    private async Task SendAsync(ReadOnlyMemory<byte> message, WebSocketMessageType type, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed.IsCancellationRequested, this);
        // Whoever gives up has his memory back, while what was begun goes on.
        if (cancellationToken.CanBeCanceled)
            message = message.ToArray();
        await _sending.WaitAsync(cancellationToken).ConfigureAwait(false);
        var sent = SendNextAsync(message, type, cancellationToken);
        // Looked at, where nobody waits for it any more.
        _ = sent.ContinueWith(
            static over => over.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        await sent.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task SendNextAsync(ReadOnlyMemory<byte> message, WebSocketMessageType type, CancellationToken cancellationToken)
    {
        try
        {
            var connection = await Volatile.Read(ref _connection).Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                // Not cancelled: that would break the connection.
                await connection.Socket.SendAsync(message, type, endOfMessage: true, CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception e) when (e is WebSocketException or IOException or ObjectDisposedException or InvalidOperationException)
            {
                throw TerminalRoute.Cut(connection, e);
            }
        }
        finally
        {
            _sending.Release();
        }
    }

    private void End(Exception why)
    {
        var ended = new TaskCompletionSource<WebSocketConnection>();
        ended.SetException(why);
        // Looked at, whether or not anybody types any more.
        _ = ended.Task.Exception;
        // Whoever waits for a connection waits no longer.
        Interlocked.Exchange(ref _connection, ended).TrySetException(why);
    }
}
