using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Execution;

namespace DonkeyWork.CodeSandbox.Manager.Problems;

/// <summary>
/// Makes a problem of everything that goes wrong before the response has begun, and aborts what goes wrong after: a
/// response that is cut must never look complete.
/// </summary>
internal sealed partial class ProblemMiddleware(RequestDelegate next, ILogger<ProblemMiddleware> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        SetHeaders(context);
        try
        {
            await next(context);
            if (IsBareError(context.Response)) await ProblemResponse.WriteAsync(context, ProblemMapping.OfStatus(context.Response.StatusCode));
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller is gone: there is nobody to tell, and whatever broke did so because of that.
            context.Abort();
        }
        catch (Exception e) when (context.Response.HasStarted)
        {
            if (e is ExecutorLostException) LogLost(e.Message);
            else if (e is not OperationCanceledException) LogUnhandled(e);
            context.Abort();
        }
        catch (Exception e)
        {
            var problem = ProblemMapping.Of(e);
            if (problem.Status == 500) LogUnhandled(e);
            else if (problem.Status > 500 && e is not OperationCanceledException) LogNotServed(WhyNotServed(e));
            context.Response.Clear();
            SetHeaders(context);
            await ProblemResponse.WriteAsync(context, problem);
        }
    }

    /// <summary>What holds for every answer. Those of the API are true for the moment alone; a stream says so in its own way.</summary>
    private static void SetHeaders(HttpContext context)
    {
        context.Response.Headers.XContentTypeOptions = "nosniff";
        if (context.Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase)) context.Response.Headers.CacheControl = "no-store";
    }

    // What kept the Manager from an executor is for whoever operates it; of a sandbox's own answer nothing is logged.
    private static string WhyNotServed(Exception e) =>
        e is SandboxException { Code: ErrorCodes.ExecutorUnreachable, InnerException: { } inner } ? $"{e.Message} {inner.Message}" : e.Message;

    private static bool IsBareError(HttpResponse response) =>
        response is { HasStarted: false, StatusCode: >= 400, ContentType: null, ContentLength: null or 0 };

    [LoggerMessage(Level = LogLevel.Warning, Message = "A response was cut: {Reason}")]
    private partial void LogLost(string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A request was not served: {Reason}")]
    private partial void LogNotServed(string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "A request failed")]
    private partial void LogUnhandled(Exception exception);
}
