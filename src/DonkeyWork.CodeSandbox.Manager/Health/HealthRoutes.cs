using DonkeyWork.CodeSandbox.Sandboxes;

namespace DonkeyWork.CodeSandbox.Manager.Health;

/// <summary><c>/livez</c>: the process serves. <c>/healthz</c>: it also reaches its backend.</summary>
internal static class HealthRoutes
{
    public static void MapHealth(this IEndpointRouteBuilder app)
    {
        app.MapGet("/livez", () => TypedResults.Text("Healthy"))
            .WithName("live")
            .WithTags("Health")
            .WithSummary("Whether the process serves")
            .Produces<string>(200, "text/plain");

        app.MapGet("/healthz", (SandboxRegistry registry) => registry.IsCurrent
                ? TypedResults.Text("Healthy")
                : TypedResults.Text("Unhealthy", statusCode: StatusCodes.Status503ServiceUnavailable))
            .WithName("health")
            .WithTags("Health")
            .WithSummary("Whether the Manager reaches its backend")
            .Produces<string>(200, "text/plain")
            .Produces<string>(503, "text/plain");
    }
}
