using System.Net.WebSockets;

namespace DonkeyWork.CodeSandbox.Manager.Terminals;

/// <summary>
/// Passes the frames of a terminal on in both directions, each as it comes: a side that takes no more holds the other. Its
/// end is told for what it is: a close is passed on as one, and what breaks on one side is a break on the other.
/// </summary>
/// <param name="caller">One side.</param>
/// <param name="executor">The other.</param>
/// <param name="isSandboxGone">Asked when the executor's connection has broken, which a sandbox in the best of health survives.</param>
/// <param name="clock">Measures patience.</param>
internal sealed class TerminalRelay(WebSocket caller, WebSocket executor, Func<CancellationToken, Task<bool>> isSandboxGone, TimeProvider clock)
{
    private const int BufferBytes = 16 * 1024;

    // How long the other side has for its last words once one side has ended.
    private static readonly TimeSpan ClosePatience = TimeSpan.FromSeconds(5);

    private bool _callerLeft;

    private enum End
    {
        /// <summary>The source has closed it.</summary>
        Closed,

        /// <summary>The source's connection broke, or it was not heard of for too long.</summary>
        SourceLost,

        /// <summary>The target takes nothing any more.</summary>
        TargetLost,
    }

    /// <summary>Relays until both sides have ended.</summary>
    /// <param name="stopping">Cancelled when the Manager ends what is open.</param>
    /// <returns>Whether both sides have ended as they wanted to, and the executor was not lost.</returns>
    public async Task<bool> RunAsync(CancellationToken stopping)
    {
        using var stop = stopping.UnsafeRegister(_ => executor.Abort(), null);
        var output = PassAsync(executor, caller);
        var input = PassInputAsync(output);
        await Task.WhenAny(output, input);

        using var patience = new CancellationTokenSource(ClosePatience, clock);
        using var leave = patience.Token.UnsafeRegister(_ => Abort(), null);
        var end = await output;
        if (end == End.TargetLost) Abort();
        var isExecutorLost = end == End.SourceLost && !stopping.IsCancellationRequested && !_callerLeft;
        var (status, words) = end switch
        {
            End.Closed => (executor.CloseStatus!.Value, executor.CloseStatusDescription),
            _ when isExecutorLost => await isSandboxGone(patience.Token)
                ? (WebSocketCloseStatus.InternalServerError, TerminalClose.SandboxLost)
                : (TerminalClose.BadGateway, TerminalClose.ExecutorUnreachable),
            // Its own close, which the executor has not answered.
            _ when caller.CloseStatus is { } own => (own, null),
            _ => (TerminalClose.ServiceRestart, TerminalClose.Stopping),
        };
        await CloseAsync(caller, status, words);
        if (end == End.Closed) await CloseAsync(executor, WebSocketCloseStatus.NormalClosure, null);
        await input;
        return !isExecutorLost;
    }

    private async Task PassInputAsync(Task output)
    {
        var end = await PassAsync(caller, executor);
        if (end == End.TargetLost)
        {
            // It may have ended, and what it has said before is still on its way.
            await output;
            return;
        }

        _callerLeft = true;
        if (end == End.Closed && caller.CloseStatus is WebSocketCloseStatus.NormalClosure or WebSocketCloseStatus.EndpointUnavailable)
            await CloseAsync(executor, caller.CloseStatus.Value, null);
        else
            executor.Abort();
    }

    private static async Task<End> PassAsync(WebSocket source, WebSocket target)
    {
        var buffer = new byte[BufferBytes];
        while (true)
        {
            ValueWebSocketReceiveResult received;
            try
            {
                received = await source.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
                if (received.MessageType == WebSocketMessageType.Close) return End.Closed;
            }
            catch (Exception e) when (IsBreak(e))
            {
                return End.SourceLost;
            }

            try
            {
                await target.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, CancellationToken.None);
            }
            catch (Exception e) when (IsBreak(e))
            {
                return End.TargetLost;
            }
        }
    }

    private static async Task CloseAsync(WebSocket side, WebSocketCloseStatus status, string? words)
    {
        try
        {
            await side.CloseOutputAsync(status, words, CancellationToken.None);
        }
        catch (Exception e) when (IsBreak(e))
        {
            // Gone, or closed before.
        }
    }

    private void Abort()
    {
        caller.Abort();
        executor.Abort();
    }

    private static bool IsBreak(Exception e) => e is WebSocketException or IOException or ObjectDisposedException or OperationCanceledException;
}
