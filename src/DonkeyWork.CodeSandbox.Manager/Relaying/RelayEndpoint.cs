using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Manager.Kata;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Execution;
using Microsoft.AspNetCore.Http.Features;

namespace DonkeyWork.CodeSandbox.Manager.Relaying;

/// <summary>Passes a request on to the executor of its sandbox, and the answer back.</summary>
internal static class RelayEndpoint
{
    // Content-Type and Content-Length go with the body.
    private static readonly string[] PassedHeaders = ["Accept", "Range", "If-Match", "If-None-Match", "If-Range", "Last-Event-ID"];

    public static async Task SendAsync(RelayedRoute route, string id, string? executionId, HttpContext context, ExecutorRelay relay)
    {
        if (route.Takes == RelayedContent.Json) JsonBody.Require(context.Request);
        var body = new CallerBody(context.Request.Body);
        using var response = await relay.SendAsync(id, RequestOf(route, executionId, context.Request, body), context.RequestAborted);
        await RelayedResponse.WriteAsync(context.Response, response, route, context.RequestAborted);
        if (route.Takes == RelayedContent.Bytes && response.Status >= 400) await ReadAwayAsync(body, context);
    }

    /// <summary>The caller's headers that an executor gets to see.</summary>
    /// <exception cref="SandboxException"><see cref="ErrorCodes.InvalidRequest"/>: one of them cannot be passed on.</exception>
    public static IReadOnlyList<KeyValuePair<string, string>> HeadersOf(HttpRequest request) =>
        [.. PassedHeaders.Where(request.Headers.ContainsKey).Select(name => new KeyValuePair<string, string>(name, Plain(name, request.Headers[name].ToString())))];

    // Many callers look for an answer only behind their body, and lose it with a connection that is closed before.
    private static async Task ReadAwayAsync(CallerBody body, HttpContext context)
    {
        try
        {
            await context.Response.CompleteAsync();
            await body.ReadAwayAsync(context.RequestAborted);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The caller has gone, sends no body after that answer, or the drain is over.
        }
    }

    private static ExecutorRequest RequestOf(RelayedRoute route, string? executionId, HttpRequest request, CallerBody body)
    {
        var hasBody = route.Takes != RelayedContent.Nothing && (request.HttpContext.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody ?? true);
        return new ExecutorRequest(new HttpMethod(route.Method), ExecutorTarget.Of(route.Pattern, executionId, request.Query))
        {
            Headers = HeadersOf(request),
            Body = route.Takes == RelayedContent.Nothing ? null : body,
            ContentType = route.Takes switch
            {
                RelayedContent.Json => RelayedRoutes.Json,
                RelayedContent.Bytes when request.ContentType is { } type => Plain("Content-Type", type),
                _ => null,
            },
            ContentLength = hasBody ? request.ContentLength : 0,
            ResponseTypes = route.Answers,
            IsTimed = route.IsTimed,
            MayBeAnsweredEarly = hasBody && route.Takes == RelayedContent.Bytes,
            MayBeUnmodified = route.IsFile,
        };
    }

    // Dropping a condition that cannot be passed on would make of "only if" an "anyway".
    private static string Plain(string name, string value) => value.AsSpan().ContainsAnyExceptInRange(' ', '~')
        ? throw new SandboxException(ErrorCodes.InvalidRequest, $"The header {name} may have visible ASCII characters only.")
        : value;
}
