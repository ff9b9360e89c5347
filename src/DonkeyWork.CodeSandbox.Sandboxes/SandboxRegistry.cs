using System.Collections.Concurrent;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DonkeyWork.CodeSandbox.Sandboxes;

/// <summary>
/// The live view of all sandboxes, fed by the backend's watch: reading it costs no call. It decides nothing that must be
/// right; a miss, or a state that would fail a request, is read live once with <see cref="ReadAsync"/>.
/// </summary>
public sealed partial class SandboxRegistry(ISandboxBackend backend, TimeProvider clock, ILogger<SandboxRegistry> logger) : BackgroundService
{
    private static readonly TimeSpan FirstListingPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan WatchRetryDelay = TimeSpan.FromSeconds(1);
    private const int RememberedEnds = 1024;

    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<string, Sandbox> _view = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TaskCompletionSource> _waiters = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Sandbox> _pool = new(StringComparer.Ordinal);

    // By name, whether the pool's.
    private readonly Dictionary<string, bool> _reserved = new(StringComparer.Ordinal);

    // Whose delete was asked for here; true where the backend itself has shown it by now.
    private readonly Dictionary<string, bool> _deleting = new(StringComparer.Ordinal);
    private readonly Queue<string> _ended = new();
    private readonly TaskCompletionSource _listed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile BackendLost? _lost;
    private PoolView? _poolView;
    private int _notDeleting;
    private long _departures;

    /// <summary>Whether the view is complete and up to date: the backend was listed and has not been lost since.</summary>
    public bool IsCurrent => _listed.Task.IsCompletedSuccessfully && _lost is null;

    /// <summary>All sandboxes of the view, in no order.</summary>
    public IEnumerable<Sandbox> All => _view.Values;

    /// <summary>The sandboxes of the pool that nobody has claimed. Costs nothing while they stay as they are.</summary>
    internal PoolView Pool
    {
        get { lock (_gate) return _poolView ??= new PoolView([.. _pool.Values], _reserved.Count(name => name.Value && !_view.ContainsKey(name.Key)), _departures); }
    }

    /// <summary>The sandbox as the view has it; <see langword="null"/> where the view has none.</summary>
    public Sandbox? Find(string name) => _view.GetValueOrDefault(name);

    /// <summary>Waits, for 10 s at most, until the backend was listed once.</summary>
    /// <exception cref="BackendUnavailableException">It was not.</exception>
    public async Task WaitUntilListedAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _listed.Task.WaitAsync(FirstListingPatience, clock, cancellationToken);
        }
        catch (TimeoutException e)
        {
            throw new BackendUnavailableException($"The backend has not told yet which sandboxes exist. {_lost?.Reason}".TrimEnd(), e);
        }
    }

    /// <summary>Reads a sandbox live and puts what it finds into the view.</summary>
    /// <exception cref="BackendUnavailableException">The backend cannot be reached.</exception>
    public async Task<Sandbox?> ReadAsync(string name, CancellationToken cancellationToken)
    {
        var before = Find(name);
        var live = await backend.ReadAsync(name, cancellationToken);
        lock (_gate)
        {
            // Whatever the watch has told meanwhile is at least as new.
            if (ReferenceEquals(Find(name), before) && (live is null || !_ended.Contains(live.Uid)))
                Set(name, live);
            return live is null ? null : Overlay(live);
        }
    }

    /// <summary>
    /// Waits until the view's state of a sandbox is another than <paramref name="seen"/>, or <paramref name="atMost"/> has
    /// passed, and returns the state then; <see langword="null"/> where the view has none.
    /// </summary>
    public async Task<Sandbox?> NextAsync(string name, Sandbox? seen, TimeSpan atMost, CancellationToken cancellationToken)
    {
        Task change;
        lock (_gate)
        {
            if (!ReferenceEquals(Find(name), seen)) return Find(name);
            if (!_waiters.TryGetValue(name, out var waiter))
                _waiters[name] = waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            change = waiter.Task;
        }

        // Time that has passed is an ordinary end here.
        await change.WaitAsync(atMost, clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        return Find(name);
    }

    /// <summary>Sets a name aside for a create if that leaves no more than <paramref name="limit"/> sandboxes, creates in flight included.</summary>
    /// <param name="name">The name.</param>
    /// <param name="limit">How many there may be.</param>
    /// <param name="isOfPool">Whether it counts as <see cref="PoolView.Asked"/> until it is in view or released.</param>
    internal bool TryReserve(string name, int limit, bool isOfPool)
    {
        lock (_gate)
        {
            // What has ended still takes room, until it is deleted.
            var count = _notDeleting + _reserved.Keys.Count(reserved => !_view.ContainsKey(reserved));
            if (count >= limit || !_reserved.TryAdd(name, isOfPool)) return false;
            if (isOfPool) PoolHasChanged();
            return true;
        }
    }

    /// <summary>Ends a reservation; <paramref name="created"/> is what came of it.</summary>
    internal void Release(string name, Sandbox? created)
    {
        lock (_gate)
        {
            if (_reserved.Remove(name)) PoolHasChanged();
            // The watch may have told of it, or even of its end, before the create returned.
            if (created is not null && !_view.ContainsKey(name) && !_ended.Contains(created.Uid)) Set(name, created);
        }
    }

    /// <summary>Puts the result of a change into the view unless the watch has told of something newer.</summary>
    internal void Replace(Sandbox seen, Sandbox changed)
    {
        lock (_gate)
        {
            if (Find(seen.Name) is not { } current || current.Uid != seen.Uid) return;
            // What was claimed is never warm again, so any state that shows it warm is older.
            var isClaim = current.PoolStatus == PoolStatus.Warm && changed.PoolStatus != PoolStatus.Warm;
            if (isClaim || current.Version == seen.Version) Set(seen.Name, changed);
        }
    }

    /// <summary>Shows a sandbox as being deleted from now on. <see langword="false"/>: it was already.</summary>
    internal bool TryBeginDelete(Sandbox sandbox)
    {
        lock (_gate)
        {
            if (_ended.Contains(sandbox.Uid) || !_deleting.TryAdd(sandbox.Uid, false)) return false;
            if (Find(sandbox.Name) is { } current && current.Uid == sandbox.Uid) Set(sandbox.Name, current);
            return true;
        }
    }

    /// <summary>The delete was not accepted after all.</summary>
    internal void CancelDelete(Sandbox sandbox)
    {
        lock (_gate)
        {
            // Another's may have been, or ours, whose answer was lost.
            var isShown = _deleting.Remove(sandbox.Uid, out var shown) && shown;
            if (!isShown && Find(sandbox.Name) is { } current && current.Uid == sandbox.Uid) Set(sandbox.Name, current with { IsDeleting = false });
        }
    }

    /// <summary>There is no such sandbox any more.</summary>
    internal void Forget(Sandbox sandbox)
    {
        lock (_gate)
        {
            if (Find(sandbox.Name) is { } current && current.Uid == sandbox.Uid) Set(sandbox.Name, null);
            _deleting.Remove(sandbox.Uid);
            _ended.Enqueue(sandbox.Uid);
            if (_ended.Count > RememberedEnds) _ended.Dequeue();
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await foreach (var observation in backend.WatchAsync(stoppingToken)) Observe(observation);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // A watch mends itself; one that throws has a defect, and the view must not go stale in silence.
                LogWatchBroke(e);
                _lost = new BackendLost(clock.GetUtcNow(), e.Message);
            }

            await Task.Delay(WatchRetryDelay, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Observe(SandboxObservation observation)
    {
        switch (observation)
        {
            case SandboxListed listed:
                List(listed.Sandboxes);
                break;
            case SandboxChanged changed:
                lock (_gate)
                {
                    if (!_ended.Contains(changed.Sandbox.Uid)) Set(changed.Sandbox.Name, changed.Sandbox);
                }

                break;
            case SandboxGone gone:
                Forget(gone.Sandbox);
                break;
            case BackendLost lost:
                LogLost(lost.Since, lost.Reason);
                _lost = lost;
                break;
        }
    }

    private void List(IReadOnlyList<Sandbox> sandboxes)
    {
        if (_lost is not null) LogFound(sandboxes.Count);
        lock (_gate)
        {
            // Who reads meanwhile sees too many rather than too few.
            foreach (var sandbox in sandboxes) Set(sandbox.Name, sandbox);
            _lost = null;
            var listed = sandboxes.Select(sandbox => sandbox.Name).ToHashSet(StringComparer.Ordinal);
            foreach (var name in _view.Keys.Where(name => !listed.Contains(name)).ToList()) Set(name, null);
            var uids = sandboxes.Select(sandbox => sandbox.Uid).ToHashSet(StringComparer.Ordinal);
            foreach (var uid in _deleting.Keys.Where(uid => !uids.Contains(uid)).ToList()) _deleting.Remove(uid);
            PoolHasChanged();
        }

        _listed.TrySetResult();
    }

    private void Set(string name, Sandbox? sandbox)
    {
        if (sandbox is { IsDeleting: true } && _deleting.ContainsKey(sandbox.Uid)) _deleting[sandbox.Uid] = true;
        if (sandbox is not null) sandbox = Overlay(sandbox);
        var before = Find(name);
        if (sandbox is null) _view.TryRemove(name, out _);
        else _view[name] = sandbox;
        if (before is { IsDeleting: false }) _notDeleting--;
        if (sandbox is { IsDeleting: false }) _notDeleting++;
        SetPool(name, before, sandbox);
        if (_waiters.Remove(name, out var waiter)) waiter.TrySetResult();
    }

    private void SetPool(string name, Sandbox? before, Sandbox? sandbox)
    {
        var hasChanged = _pool.Remove(name);
        if (sandbox is { PoolStatus: PoolStatus.Warm })
        {
            _pool[name] = sandbox;
            hasChanged = true;
        }

        if (before is not null && sandbox is null or { IsDeleting: true })
        {
            _departures++;
            hasChanged = true;
        }

        if (hasChanged) PoolHasChanged();
    }

    private void PoolHasChanged()
    {
        _poolView?.End();
        _poolView = null;
    }

    // An accepted delete cannot be undone, so a watch that runs behind must not show it undone.
    private Sandbox Overlay(Sandbox sandbox) =>
        !sandbox.IsDeleting && _deleting.ContainsKey(sandbox.Uid) ? sandbox with { IsDeleting = true } : sandbox;

    [LoggerMessage(Level = LogLevel.Warning, Message = "The backend is lost since {Since:O}: {Reason}")]
    private partial void LogLost(DateTimeOffset since, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "The backend is back, with {Count} sandboxes")]
    private partial void LogFound(int count);

    [LoggerMessage(Level = LogLevel.Error, Message = "The watch of the backend broke")]
    private partial void LogWatchBroke(Exception exception);
}
