using DonkeyWork.CodeSandbox.Manager.Draining;
using DonkeyWork.CodeSandbox.Manager.Reference;
using DonkeyWork.CodeSandbox.Sandboxes;
using Microsoft.AspNetCore.Http.HttpResults;

namespace DonkeyWork.CodeSandbox.Manager.Health;

/// <summary><c>/livez</c>: the process serves. <c>/healthz</c>: it also reaches its backend, and is not stopping.</summary>
internal static class HealthRoutes
{
    // Some watchers ask for nothing but the status. Routes of their own: the API document would have each operation twice.
    private static readonly string[] Head = [HttpMethods.Head];

    public static void MapHealth(this IEndpointRouteBuilder app)
    {
        app.MapMethods("/livez", Head, Live).ExcludeFromDescription();
        app.MapGet("/livez", Live)
            .WithName("live")
            .WithTags("Health")
            .WithSummary("Whether the process serves")
            .WithoutKey()
            .Produces<string>(200, "text/plain");

        app.MapMethods("/healthz", Head, Health).ExcludeFromDescription();
        app.MapGet("/healthz", Health)
            .WithName("health")
            .WithTags("Health")
            .WithSummary("Whether the Manager takes requests: it reaches its backend, and is not stopping")
            .WithoutKey()
            .Produces<string>(200, "text/plain")
            .Produces<string>(503, "text/plain");
    }

    private static ContentHttpResult Live() => TypedResults.Text("Healthy");

    private static ContentHttpResult Health(SandboxRegistry registry, Drain drain) => registry.IsCurrent && !drain.HasBegun
        ? TypedResults.Text("Healthy")
        : TypedResults.Text("Unhealthy", statusCode: StatusCodes.Status503ServiceUnavailable);
}
