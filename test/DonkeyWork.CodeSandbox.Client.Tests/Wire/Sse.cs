using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace DonkeyWork.CodeSandbox.Client.Tests.Wire;

/// <summary>The bytes of the contract, written down without the product's own types.</summary>
internal static class Sse
{
    public static string Completed(int exitCode = 0) =>
        $"event: CompletedEvent\ndata: {{\"$type\":\"CompletedEvent\",\"pid\":12,\"exitCode\":{exitCode.ToString(CultureInfo.InvariantCulture)},\"timedOut\":false}}\nid: 2\n\n";

    public static string Output(string line, string stream = "Stdout", bool partial = false) =>
        $"event: OutputEvent\ndata: {{\"$type\":\"OutputEvent\",\"pid\":12,\"stream\":\"{stream}\",\"data\":{JsonSerializer.Serialize(line)}{(partial ? ",\"partial\":true" : "")}}}\nid: 1\n\n";

    public static string Created(string name) => $"data: {{\"eventType\":\"created\",\"podName\":\"{name}\",\"phase\":\"Pending\"}}\n\n";

    public static string Waiting(string name) =>
        $"data: {{\"eventType\":\"waiting\",\"podName\":\"{name}\",\"attemptNumber\":1,\"phase\":\"Pending\",\"message\":\"Waiting for pod to be ready\"}}\n\n";

    public static string Ready(string name) =>
        $"data: {{\"eventType\":\"ready\",\"podName\":\"{name}\",\"containerInfo\":{Info(name)},\"elapsedSeconds\":1.2,\"timings\":{{\"create\":12.5}}}}\n\n";

    public static string Failed(string name, string reason) =>
        $"data: {{\"eventType\":\"failed\",\"podName\":\"{name}\",\"reason\":{JsonSerializer.Serialize(reason)}}}\n\n";

    public static string Info(string name) => $"{{\"name\":\"{name}\",\"phase\":\"Running\",\"isReady\":true,\"somethingNewer\":{{}}}}";

    public static void Begin(HttpContext context) => context.Response.ContentType = "text/event-stream";

    public static async Task WriteAsync(HttpContext context, string text)
    {
        await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(text), context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }

    public static async Task AnswerAsync(HttpContext context, params string[] events)
    {
        Begin(context);
        foreach (var next in events)
            await WriteAsync(context, next);
    }

    public static async Task ProblemAsync(HttpContext context, int status, string code, string extra = "")
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/problem+json";
        await context.Response.WriteAsync($"{{\"title\":\"T\",\"status\":{status.ToString(CultureInfo.InvariantCulture)},\"detail\":\"What happened.\",\"code\":\"{code}\"{extra}}}");
    }

    public static Task JsonAsync(HttpContext context, string json)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(json);
    }

    /// <summary>
    /// Ends the connection behind what was written, without the end of the response; that is what Kestrel does with an error.
    /// <see cref="HttpContext.Abort"/> resets it, and what the client has not read is lost.
    /// </summary>
    public static Exception Cut() => new InvalidOperationException("Cut, as the test wants.");

    /// <summary>Ends when the client has closed the connection.</summary>
    public static Task GoneAsync(HttpContext context)
    {
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        context.RequestAborted.Register(gone.SetResult);
        return gone.Task;
    }
}
