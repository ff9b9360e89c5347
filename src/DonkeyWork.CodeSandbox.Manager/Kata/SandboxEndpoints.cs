using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Manager.Problems;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Expiry;

namespace DonkeyWork.CodeSandbox.Manager.Kata;

/// <summary><c>/api/kata</c>: sandboxes as a whole.</summary>
internal static class SandboxEndpoints
{
    public static async Task CreateAsync(HttpContext context, SandboxService sandboxes, TimeProvider clock)
    {
        var aborted = context.RequestAborted;
        var request = await JsonBody.ReadAsync(context.Request, ContractsJsonContext.Default.CreateSandboxRequest, aborted) ?? new CreateSandboxRequest();
        var creation = await sandboxes.CreateAsync(request, aborted);

        var events = request.WaitForReady ? creation.Events : creation.Events.Take(1);
        await EventStream.WriteAsync(context.Response, events, ContractsJsonContext.Default.CreationEvent, clock, aborted);
    }

    public static async Task<IReadOnlyList<SandboxInfo>> ListAsync(SandboxService sandboxes, ExpiryRules rules, CancellationToken cancellationToken) =>
        [.. (await sandboxes.ListAsync(cancellationToken)).Select(sandbox => sandbox.ToInfo(rules))];

    public static async Task<SandboxInfo> GetAsync(string podName, SandboxService sandboxes, ExpiryRules rules, CancellationToken cancellationToken) =>
        (await sandboxes.FindAsync(podName, cancellationToken)).ToInfo(rules);

    public static async Task<SandboxInfo> KeepAliveAsync(string id, HttpContext context, SandboxService sandboxes, ExpiryRules rules)
    {
        var aborted = context.RequestAborted;
        var request = await JsonBody.ReadAsync(context.Request, ContractsJsonContext.Default.KeepAliveRequest, aborted) ?? new KeepAliveRequest();
        return (await sandboxes.KeepAliveAsync(id, request.Seconds ?? 0, aborted)).ToInfo(rules);
    }

    public static async Task DeleteAsync(string podName, HttpContext context, SandboxService sandboxes)
    {
        try
        {
            await sandboxes.DeleteAsync(podName, context.RequestAborted);
        }
        catch (SandboxException e) when (e.Code == ErrorCodes.SandboxNotFound)
        {
            var problem = new Problem { Code = e.Code, Detail = e.Message, Success = false, Message = e.Message, PodName = podName };
            await ProblemResponse.WriteAsync(context, 404, problem);
            return;
        }

        var result = new DeleteSandboxResult { Success = true, Message = $"Container {podName} deleted successfully", PodName = podName };
        await context.Response.WriteAsJsonAsync(result, ContractsJsonContext.Default.DeleteSandboxResult);
    }

    public static Task<DeleteAllResult> DeleteAllAsync(SandboxService sandboxes, CancellationToken cancellationToken) =>
        sandboxes.DeleteAllAsync(cancellationToken);
}
