using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Manager.Draining;
using DonkeyWork.CodeSandbox.Manager.Relaying;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Sandboxes.Execution;

namespace DonkeyWork.CodeSandbox.Manager.Terminals;

/// <summary><c>GET /api/kata/{id}/terminal</c>: the executor's own WebSocket, relayed.</summary>
internal static partial class TerminalEndpoint
{
    // What a page offers beside its key, and the only subprotocol there is to choose.
    private const string Subprotocol = "codesandbox";

    // A caller who has nothing to say answers these.
    private static readonly TimeSpan PingInterval = TimeSpan.FromSeconds(10);

    // It is ListeningStream that gives up a caller: it does not count the time in which the Manager itself cannot take more.
    private static readonly TimeSpan NoPingTimeout = TimeSpan.FromDays(1);

    public static async Task OpenAsync(string id, HttpContext context, ExecutorRelay relay, SandboxRegistry sandboxes, Drain drain, TimeProvider clock, ILogger<TerminalRelay> logger)
    {
        if (!context.WebSockets.IsWebSocketRequest)
            throw new SandboxException(ErrorCodes.InvalidRequest, "A terminal is a WebSocket: ask with Connection: Upgrade and Upgrade: websocket.");

        var request = new ExecutorRequest(HttpMethod.Get, ExecutorTarget.Of("terminal", null, context.Request.Query)) { AsksForWebSocket = true };
        using var response = await relay.SendAsync(id, request, context.RequestAborted);
        if (!response.IsWebSocket)
        {
            await RelayedResponse.WriteAsync(context.Response, response, route: null, context.RequestAborted);
            return;
        }

        using var executor = await response.OpenAsync(context.RequestAborted);
        using var caller = await context.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext
        {
            SubProtocol = context.WebSockets.WebSocketRequestedProtocols.Contains(Subprotocol) ? Subprotocol : null,
            KeepAliveInterval = PingInterval,
            KeepAliveTimeout = NoPingTimeout,
        });
        if (!await new TerminalRelay(caller, executor, token => IsGoneAsync(sandboxes, id, token), clock).RunAsync(drain.Over)) LogCut(logger, id);
    }

    private static async Task<bool> IsGoneAsync(SandboxRegistry sandboxes, string name, CancellationToken cancellationToken)
    {
        try
        {
            return await sandboxes.ReadAsync(name, cancellationToken) is not { IsAlive: true };
        }
        catch (Exception e) when (e is BackendUnavailableException or OperationCanceledException)
        {
            // Nobody can say, which is no reason to call it gone.
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A terminal of sandbox {Name} was cut: the executor's connection broke, or it fell silent")]
    private static partial void LogCut(ILogger logger, string name);
}
