using DonkeyWork.CodeSandbox.Sandboxes.Execution;

namespace DonkeyWork.CodeSandbox.Manager.Relaying;

/// <summary>Makes endpoints of relayed routes.</summary>
internal static class RelayMapping
{
    public static RouteHandlerBuilder MapRelayed(this IEndpointRouteBuilder app, RelayedRoute route)
    {
        Delegate handler = route.Pattern.Contains("{eid}", StringComparison.Ordinal)
            ? (string id, string eid, HttpContext context, ExecutorRelay relay) => RelayEndpoint.SendAsync(route, id, eid, context, relay)
            : (string id, HttpContext context, ExecutorRelay relay) => RelayEndpoint.SendAsync(route, id, null, context, relay);
        return app.MapMethods($"/{{id}}/{route.Pattern}", [route.Method], handler).WithMetadata(route);
    }
}
