using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Manager.Reference;
using DonkeyWork.CodeSandbox.Manager.Relaying;
using DonkeyWork.CodeSandbox.Manager.Terminals;
using Microsoft.OpenApi;

namespace DonkeyWork.CodeSandbox.Manager.Kata;

/// <summary>What runs in a sandbox: commands, executions and terminals.</summary>
internal static class ExecutionRoutes
{
    private const string Json = RelayedRoutes.Json;
    private const string Sse = EventStream.MediaType;
    private const string Frames = ExecutionEventNames.FramesMediaType;

    public static void Map(IEndpointRouteBuilder kata)
    {
        var app = kata.MapGroup("").WithTags("Executions");

        app.MapRelayed(RelayedRoutes.Execute)
            .WithName("execute")
            .WithSummary("Run a command and stream what it prints")
            .WithDescription("Server-sent events named `OutputEvent`, one for each line, then exactly one `CompletedEvent`; `: keepalive` comments in between. "
                + "A stream that ends without a `CompletedEvent` has not completed. When the caller disconnects, everything the command has started is killed.")
            .Accepts<ExecuteRequest>(Json)
            .Produces<ExecutionEvent>(200, Sse)
            .WithExamples(ApiExamples.Execute, ApiExamples.Output)
            .WithErrors(400, 404, 409, 413, 415, 422, 502, 503);

        app.MapRelayed(RelayedRoutes.StartExecution)
            .WithName("startExecution")
            .WithSummary("Start a command that outlives its caller")
            .WithDescription("The same `id` again attaches (`200`) and never starts a second process; with another command it is `409 execution_exists`. "
                + "With `Accept: text/event-stream` or `application/vnd.codesandbox.frames` the answer is the stream of its events.")
            .Accepts<StartExecutionRequest>(Json)
            .Produces<ExecutionState>(201, Json, Sse, Frames)
            .Produces<ExecutionState>(200, Json, Sse, Frames)
            .WithExamples(ApiExamples.StartExecution, ApiExamples.Execution)
            .WithErrors(400, 404, 409, 410, 413, 415, 422, 429, 502, 503);

        app.MapRelayed(RelayedRoutes.ListExecutions)
            .WithName("listExecutions")
            .WithSummary("List the executions of a sandbox, also those that have ended")
            .Produces<IReadOnlyList<ExecutionState>>(200, Json)
            .WithErrors(404, 409, 502, 503);

        app.MapRelayed(RelayedRoutes.GetExecution)
            .WithName("getExecution")
            .WithSummary("Show how an execution is doing, or how it ended")
            .Produces<ExecutionState>(200, Json)
            .WithErrors(404, 409, 410, 502, 503);

        app.MapRelayed(RelayedRoutes.DeleteExecution)
            .WithName("deleteExecution")
            .WithSummary("Kill an execution and forget its output")
            .WithDescription("Its id never starts again.")
            .Produces(204)
            .WithErrors(404, 409, 410, 502, 503);

        app.MapRelayed(RelayedRoutes.ReadEvents)
            .WithName("readEvents")
            .WithSummary("Read what an execution prints, from anywhere in it on")
            .WithDescription("Replays what is kept behind a position, then follows: `started`, any number of `output` and `truncated`, then exactly one `exited`. "
                + "The `id:` of an event is the position behind it. As `application/vnd.codesandbox.frames` the same comes as binary frames, whose bytes are exact.")
            .WithParameter("after", JsonSchemaType.Integer, "The position to go on behind; 0, or none: from the beginning. Wins over `Last-Event-ID`.")
            .WithParameter("output", JsonSchemaType.Boolean, "`false`: only `started` and `exited`; such a reader lets no `wait` go on.")
            .WithParameter("Last-Event-ID", JsonSchemaType.String, "The same, as browsers give it.", location: ParameterLocation.Header)
            .Produces<ExecutionOutput>(200, Sse, Frames)
            .WithErrors(400, 404, 409, 410, 502, 503);

        app.MapRelayed(RelayedRoutes.WriteStdin)
            .WithName("writeStdin")
            .WithSummary("Write to the standard input of an execution")
            .WithDescription("Any number of bytes, as slowly as they come. The answer comes once all are in the pipe. What is below `offset` and was taken before is skipped, so that a write that was cut can be made again; "
                + "a gap is `409 stdin_gap`, whose `offset` says from where to go on.")
            .WithParameter("offset", JsonSchemaType.Integer, "Where in the whole of standard input the body begins.")
            .Accepts<Stream>(RelayedRoutes.Bytes, RelayedRoutes.Anything)
            .Produces<StdinResult>(200, Json)
            .WithErrors(400, 404, 409, 410, 502, 503);

        app.MapRelayed(RelayedRoutes.CloseStdin)
            .WithName("closeStdin")
            .WithSummary("End the standard input of an execution")
            .Produces(204)
            .WithErrors(404, 409, 410, 502, 503);

        app.MapRelayed(RelayedRoutes.Signal)
            .WithName("signalExecution")
            .WithSummary("Send a signal to the process group of an execution")
            .Accepts<SignalRequest>(Json)
            .Produces(204)
            .WithRequestExample(ApiExamples.Signal)
            .WithErrors(400, 404, 409, 410, 413, 415, 502, 503);

        app.MapRelayed(RelayedRoutes.Resize)
            .WithName("resizeExecution")
            .WithSummary("Change the size of the terminal of an execution")
            .Accepts<TerminalSize>(Json)
            .Produces(204)
            .WithRequestExample(ApiExamples.Resize)
            .WithErrors(400, 404, 409, 410, 413, 415, 502, 503);

        app.MapGet("/{id}/terminal", TerminalEndpoint.OpenAsync)
            .WithName("openTerminal")
            .WithSummary("Open a terminal, as a WebSocket")
            .WithDescription("Binary frames are what it prints. A text frame `{\"type\":\"resize\",\"payload\":{\"cols\":120,\"rows\":40}}` changes its size; every other frame is typed. "
                + "A close 1000 or 1001 hangs up; after any other break one with a name is kept for 60 s. Closes with 1000 and the exit code, 1011 `sandbox_lost`, 1014 `executor_unreachable`, or 1012 while the Manager stops (connect again). "
                + "Browsers give the key as a subprotocol: `codesandbox, key.<base64url>`.")
            .WithParameter("execution", JsonSchemaType.String, "Its name: with one it can be come back to.")
            .WithParameter("cols", JsonSchemaType.Integer, "Columns.")
            .WithParameter("rows", JsonSchemaType.Integer, "Rows.")
            .WithParameter("command", JsonSchemaType.String, "What runs in it; default a login shell.")
            .Produces(101)
            .WithErrors(400, 404, 409, 410, 422, 429, 502, 503);

        // HTTP/2's way to ask for a WebSocket (RFC 8441).
        app.MapMethods("/{id}/terminal", [HttpMethods.Connect], TerminalEndpoint.OpenAsync).ExcludeFromDescription();
    }
}
