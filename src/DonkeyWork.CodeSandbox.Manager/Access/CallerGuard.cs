using System.Net;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Manager.Configuration;
using DonkeyWork.CodeSandbox.Manager.Problems;

namespace DonkeyWork.CodeSandbox.Manager.Access;

/// <summary>
/// Who may call. With a key, whoever knows it: the key is the proof, and a page of any origin that has it may use it.
/// Without one, programs of this machine alone, and no page but our own: a browser tells a page's origin, and a rebound
/// name shows in Host. It stands before routing, so that it covers what does not exist as well.
/// </summary>
internal sealed class CallerGuard(RequestDelegate next, ManagerSettings settings)
{
    // What needs no key: what watches the process, and what documents the API.
    private static readonly string[] OpenPaths = ["/healthz", "/livez", "/openapi", "/scalar"];

    public Task InvokeAsync(HttpContext context) => settings.Key is { } key ? WithKey(context, key) : WithoutKey(context);

    private Task WithKey(HttpContext context, ApiKey key)
    {
        if (OpenPaths.Any(path => context.Request.Path.StartsWithSegments(path, StringComparison.OrdinalIgnoreCase)) || key.IsGivenBy(context.Request))
            return next(context);

        context.Response.Headers.WWWAuthenticate = "Bearer";
        return ProblemResponse.WriteAsync(context, 401, ErrorCodes.Unauthorized, "Give the key as X-Api-Key or as Authorization: Bearer.");
    }

    private Task WithoutKey(HttpContext context)
    {
        // Startup has refused such addresses; this holds even if something else has made the server listen there.
        if (context.Connection.LocalIpAddress is { } local && !IPAddress.IsLoopback(local))
            return ProblemResponse.WriteAsync(context, 403, ErrorCodes.HostNotAllowed, "Without an API key only this machine may call.");

        if (!IsThisMachine(context.Request.Host))
            return ProblemResponse.WriteAsync(context, 403, ErrorCodes.HostNotAllowed, "Call by localhost, 127.0.0.1 or [::1]; for other names configure an API key.");

        if (context.Request.Headers.Origin is { Count: > 0 } origin && !IsOwn(origin.ToString(), context.Request))
            return ProblemResponse.WriteAsync(context, 403, ErrorCodes.OriginNotAllowed, "A web page of another origin may not call.");

        return next(context);
    }

    private static bool IsThisMachine(HostString host) =>
        host.Host is "127.0.0.1" or "[::1]" || host.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase);

    private static bool IsOwn(string origin, HttpRequest request) =>
        origin.Equals($"{request.Scheme}://{request.Host.Value}", StringComparison.OrdinalIgnoreCase);
}
