namespace DonkeyWork.CodeSandbox.Cluster.Tests.Leadership;

/// <summary>Who leads, as the lease says.</summary>
internal sealed record PoolLeader(string Holder, int Epoch)
{
    /// <summary><see langword="null"/>: nobody does.</summary>
    public static async Task<PoolLeader?> FindAsync(SandboxNamespace place)
    {
        if (await place.Api.FindAsync($"/apis/coordination.k8s.io/v1/namespaces/{place.Name}/leases/pool-backfill-leader") is not { } lease) return null;
        var spec = lease.GetProperty("spec");
        return spec.TryGetProperty("holderIdentity", out var holder) && holder.GetString() is { Length: > 0 } name
            ? new PoolLeader(name, spec.GetProperty("leaseTransitions").GetInt32())
            : null;
    }

    /// <summary>Waits for one that is not <paramref name="former"/>.</summary>
    public static async Task<PoolLeader> NextAsync(SandboxNamespace place, PoolLeader? former = null)
    {
        PoolLeader? leader = null;
        await Patience.UntilAsync(
            async () => (leader = await FindAsync(place)) is not null && leader.Holder != former?.Holder,
            () => $"Nobody leads after {former}.");
        return leader!;
    }
}
