using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Watching;

namespace DonkeyWork.CodeSandbox.Kubernetes.Leadership;

/// <summary>
/// The requests about the lease <see cref="Name"/>. Each is one write that happens only to the lease that is meant, is given
/// little time, and throws <see cref="ApiException"/> or <see cref="ApiUnreachableException"/>.
/// </summary>
internal sealed class PoolLease(ApiObjects<Lease> leases, string self, LeaseTiming timing, TimeProvider clock)
{
    /// <summary>Its name, in the namespace of the pods.</summary>
    public const string Name = "pool-backfill-leader";

    private const string Holder = "/spec/holderIdentity";
    private const string Transitions = "/spec/leaseTransitions";

    /// <summary>Reads it live; <see langword="null"/>: there is none.</summary>
    public async Task<Lease?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await WithinAsync(timing.RequestLimit, stop => leases.GetAsync(Name, stop), cancellationToken);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            return null;
        }
    }

    /// <summary>Tells of it, for ever: at first, and after each change. <see langword="null"/>: there is none.</summary>
    public async Task WatchAsync(Action<Lease?> observe, CancellationToken cancellationToken)
    {
        await foreach (var observation in leases.WatchAsync(labelSelector: null, cancellationToken))
        {
            if (observation is ApiListed<Lease> listed) observe(listed.Items.FirstOrDefault(lease => lease.Name == Name));
            else if (observation is ApiChanged<Lease> { Item: { Name: Name } changed }) observe(changed);
            else if (observation is ApiGone<Lease> { Item.Name: Name }) observe(null);
        }
    }

    /// <summary>Makes it ours, if nothing has happened to it since it was seen.</summary>
    /// <exception cref="ApiException"><see cref="IsNotAsSeen"/>.</exception>
    public Task<Lease> TakeAsync(FreeLease free, CancellationToken cancellationToken) =>
        WithinAsync(timing.RequestLimit, stop => free.Seen is null ? CreateAsync(free.Epoch, stop) : TakeOverAsync(free.Seen, free.Epoch, stop), cancellationToken);

    /// <summary>Says that it is still ours, if it is.</summary>
    /// <param name="epoch">Of our term.</param>
    /// <param name="limit">How long the request may take.</param>
    /// <param name="cancellationToken">Gives up; it may be renewed nevertheless.</param>
    /// <exception cref="ApiException"><see cref="IsNotAsSeen"/>: it is not.</exception>
    public Task<Lease> RenewAsync(int epoch, TimeSpan limit, CancellationToken cancellationToken) =>
        WithinAsync(limit, stop => leases.PatchAsync(Name, Ours(epoch).Add("/spec/renewTime", Now()), stop), cancellationToken);

    /// <summary>Says that it is nobody's, if it is ours.</summary>
    public Task ReleaseAsync(int epoch) =>
        WithinAsync(timing.RequestLimit, stop => leases.PatchAsync(Name, Ours(epoch).Replace(Holder, ""), stop), CancellationToken.None);

    /// <summary>Whether the lease is another's by now, or another one, or gone.</summary>
    public static bool IsNotAsSeen(ApiException e) => e.IsPatchTestFailed || e.IsAlreadyExists || e is { IsNotFound: true, ObjectName: Name };

    private Task<Lease> CreateAsync(int epoch, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var manifest = new LeaseManifest
        {
            Metadata = new ManifestMetadata { Name = Name },
            Spec = new LeaseSpec { HolderIdentity = self, LeaseDurationSeconds = timing.WrittenSeconds, AcquireTime = now, RenewTime = now, LeaseTransitions = epoch },
        };
        return leases.CreateAsync(manifest, KubernetesJsonContext.Default.LeaseManifest, cancellationToken);
    }

    private Task<Lease> TakeOverAsync(Lease seen, int epoch, CancellationToken cancellationToken)
    {
        var now = Now();
        var patch = new JsonPatch().Test("/metadata/resourceVersion", seen.ResourceVersion)
            .Add(Holder, self).Add("/spec/leaseDurationSeconds", timing.WrittenSeconds)
            .Add("/spec/acquireTime", now).Add("/spec/renewTime", now).Add(Transitions, epoch);
        return leases.PatchAsync(Name, patch, cancellationToken);
    }

    private JsonPatch Ours(int epoch) => new JsonPatch().Test(Holder, self).Test(Transitions, epoch);

    private string Now() => MicroTime.Format(clock.GetUtcNow());

    private async Task<T> WithinAsync<T>(TimeSpan limit, Func<CancellationToken, Task<T>> request, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(limit, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            return await request(either.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ApiUnreachableException($"There was no answer within {limit.TotalSeconds:0.#} s.", mayHaveBeenSent: true, e);
        }
    }
}
