using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Watching;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DonkeyWork.CodeSandbox.Kubernetes.Quota;

/// <summary>
/// The namespace's resource quotas that count pods, as last seen. The API server holds them, for any number of Managers
/// at once (https://kubernetes.io/docs/concepts/policy/resource-quotas/); the Manager only reads them.
/// </summary>
internal sealed partial class PodQuota(KubernetesClient client, KubernetesOptions options, TimeProvider clock, ILogger<PodQuota> logger)
    : BackgroundService, ISandboxLimit
{
    private static readonly string[] Counting = ["pods", "count/pods"];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, ResourceQuota> _quotas = new(StringComparer.Ordinal);
    private TaskCompletionSource _inForce = NewSignal();
    private bool _isListed;
    private string? _whyUnknown;
    private bool _isToldUnknown;

    /// <inheritdoc/>
    public SandboxLimit? Limit { get; private set; }

    /// <summary>
    /// Waits, for 10 s at most, until every quota that is there is enforced: the API server lets everything pass a quota
    /// that has not been counted yet.
    /// </summary>
    /// <exception cref="BackendUnavailableException">One still is not.</exception>
    public async Task WaitUntilInForceAsync(CancellationToken cancellationToken)
    {
        Task inForce;
        lock (_gate)
        {
            inForce = _inForce.Task;
            if (_whyUnknown is not null && !_isToldUnknown) LogUnknown(options.TargetNamespace, _whyUnknown);
            _isToldUnknown |= _whyUnknown is not null;
        }

        try
        {
            await inForce.WaitAsync(Patience, clock, cancellationToken);
        }
        catch (TimeoutException e)
        {
            throw new BackendUnavailableException(
                $"A ResourceQuota of namespace {options.TargetNamespace} is not enforced yet: its status.hard is missing, which kube-controller-manager writes.", e);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var observation in client.ResourceQuotas.WatchAsync(null, stoppingToken)) Observe(observation);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host is stopping.
        }
    }

    private void Observe(ApiObservation<ResourceQuota> observation)
    {
        lock (_gate)
        {
            switch (observation)
            {
                case ApiListed<ResourceQuota> listed:
                    _quotas.Clear();
                    foreach (var quota in listed.Items) Set(quota);
                    if (!_isListed && _quotas.Count == 0) LogNone(options.TargetNamespace, options.MaxTotalContainers);
                    _isListed = true;
                    _whyUnknown = null;
                    break;
                case ApiChanged<ResourceQuota> changed:
                    Set(changed.Item);
                    break;
                case ApiGone<ResourceQuota> gone:
                    _quotas.Remove(gone.Item.Uid);
                    break;
                case ApiLost<ResourceQuota> lost:
                    // What was seen last is as good as it gets; the API server goes on to hold what holds. Where nothing
                    // was, it is told at the first create: until then it may be the API server that is not there.
                    if (!_isListed) _whyUnknown = lost.Reason;
                    break;
            }

            Judge();
        }
    }

    private void Set(ResourceQuota quota)
    {
        // One with a scope counts some pods only: what it holds is for the API server to say.
        if (!quota.IsScoped && Counting.Any(quota.Hard.ContainsKey)) _quotas[quota.Uid] = quota;
        else _quotas.Remove(quota.Uid);
    }

    private void Judge()
    {
        var limit = _quotas.Values.SelectMany(LimitsOf).MinBy(limit => limit.Count);
        if (limit is not null && limit != Limit) LogLimit(options.TargetNamespace, limit.Count, limit.Source);
        Limit = limit;

        if ((_isListed || _whyUnknown is not null) && _quotas.Values.All(quota => Counting.Where(quota.Hard.ContainsKey).All(quota.EnforcedHard.ContainsKey))) _inForce.TrySetResult();
        else if (_inForce.Task.IsCompleted) _inForce = NewSignal();
    }

    private static IEnumerable<SandboxLimit> LimitsOf(ResourceQuota quota) =>
        from resource in Counting
        where quota.EnforcedHard.ContainsKey(resource)
        let count = Quantity.Parse(quota.EnforcedHard[resource]) ?? int.MaxValue
        select new SandboxLimit((int)Math.Min(count, int.MaxValue), $"ResourceQuota {quota.Name}");

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(Level = LogLevel.Warning, Message = "No ResourceQuota counts the pods of namespace {Namespace}: with several Managers the limit of {Limit} sandboxes is approximate (k8s/resourcequota.yaml makes it exact)")]
    private partial void LogNone(string @namespace, int limit);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The ResourceQuotas of namespace {Namespace} cannot be read, and the limit may be approximate: {Reason}")]
    private partial void LogUnknown(string @namespace, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Namespace {Namespace} may have {Limit} pods ({Source})")]
    private partial void LogLimit(string @namespace, int limit, string source);
}
