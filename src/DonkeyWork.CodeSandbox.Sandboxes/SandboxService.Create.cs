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
        var specOf = _planner.Plan(request);
        await registry.WaitUntilListedAsync(cancellationToken);
        var sandbox = await CreateUnderFreeNameAsync(specOf, cancellationToken);
        timings.Accepted();
        LogAccepted(sandbox.Name);

        if (cancellationToken.IsCancellationRequested)
        {
            tasks.Run($"Deleting unannounced sandbox {sandbox.Name}", stopping => RemoveInTheEndAsync(sandbox, stopping));
            cancellationToken.ThrowIfCancellationRequested();
        }

        var follower = new CreationFollower(sandbox, timings, registry, this, _health, options, clock, logger);
        tasks.Run($"Following the creation of sandbox {sandbox.Name}", follower.RunAsync);
        return new SandboxCreation(sandbox, follower.Events);
    }

    private async Task<Sandbox> CreateUnderFreeNameAsync(Func<string, SandboxSpec> specOf, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var name = _names.New();
            if (registry.Find(name) is not null) continue;
            if (!registry.TryReserve(name, Limit.Count)) throw SandboxException.LimitReached(Limit);

            var spec = specOf(name);
            Sandbox? created = null;
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
                tasks.Run($"Deleting what may have come of the unanswered create of {name}", stopping => RemoveIfItComesAsync(spec, stopping));
                throw;
            }
            catch (SandboxExistsException e)
            {
                // Another Manager was faster with this name.
                if (attempt == NameAttempts) throw new BackendUnavailableException($"The backend has refused {attempt} names as taken.", e);
            }
            finally
            {
                registry.Release(name, created);
            }
        }
    }

    // Each Manager counts what it sees; a limit of the backend's own counts for all of them.
    private SandboxLimit Limit => backendLimit?.Limit is { } theirs && theirs.Count < options.MaxTotalContainers
        ? theirs
        : new SandboxLimit(options.MaxTotalContainers, nameof(options.MaxTotalContainers));

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
