using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;
using DonkeyWork.CodeSandbox.Kubernetes.Executors;
using DonkeyWork.CodeSandbox.Kubernetes.Pods;
using DonkeyWork.CodeSandbox.Kubernetes.Quota;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DonkeyWork.CodeSandbox.Kubernetes;

/// <summary>
/// Sandboxes as pods of one namespace. Everything there is to know of one is in its pod, so any number of Managers may
/// work on a namespace, and none has a state of its own.
/// </summary>
internal sealed partial class KubernetesBackend(
    KubernetesClient client,
    ClusterConnection cluster,
    ExecutorConnections executors,
    PodQuota quota,
    ApiErrors errors,
    KubernetesOptions options,
    ILogger<KubernetesBackend> logger) : ISandboxBackend, IHostedService
{
    // A request that got no answer, or no decision, is made this often; after that it is for the caller to come again.
    private const int Attempts = 3;

    private readonly PodWatcher _watcher = new(client, executors, errors);

    /// <inheritdoc/>
    public async Task<Sandbox> CreateAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        await quota.WaitUntilInForceAsync(cancellationToken);
        var manifest = PodFactory.Create(spec, options);
        var mayExist = false;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return SandboxReader.Read(await client.Pods.CreateAsync(manifest, PodJsonContext.Default.PodManifest, cancellationToken));
            }
            catch (ApiException e) when (e.IsAlreadyExists)
            {
                // Ours from before, if an answer was lost; the nonce tells it from another's.
                return mayExist && await ReadOwnAsync(spec, cancellationToken) is { } own ? own : throw new SandboxExistsException(spec.Name);
            }
            catch (ApiException e) when (e.IsQuotaExceeded)
            {
                if (mayExist && await ReadOwnAsync(spec, cancellationToken) is { } own) return own;
                throw new SandboxLimitReachedException($"Namespace {options.TargetNamespace} has no room for another sandbox ({e.Message}); delete one first, or wait until deleted ones are gone.", e);
            }
            catch (ApiException e) when (e is { IsConflict: true, ObjectKind: "resourcequotas" } && attempt < Attempts)
            {
                // Many creates at once meet on the quota's count, more often than the client is ready to try again.
            }
            catch (Exception e) when (ApiErrors.IsUncertain(e))
            {
                mayExist = true;
                LogUnanswered(spec.Name, e.Message);
                if (await ReadOwnAsync(spec, cancellationToken) is { } own) return own;
                if (attempt == Attempts) throw errors.Of(e, mayHaveHappened: true);
            }
            catch (Exception e) when (ApiErrors.IsOne(e))
            {
                throw errors.Of(e, mayExist);
            }
        }
    }

    /// <inheritdoc/>
    public async Task<Sandbox?> ReadAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadPodAsync(name, cancellationToken);
        }
        catch (Exception e) when (ApiErrors.IsOne(e))
        {
            throw errors.Of(e);
        }
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Sandbox>> ListOwnedAsync(string owner, CancellationToken cancellationToken)
    {
        try
        {
            var pods = await client.Pods.ListAsync($"{PodKeys.Selector},{SandboxLabels.AllocatedTo}={SandboxLabels.OwnerValue(owner)}", cancellationToken);
            return [.. pods.Where(SandboxReader.IsOurs).Select(SandboxReader.Read).Where(sandbox => sandbox.Owner == owner)];
        }
        catch (Exception e) when (ApiErrors.IsOne(e))
        {
            throw errors.Of(e);
        }
    }

    /// <inheritdoc/>
    public async Task<Sandbox> ChangeAsync(Sandbox seen, SandboxChange change, ChangeCondition condition, CancellationToken cancellationToken)
    {
        try
        {
            return SandboxReader.Read(await client.Pods.PatchAsync(seen.Name, PodPatch.Of(seen, change, condition), cancellationToken));
        }
        catch (ApiException e) when (e.IsPatchTestFailed || e.IsConflict || e.IsNotFound)
        {
            throw new SandboxConflictException(seen.Name);
        }
        catch (Exception e) when (ApiErrors.IsOne(e))
        {
            throw errors.Of(e, ApiErrors.IsUncertain(e));
        }
    }

    /// <inheritdoc/>
    public async Task<bool> DeleteAsync(Sandbox seen, DeleteCondition condition, CancellationToken cancellationToken)
    {
        var preconditions = new DeletePreconditions
        {
            Uid = seen.Uid,
            ResourceVersion = condition == DeleteCondition.SameVersion ? seen.Version : null,
        };
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await client.Pods.DeleteAsync(seen.Name, preconditions, cancellationToken);
                return true;
            }
            catch (ApiException e) when (e.IsNotFound)
            {
                // Where an answer was lost, it was our own delete.
                return attempt > 1;
            }
            catch (ApiException e) when (e.IsConflict)
            {
                throw new SandboxConflictException(seen.Name);
            }
            catch (Exception e) when (ApiErrors.IsUncertain(e) && attempt < Attempts)
            {
                LogUnanswered(seen.Name, e.Message);
            }
            catch (Exception e) when (ApiErrors.IsOne(e))
            {
                throw errors.Of(e, ApiErrors.IsUncertain(e));
            }
        }
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<SandboxObservation> WatchAsync(CancellationToken cancellationToken) => _watcher.WatchAsync(cancellationToken);

    /// <inheritdoc/>
    public ExecutorEndpoint Connect(Sandbox sandbox) => executors.Of(sandbox);

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        LogWhere(options.TargetNamespace, cluster.Server, cluster.Source, options.RuntimeClassName, executors.Access);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task<Sandbox?> ReadPodAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            return await client.Pods.GetAsync(name, cancellationToken) is { } pod && SandboxReader.IsOurs(pod) ? SandboxReader.Read(pod) : null;
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            return null;
        }
    }

    // What came of a create that was not answered; null where nothing has, so far.
    private async Task<Sandbox?> ReadOwnAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadPodAsync(spec.Name, cancellationToken) is { } pod && pod.Nonce == spec.Nonce ? pod : null;
        }
        catch (Exception e) when (ApiErrors.IsOne(e))
        {
            throw errors.Of(e, mayHaveHappened: true);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Sandboxes are pods of namespace {Namespace} at {Server} ({Source}), RuntimeClass {RuntimeClass}, executors by {Access}")]
    private partial void LogWhere(string @namespace, Uri server, string source, string runtimeClass, ExecutorAccess access);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A request about sandbox {Name} was not answered, and is asked for again: {Reason}")]
    private partial void LogUnanswered(string name, string reason);
}
