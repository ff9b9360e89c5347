using Microsoft.AspNetCore.Http.Features;

namespace DonkeyWork.CodeSandbox.Manager.Logging;

/// <summary>One line for each request, without those that only watch the process.</summary>
internal sealed partial class RequestLog(RequestDelegate next, TimeProvider clock, ILogger<RequestLog> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var start = clock.GetTimestamp();
        try
        {
            await next(context);
        }
        finally
        {
            if (logger.IsEnabled(LogLevel.Information) && !IsProbe(context.Request.Path))
            {
                // As it came over the wire, still escaped: it cannot break the line. Without the query, which is the caller's.
                var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?')[0];
                var milliseconds = clock.GetElapsedTime(start).TotalMilliseconds;
                LogRequest(context.Request.Method, target, context.Response.StatusCode, milliseconds);
            }
        }
    }

    private static bool IsProbe(PathString path) => path.Equals("/healthz") || path.Equals("/livez");

    [LoggerMessage(Level = LogLevel.Information, Message = "{Method} {Target} -> {Status} in {Milliseconds:0.0} ms")]
    private partial void LogRequest(string method, string target, int status, double milliseconds);
}
