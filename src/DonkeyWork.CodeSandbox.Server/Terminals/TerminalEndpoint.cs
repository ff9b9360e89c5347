using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Executions;
using DonkeyWork.CodeSandbox.Server.Http;

namespace DonkeyWork.CodeSandbox.Server.Terminals;

/// <summary><c>GET /api/terminal</c>: a WebSocket at an execution that has a terminal.</summary>
internal sealed class TerminalEndpoint(ExecutionRegistry registry, SandboxEnvironment environment, TerminalAttendance attendance)
{
    /// <summary>
    /// A ping goes out every 10 s, and who has not answered for a minute is gone. Not sooner: a ping comes behind all that is on
    /// its way to a slow reader.
    /// </summary>
    public static readonly WebSocketOptions Options = new()
    {
        KeepAliveInterval = TimeSpan.FromSeconds(10),
        KeepAliveTimeout = TimeSpan.FromSeconds(60),
    };

    /// <summary>Answers the request.</summary>
    /// <exception cref="RequestException">Before the upgrade.</exception>
    public async Task HandleAsync(HttpContext context)
    {
        if (!context.Request.QueryString.HasValue && context.Request.Headers[ExecutorProtocol.QueryHeader].ToString() is ['?', ..] lost)
            context.Request.QueryString = new QueryString(lost);
        var query = TerminalQuery.Parse(context.Request.Query);
        if (!context.WebSockets.IsWebSocketRequest)
        {
            throw new RequestException(
                StatusCodes.Status400BadRequest, ErrorCodes.InvalidRequest, "A terminal is a WebSocket, and this request asks for none.");
        }

        using var stream = registry.CountStream();
        if (query.ExecutionId is null)
            await FollowUnnamedAsync(context, query);
        else
            await FollowNamedAsync(context, await FindOrStartAsync(query, query.ExecutionId));
    }

    /// <summary>Nobody can come back to one without a name: whoever leaves it hangs up.</summary>
    private async Task FollowUnnamedAsync(HttpContext context, TerminalQuery query)
    {
        var execution = await registry.StartUnnamedAsync(ExecutionPlan.From(query.Request, environment, streams: true));
        var leave = TerminalLeave.Cut;
        try
        {
            var connection = new TerminalConnection(await context.WebSockets.AcceptWebSocketAsync(), execution);
            leave = await connection.WaitAsync();
            await Task.WhenAll(HangUpAsync(leave), connection.CloseAsync(leave));
        }
        catch
        {
            await HangUpAsync(leave);
            throw;
        }
        finally
        {
            ExecutionRegistry.Forget(execution);
        }

        Task HangUpAsync(TerminalLeave leave) => leave == TerminalLeave.Exited ? Task.CompletedTask : attendance.HangUpAsync(execution);
    }

    private async Task FollowNamedAsync(HttpContext context, Execution execution)
    {
        attendance.Enter(execution);
        try
        {
            var connection = new TerminalConnection(await context.WebSockets.AcceptWebSocketAsync(), execution);
            var leave = await connection.WaitAsync();
            await Task.WhenAll(
                leave == TerminalLeave.HungUp ? attendance.HangUpAsync(execution) : Task.CompletedTask, connection.CloseAsync(leave));
        }
        finally
        {
            attendance.Leave(execution);
        }
    }

    private async Task<Execution> FindOrStartAsync(TerminalQuery query, string id)
    {
        var (execution, isNew) = await registry.FindOrStartAsync(ExecutionPlan.From(query.Request, environment, streams: true));
        if (isNew)
            return execution;
        // Of one that ended long ago nobody knows any more what it was.
        var isForgotten = execution is { Command: null, Argv: null };
        if (query.Command is not null && !isForgotten && query.Command != execution.Command)
            throw new RequestException(StatusCodes.Status409Conflict, ErrorCodes.ExecutionExists, $"'{id}' is the id of another command.");
        if (!execution.IsTerminal)
            throw new RequestException(StatusCodes.Status409Conflict, ErrorCodes.NotATerminal, "The execution has no terminal.");
        if (query.HasSize)
            TryResize(execution, query.Size);
        return execution;
    }

    private static void TryResize(Execution execution, TerminalSize size)
    {
        try
        {
            execution.Resize(size);
        }
        catch (RequestException error) when (error.Code == ErrorCodes.ExecutionExited)
        {
            // What it printed can still be seen.
        }
    }
}
