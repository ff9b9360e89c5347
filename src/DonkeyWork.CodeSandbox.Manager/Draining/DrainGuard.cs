using DonkeyWork.CodeSandbox.Manager.Problems;

namespace DonkeyWork.CodeSandbox.Manager.Draining;

/// <summary>
/// Turns away what comes while the Manager stops, and lets the drain's end cancel what came before: to everything behind
/// it that looks as if the caller had gone. What watches the process is let through to the end.
/// </summary>
internal sealed class DrainGuard(RequestDelegate next, Drain drain)
{
    public async Task InvokeAsync(HttpContext context)
    {
        if (context.Request.Path.Value is "/livez" or "/healthz")
        {
            await next(context);
            return;
        }

        if (!drain.TryEnter())
        {
            // So that this connection's next request goes to a Manager that stays. HTTP/2 has its own way to say so.
            if (HttpProtocol.IsHttp11(context.Request.Protocol)) context.Response.Headers.Connection = "close";
            await ProblemResponse.WriteAsync(context, ProblemMapping.Stopping);
            return;
        }

        var caller = context.RequestAborted;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(caller, drain.Over);
        try
        {
            context.RequestAborted = end.Token;
            await next(context);
        }
        finally
        {
            // Whoever makes an answer of what was cancelled must know whether there is somebody to tell.
            context.RequestAborted = caller;
            drain.Leave();
        }
    }
}
