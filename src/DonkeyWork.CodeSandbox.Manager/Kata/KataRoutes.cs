using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Manager.Reference;
using DonkeyWork.CodeSandbox.Manager.Relaying;
using Microsoft.AspNetCore.Http.HttpResults;

namespace DonkeyWork.CodeSandbox.Manager.Kata;

/// <summary>Which method of which path is served by what, and how the API document describes it.</summary>
internal static class KataRoutes
{
    private const string Json = RelayedRoutes.Json;

    public static void MapKata(this IEndpointRouteBuilder app)
    {
        var kata = app.MapGroup("/api/kata").WithTags("Sandboxes").WithErrors(401, 403, 500);

        kata.MapPost("", SandboxEndpoints.CreateAsync)
            .WithName("createSandbox")
            .WithSummary("Create a sandbox")
            .WithDescription("Streams `data: {json}` events: `created`, and with `waitForReady` then `waiting` and `healthcheck` until exactly one `ready` or `failed`. "
                + "A caller that goes away leaves the sandbox alive; one that fails or times out is deleted, and one that nothing uses goes at its `expiresAt`.")
            .Accepts<CreateSandboxRequest>(isOptional: true, Json)
            .Produces<CreationEvent>(200, EventStream.MediaType)
            .WithExamples(ApiExamples.Create, ApiExamples.Created)
            .WithErrors(400, 413, 415, 429, 503);

        kata.MapGet("", SandboxEndpoints.ListAsync)
            .WithName("listSandboxes")
            .WithSummary("List all sandboxes, oldest first")
            .Produces<IReadOnlyList<SandboxInfo>>(200, Json)
            .WithErrors(503);

        kata.MapGet("/{podName}", SandboxEndpoints.GetAsync)
            .WithName("getSandbox")
            .WithSummary("Show one sandbox")
            .Produces<SandboxInfo>(200, Json)
            .WithErrors(404, 503);

        kata.MapDelete("/{podName}", SandboxEndpoints.DeleteAsync)
            .WithName("deleteSandbox")
            .WithSummary("Delete one sandbox and everything in it")
            .WithDescription("The 404 also carries `success`, `message` and `podName`.")
            .Produces<DeleteSandboxResult>(200, Json)
            .WithErrors(404, 503);

        kata.MapDelete("", SandboxEndpoints.DeleteAllAsync)
            .WithName("deleteAllSandboxes")
            .WithSummary("Delete all sandboxes")
            .WithDescription("Everybody's, and the pool's, which fills again.")
            .Produces<DeleteAllResult>(200, Json)
            .WithErrors(503);

        kata.MapPost("/{id}/keepalive", SandboxEndpoints.KeepAliveAsync)
            .WithName("keepSandbox")
            .WithSummary("Keep a sandbox although nothing uses it")
            .WithDescription("Moves `expiresAt` to at least `seconds` from now, never past the sandbox's maximum lifetime, and never to an earlier time. `409 not_claimed` of one in the pool.")
            .Accepts<KeepAliveRequest>(isOptional: true, Json)
            .Produces<SandboxInfo>(200, Json)
            .WithExamples(ApiExamples.KeepAlive, ApiExamples.Allocated)
            .WithErrors(400, 404, 409, 413, 415, 503);

        kata.MapPost("/allocate", PoolEndpoints.AllocateAsync)
            .WithName("allocateSandbox")
            .WithSummary("Take a warm sandbox, which is one user's alone from then on")
            .WithDescription("The sandbox is ready, and goes when nothing uses it until `expiresAt`. The same `claimId` of the same user again gives the same sandbox, on whichever Manager. "
                + "Where none is free: `503 pool_exhausted` with `Retry-After`, after `waitSeconds`, unless `createIfExhausted`.")
            .WithTags("Pool")
            .Accepts<AllocateRequest>(Json)
            .Produces<SandboxInfo>(200, Json)
            .WithExamples(ApiExamples.Allocate, ApiExamples.Allocated)
            .WithErrors(400, 409, 413, 415, 429, 502, 503);

        // Not a sandbox of that name.
        kata.MapMethods("/allocate", [HttpMethods.Get, HttpMethods.Delete], MethodNotAllowed).ExcludeFromDescription();

        kata.MapGet("/pool/status", PoolEndpoints.StatusAsync)
            .WithName("poolStatus")
            .WithSummary("Count the sandboxes that are warm, claimed and being made")
            .WithTags("Pool")
            .Produces<PoolStatistics>(200, Json)
            .WithErrors(503);

        ExecutionRoutes.Map(kata);
        FileRoutes.Map(kata);
    }

    private static StatusCodeHttpResult MethodNotAllowed(HttpResponse response)
    {
        response.Headers.Allow = HttpMethods.Post;
        return TypedResults.StatusCode(StatusCodes.Status405MethodNotAllowed);
    }
}
