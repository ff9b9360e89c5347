using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Sandboxes.Creation;
using Microsoft.Extensions.Logging;

namespace DonkeyWork.CodeSandbox.Sandboxes;

public sealed partial class SandboxService
{
    // Of 2^32 names with at most 10,000 in use, five in a row are never taken by chance.
    private const int NameAttempts = 5;

    // How long a create that was not answered is looked out for: longer than a backend is usually away.
    private static readonly TimeSpan UnansweredPatience = TimeSpan.FromMinutes(10);

    /// <summary>How many sandboxes there may be. Each Manager counts what it sees; a limit of the backend's own counts for all of them.</summary>
    internal SandboxLimit Limit => backendLimit?.Limit is { } theirs && theirs.Count < options.MaxTotalContainers
        ? theirs
        : new SandboxLimit(options.MaxTotalContainers, nameof(options.MaxTotalContainers));

    /// <summary>The template of the pool's sandboxes: one of the pool that has another is outdated.</summary>
    internal string PoolTemplate => _planner.PoolTemplate;

    /// <summary>
    /// Creates a sandbox and returns when the backend has accepted it. From then on it is followed until it is ready;
    /// one that fails or times out is deleted. A caller who is gone by then never learns its name, so it is deleted too.
    /// </summary>
    /// <exception cref="InvalidSandboxException">Fields are wrong; all are named.</exception>
    /// <exception cref="SandboxException"><see cref="ErrorCodes.LimitReached"/>.</exception>
    /// <exception cref="BackendUnavailableException">The backend cannot be reached, or refuses.</exception>
    public async Task<SandboxCreation> CreateAsync(CreateSandboxRequest request, CancellationToken cancellationToken)
    {
        var timings = new CreationTimings(clock);
        return await CreateAsync(_planner.Plan(request), timings, cancellationToken);
    }

    /// <summary>The same for a claim that found nothing in the pool; one with an id is there for the next try of it, whoever has gone.</summary>
    /// <exception cref="SandboxException"><see cref="ErrorCodes.LimitReached"/>.</exception>
    /// <exception cref="BackendUnavailableException">The backend cannot be reached, or refuses.</exception>
    internal Task<SandboxCreation> CreateAllocatedAsync(Claim claim, CancellationToken cancellationToken) =>
        CreateAsync(_planner.PlanAllocated(claim), new CreationTimings(clock), claim.ClaimId is null ? cancellationToken : CancellationToken.None);

    /// <summary>
    /// Creates a sandbox for the pool and returns when the backend has accepted it. Until it is in view it counts as
    /// <see cref="PoolView.Asked"/>, for as long as a sandbox may take to become ready where no answer came.
    /// </summary>
    /// <exception cref="SandboxException"><see cref="ErrorCodes.LimitReached"/>.</exception>
    /// <exception cref="BackendUnavailableException">The backend cannot be reached, or refuses.</exception>
    internal Task<Sandbox> CreateWarmAsync(int epoch, CancellationToken cancellationToken) =>
        CreateUnderFreeNameAsync(_planner.PlanWarm(epoch), cancellationToken);

    /// <summary>Follows an accepted sandbox until it is ready, or deletes it.</summary>
    internal SandboxCreation Follow(Sandbox sandbox, CreationTimings? timings = null)
    {
        var follower = new CreationFollower(sandbox, timings ?? new CreationTimings(clock), registry, this, _health, options, clock, logger);
        tasks.Run($"Following the creation of sandbox {sandbox.Name}", follower.RunAsync);
        return new SandboxCreation(sandbox, follower.Events);
    }

    private async Task<SandboxCreation> CreateAsync(SandboxPlan plan, CreationTimings timings, CancellationToken cancellationToken)
    {
        await registry.WaitUntilListedAsync(cancellationToken);
        var sandbox = await CreateUnderFreeNameAsync(plan, cancellationToken);
        timings.Accepted();
        LogAccepted(sandbox.Name);
        if (cancellationToken.IsCancellationRequested)
        {
            Discard(sandbox);
            cancellationToken.ThrowIfCancellationRequested();
        }

        return Follow(sandbox, timings);
    }

    private async Task<Sandbox> CreateUnderFreeNameAsync(SandboxPlan plan, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var name = _names.New();
            if (registry.Find(name) is not null) continue;
            if (!registry.TryReserve(name, Limit.Count, plan.PoolStatus == PoolStatus.Warm)) throw SandboxException.LimitReached(Limit);

            var spec = _planner.SpecOf(plan, name);
            Sandbox? created = null;
            var isOut = false;
            try
            {
                // Not the caller's token: a create cut in the middle may or may not have happened.
                return created = await backend.CreateAsync(spec, CancellationToken.None);
            }
            catch (SandboxLimitReachedException e)
            {
                throw SandboxException.LimitReached(e.Message, e);
            }
            catch (BackendUnavailableException e) when (e.MayHaveHappened)
            {
                isOut = plan.PoolStatus == PoolStatus.Warm;
                if (isOut) tasks.Run($"Looking out for {name} of the pool", stopping => AwaitAskedAsync(name, stopping));
                else if (plan.IsLostUnanswered) tasks.Run($"Deleting what may have come of the unanswered create of {name}", stopping => RemoveIfItComesAsync(spec, stopping));
                throw;
            }
            catch (SandboxExistsException e)
            {
                // Another Manager was faster with this name.
                if (attempt == NameAttempts) throw new BackendUnavailableException($"The backend has refused {attempt} names as taken.", e);
            }
            finally
            {
                if (!isOut) registry.Release(name, created);
            }
        }
    }

    // Its place is kept while it may still turn up: whatever comes of it is the pool's.
    private async Task AwaitAskedAsync(string name, CancellationToken stopping)
    {
        await registry.NextAsync(name, null, TimeSpan.FromSeconds(options.PodReadyTimeoutSeconds), stopping);
        registry.Release(name, null);
    }

    // Nobody was told its name. The nonce tells it from another of that name.
    private async Task RemoveIfItComesAsync(SandboxSpec spec, CancellationToken stopping)
    {
        var begun = clock.GetTimestamp();
        while (UnansweredPatience - clock.GetElapsedTime(begun) is { Ticks: > 0 } left)
        {
            if (await registry.NextAsync(spec.Name, null, left, stopping) is not { } came) continue;
            if (came.Nonce == spec.Nonce) await RemoveInTheEndAsync(came, stopping);
            return;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Sandbox {Name} is accepted")]
    private partial void LogAccepted(string name);
}
