using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Executions.Logs;
using DonkeyWork.CodeSandbox.Server.Http;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary><c>POST /api/execute</c>: one command, its output as lines, killed with the connection.</summary>
internal sealed class ExecuteEndpoint(ExecutionRegistry registry, SandboxEnvironment environment, TimeProvider timeProvider)
{
    /// <summary>Answers the request.</summary>
    /// <exception cref="RequestException">Before the response has begun.</exception>
    public async Task HandleAsync(HttpContext context)
    {
        var request = await Json.ReadAsync(context, ContractsJsonContext.Default.ExecuteRequest);
        var start = new StartExecutionRequest
        {
            Command = request.Command,
            TimeoutSeconds = request.TimeoutSeconds,
            WorkingDirectory = request.WorkingDirectory,
            Environment = request.Environment,
        };
        // Nobody comes back for what was sent: a little memory will do.
        var plan = ExecutionPlan.From(start, environment, streams: true) with { KeepBytes = MemoryStorage.Capacity };
        OutputLogReader? reader = null;
        var execution = await registry.StartUnnamedAsync(plan, started => reader = started.Log.OpenReader(0));
        try
        {
            using (reader)
                await FollowAsync(context, execution, reader!);
        }
        catch
        {
            execution.TryKillUnlessEnded();
            throw;
        }
        finally
        {
            ExecutionRegistry.Forget(execution);
            registry.Touch();
        }
    }

    private async Task FollowAsync(HttpContext context, Execution execution, OutputLogReader reader)
    {
        using var open = registry.CountStream();
        await using var disconnect = context.RequestAborted.UnsafeRegister(
            static left => ((Execution)left!).TryKillUnlessEnded(), execution);
        await EventFollower.BeginAsync(context, SseBuffer.MediaType);
        var stream = new LineStream(new SseWriter(context.Response.BodyWriter, execution.Pid));
        await new EventFollower(timeProvider).FollowAsync(execution, reader, stream, context.RequestAborted);
    }
}
