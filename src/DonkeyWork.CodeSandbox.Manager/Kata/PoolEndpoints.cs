using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Expiry;

namespace DonkeyWork.CodeSandbox.Manager.Kata;

/// <summary><c>/api/kata/allocate</c> and <c>/api/kata/pool</c>: sandboxes that wait for an owner.</summary>
internal static class PoolEndpoints
{
    public static async Task<SandboxInfo> AllocateAsync(HttpContext context, WarmPool pool, ExpiryRules rules)
    {
        var aborted = context.RequestAborted;
        var request = await JsonBody.ReadAsync(context.Request, ContractsJsonContext.Default.AllocateRequest, aborted) ?? new AllocateRequest();
        return (await pool.ClaimAsync(request, aborted)).ToInfo(rules);
    }

    public static async Task<PoolStatistics> StatusAsync(WarmPool pool, SandboxRegistry registry, CancellationToken cancellationToken)
    {
        // What was not read yet is not 0.
        await registry.WaitUntilListedAsync(cancellationToken);
        return pool.Statistics;
    }
}
