using System.Text;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Http;
using DonkeyWork.CodeSandbox.Server.Posix;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary><c>POST /api/execute</c>: one command, its output as events, killed with the connection.</summary>
internal sealed partial class ExecuteEndpoint(
    ExecutionRegistry registry, SandboxEnvironment environment, TimeProvider timeProvider, ILogger<ExecuteEndpoint> logger)
{
    private const string Shell = "/bin/bash";
    private const int RetryAfterSeconds = 1;

    /// <summary>Answers the request.</summary>
    /// <exception cref="RequestException">Before the response has begun.</exception>
    public async Task HandleAsync(HttpContext context)
    {
        var request = await Json.ReadAsync(context, ContractsJsonContext.Default.ExecuteRequest);
        Validate(request);
        var start = new ProcessStart(
            Shell,
            ["bash", "-c", request.Command!],
            environment.For(request.Environment),
            request.WorkingDirectory ?? environment.HomeDirectory);
        try
        {
            await registry.RunAsync(start, execution => FollowAsync(context, execution, TimeSpan.FromSeconds(request.TimeoutSeconds)));
        }
        catch (StartFailedException error) when (error.IsTemporary)
        {
            throw new RequestException(StatusCodes.Status503ServiceUnavailable, ErrorCodes.StartFailed, error.Message)
            {
                RetryAfterSeconds = RetryAfterSeconds,
            };
        }
        catch (StartFailedException error)
        {
            throw new RequestException(StatusCodes.Status422UnprocessableEntity, ErrorCodes.StartFailed, error.Message);
        }
    }

    private async Task FollowAsync(HttpContext context, Execution execution, TimeSpan timeout)
    {
        using var open = registry.CountStream();
        await using var timer = timeProvider.CreateTimer(_ => TryKill(execution, execution.TimeOut), null, timeout, Timeout.InfiniteTimeSpan);
        var disconnect = context.RequestAborted.UnsafeRegister(_ => TryKill(execution, execution.Kill), null);
        try
        {
            context.Response.ContentType = "text/event-stream";
            context.Response.Headers.CacheControl = "no-cache";
            context.Response.Headers["X-Accel-Buffering"] = "no";
            await context.Response.StartAsync(context.RequestAborted);
            // StartAsync only writes the headers down; they say that the command runs, however long it prints nothing.
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);

            var writer = new SseWriter(context.Response.BodyWriter, execution.Pid);
            using var stream = new LineStream(writer, timeProvider, context.RequestAborted);
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
            var keepAlive = stream.KeepAliveAsync(ended.Token);
            try
            {
                await execution.PumpAsync(
                    (source, bytes) =>
                    {
                        registry.Touch();
                        return stream.WriteAsync(source, bytes);
                    },
                    timeProvider);
            }
            finally
            {
                await ended.CancelAsync();
                await keepAlive.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            // From here on a caller that leaves does not end background children.
            await disconnect.DisposeAsync();
            context.RequestAborted.ThrowIfCancellationRequested();
            var (exitCode, timedOut, reason) = await execution.GetResultAsync();
            await stream.CompleteAsync(exitCode, timedOut, reason);
        }
        catch
        {
            TryKill(execution, execution.Kill);
            throw;
        }
        finally
        {
            await disconnect.DisposeAsync();
        }
    }

    private static void Validate(ExecuteRequest request)
    {
        var errors = new Dictionary<string, string[]>();
        if (request.Command is null)
            errors["command"] = ["is required"];
        else if (request.Command.Contains('\0', StringComparison.Ordinal))
            errors["command"] = ["contains a NUL"];
        if (request.TimeoutSeconds is < 1 or > ExecuteRequest.MaxTimeoutSeconds)
            errors["timeoutSeconds"] = [$"must be from 1 to {ExecuteRequest.MaxTimeoutSeconds}"];
        if (request.WorkingDirectory is { } directory && (directory.Length == 0 || directory.Contains('\0', StringComparison.Ordinal)))
            errors["workingDirectory"] = ["must be a path without a NUL"];
        if (SandboxEnvironment.Validate(request.Environment) is { Length: > 0 } faults)
            errors["environment"] = faults;
        if (errors.Count > 0)
            throw Json.InvalidFields(errors);

        if (Encoding.UTF8.GetByteCount(request.Command!) > ExecuteRequest.MaxCommandBytes)
        {
            throw new RequestException(
                StatusCodes.Status413PayloadTooLarge,
                ErrorCodes.CommandTooLong,
                $"A command has at most {ExecuteRequest.MaxCommandBytes} bytes; write it to a file and run that.");
        }
    }

    /// <summary>For callers with nobody above them to catch.</summary>
    private void TryKill(Execution execution, Action kill)
    {
        try
        {
            kill();
        }
        catch (IOException error)
        {
            LogKillFailed(error, execution.Pid);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The tree of process {Pid} could not be killed.")]
    private partial void LogKillFailed(Exception error, int pid);
}
