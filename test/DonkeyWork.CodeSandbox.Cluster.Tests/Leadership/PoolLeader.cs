using System.Text.Json;

namespace DonkeyWork.CodeSandbox.Cluster.Tests.Leadership;

/// <summary>Who leads, as the lease says.</summary>
internal sealed record PoolLeader(string Holder, int Epoch)
{
    /// <summary><see langword="null"/>: nobody does.</summary>
    public static async Task<PoolLeader?> FindAsync(SandboxNamespace place) =>
        await SpecAsync(place) is { } spec && spec.TryGetProperty("holderIdentity", out var holder) && holder.GetString() is { Length: > 0 } name
            ? new PoolLeader(name, spec.GetProperty("leaseTransitions").GetInt32())
            : null;

    /// <summary>Waits for one that is not <paramref name="former"/>.</summary>
    public static async Task<PoolLeader> NextAsync(SandboxNamespace place, PoolLeader? former = null)
    {
        PoolLeader? leader = null;
        await Patience.UntilAsync(
            async () => (leader = await FindAsync(place)) is not null && leader.Holder != former?.Holder,
            () => $"Nobody leads after {former}.");
        return leader!;
    }

    /// <summary>Waits until the leader has said once more that it is.</summary>
    public static async Task RenewedAsync(SandboxNamespace place)
    {
        var before = await RenewTimeAsync();
        await Patience.UntilAsync(async () => await RenewTimeAsync() != before, () => $"The lease stays as it was at {before}.");

        async Task<string?> RenewTimeAsync() => await SpecAsync(place) is { } spec ? spec.GetProperty("renewTime").GetString() : null;
    }

    private static async Task<JsonElement?> SpecAsync(SandboxNamespace place) =>
        (await place.Api.FindAsync($"/apis/coordination.k8s.io/v1/namespaces/{place.Name}/leases/pool-backfill-leader"))?.GetProperty("spec");
}
