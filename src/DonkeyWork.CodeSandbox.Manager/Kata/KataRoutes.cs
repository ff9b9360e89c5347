namespace DonkeyWork.CodeSandbox.Manager.Kata;

/// <summary>Which method of which path is served by what.</summary>
internal static class KataRoutes
{
    public static void MapKata(this IEndpointRouteBuilder app)
    {
        var kata = app.MapGroup("/api/kata");
        kata.MapPost("", SandboxEndpoints.CreateAsync);
        kata.MapGet("", SandboxEndpoints.ListAsync);
        kata.MapDelete("", SandboxEndpoints.DeleteAllAsync);
        kata.MapGet("/{podName}", SandboxEndpoints.GetAsync);
        kata.MapDelete("/{podName}", SandboxEndpoints.DeleteAsync);
        kata.MapPost("/{id}/execute", ExecuteEndpoint.ExecuteAsync);
    }
}
