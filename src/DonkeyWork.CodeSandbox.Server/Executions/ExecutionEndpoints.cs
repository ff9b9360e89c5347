using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Executions.Logs;
using DonkeyWork.CodeSandbox.Server.Http;
using DonkeyWork.CodeSandbox.Server.Posix;
using Microsoft.AspNetCore.Http.Features;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary><c>/api/executions</c>: executions that outlive their callers.</summary>
internal sealed class ExecutionEndpoints(ExecutionRegistry registry, TimeProvider timeProvider)
{
    private const int FlushBytes = 64 * 1024;

    /// <summary>Adds the routes.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost(Routes.Executions, StartAsync);
        routes.MapGet(Routes.Executions, ListAsync);
        routes.MapGet(Routes.Execution, GetAsync);
        routes.MapDelete(Routes.Execution, DeleteAsync);
        routes.MapGet(Routes.ExecutionEvents, EventsAsync);
        routes.MapPost(Routes.ExecutionStdin, WriteStdinAsync);
        routes.MapDelete(Routes.ExecutionStdin, CloseStdinAsync);
        routes.MapPost(Routes.ExecutionSignal, SignalAsync);
        routes.MapPost(Routes.ExecutionResize, ResizeAsync);
    }

    private async Task StartAsync(HttpContext context)
    {
        var request = await Json.ReadAsync(context, ContractsJsonContext.Default.StartExecutionRequest);
        var streams = Accepts(context, SseBuffer.MediaType) || Accepts(context, ExecutionEventNames.FramesMediaType);
        var (execution, isNew) = await registry.StartAsync(request, streams);
        context.Response.StatusCode = isNew ? StatusCodes.Status201Created : StatusCodes.Status200OK;
        context.Response.Headers.Location = $"{Routes.Executions}/{execution.Id}";
        if (streams)
            await StreamAsync(context, execution, 0);
        else
            await Json.WriteAsync(context, execution.State, ContractsJsonContext.Default.ExecutionState);
    }

    private async Task ListAsync(HttpContext context)
    {
        context.Response.ContentType = "application/json";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter);
        long flushed = 0;
        json.WriteStartArray();
        foreach (var execution in registry.List())
        {
            JsonSerializer.Serialize(json, execution.State, ContractsJsonContext.Default.ExecutionState);
            if (json.BytesCommitted + json.BytesPending - flushed < FlushBytes)
                continue;
            await json.FlushAsync(context.RequestAborted);
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
            flushed = json.BytesCommitted;
        }

        json.WriteEndArray();
    }

    private Task GetAsync(HttpContext context) =>
        Json.WriteAsync(context, Find(context).State, ContractsJsonContext.Default.ExecutionState);

    private async Task DeleteAsync(HttpContext context)
    {
        await registry.DeleteAsync(IdOf(context));
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private Task EventsAsync(HttpContext context)
    {
        var execution = Find(context);
        var after = Query.Number(context, "after") ?? LastEventId(context) ?? 0;
        return StreamAsync(context, execution, after, Query.Flag(context, "output") ?? true);
    }

    private async Task WriteStdinAsync(HttpContext context)
    {
        var execution = Find(context);
        var offset = Query.Number(context, "offset");
        // As long as the process takes, and as much as it reads.
        context.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = null;
        var taken = await execution.Stdin.WriteAsync(context.Request.Body, offset, context.RequestAborted);
        registry.Touch();
        await Json.WriteAsync(context, new StdinResult { Offset = taken }, ContractsJsonContext.Default.StdinResult);
    }

    private async Task CloseStdinAsync(HttpContext context)
    {
        await Find(context).Stdin.CloseAsync(context.RequestAborted);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task SignalAsync(HttpContext context)
    {
        var execution = Find(context);
        var request = await Json.ReadAsync(context, ContractsJsonContext.Default.SignalRequest);
        if (Signals.Parse(request.Signal ?? "") is not { } signal)
            throw Json.InvalidFields(new() { ["signal"] = ["must be the name of a signal, such as SIGINT"] });
        if (!execution.Signal(signal))
            throw Execution.HasExited();
        registry.Touch();
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task ResizeAsync(HttpContext context)
    {
        var execution = Find(context);
        var size = await Json.ReadAsync(context, ContractsJsonContext.Default.TerminalSize);
        if (ExecutionPlan.TerminalFault(size) is { } fault)
            throw Json.InvalidFields(new() { ["size"] = [fault] });
        execution.Resize(size);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task StreamAsync(HttpContext context, Execution execution, long after, bool withOutput = true)
    {
        using var open = registry.CountStream();
        using var reader = execution.Log.OpenReader(after, withOutput);
        var frames = Accepts(context, ExecutionEventNames.FramesMediaType);
        var position = Math.Max(after, LogPosition.Origin.Position);
        IEventStream stream = frames ? new FrameEvents(context.Response.BodyWriter, position) : new TextEvents(context.Response.BodyWriter, position);
        await EventFollower.BeginAsync(context, frames ? ExecutionEventNames.FramesMediaType : SseBuffer.MediaType);
        if (after < LogPosition.Origin.Position)
            await stream.StartedAsync(new ExecutionStarted { ExecutionId = execution.Id, Pid = execution.Pid }, context.RequestAborted);
        await new EventFollower(timeProvider).FollowAsync(execution, reader, stream, context.RequestAborted);
    }

    private Execution Find(HttpContext context) => registry.Get(IdOf(context));

    private static string IdOf(HttpContext context) => (string)context.Request.RouteValues["id"]!;

    private static bool Accepts(HttpContext context, string mediaType) =>
        context.Request.Headers.Accept.Any(value => value?.Contains(mediaType, StringComparison.OrdinalIgnoreCase) ?? false);

    private static long? LastEventId(HttpContext context) =>
        context.Request.Headers["Last-Event-ID"].ToString() is { Length: > 0 } text ? Query.ParseNumber("Last-Event-ID", text) : null;
}
