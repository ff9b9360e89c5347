using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Execution;

namespace DonkeyWork.CodeSandbox.Manager.Kata;

/// <summary><c>POST /api/kata/{id}/execute</c>: the executor's own route, relayed.</summary>
internal static class ExecuteEndpoint
{
    private static readonly string[] ResponseTypes = [EventStream.MediaType, "application/json", Problem.MediaType];

    public static async Task ExecuteAsync(string id, HttpContext context, ExecutorRelay relay)
    {
        JsonBody.Require(context.Request);
        var request = new ExecutorRequest(HttpMethod.Post, "api/execute")
        {
            Body = context.Request.Body,
            ContentType = "application/json",
            ContentLength = context.Request.ContentLength,
            ResponseTypes = ResponseTypes,
        };
        using var response = await relay.SendAsync(id, request, context.RequestAborted);
        await RelayedResponse.WriteAsync(context.Response, response, context.RequestAborted);
    }
}
