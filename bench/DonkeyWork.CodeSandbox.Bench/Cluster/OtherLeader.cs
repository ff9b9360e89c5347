using DonkeyWork.CodeSandbox.Testing.Clusters;

namespace DonkeyWork.CodeSandbox.Bench.Cluster;

/// <summary>Holds the pool's lease in a Manager's stead, and fills nothing.</summary>
internal sealed class OtherLeader : IAsyncDisposable
{
    private static readonly TimeSpan Renewal = TimeSpan.FromSeconds(10);

    private readonly SandboxNamespace place;
    private readonly PeriodicTimer tick = new(Renewal);
    private readonly Task renewing;

    private OtherLeader(SandboxNamespace place)
    {
        this.place = place;
        renewing = RenewAsync();
    }

    private static string Now => TimeProvider.System.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", null);

    public static async Task<OtherLeader> StartAsync(SandboxNamespace place)
    {
        await place.Api.CreateAsync(Leases(place), new
        {
            metadata = new { name = "pool-backfill-leader" },
            spec = new { holderIdentity = "the benchmark", leaseDurationSeconds = 60, leaseTransitions = 1, acquireTime = Now, renewTime = Now },
        });
        return new OtherLeader(place);
    }

    public async ValueTask DisposeAsync()
    {
        tick.Dispose();
        await renewing;
    }

    private static string Leases(SandboxNamespace place) => $"/apis/coordination.k8s.io/v1/namespaces/{place.Name}/leases";

    private async Task RenewAsync()
    {
        while (await tick.WaitForNextTickAsync())
            await place.Api.PatchAsync($"{Leases(place)}/pool-backfill-leader", new { spec = new { renewTime = Now } });
    }
}
