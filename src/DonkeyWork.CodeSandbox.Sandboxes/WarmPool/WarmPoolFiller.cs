using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Sandboxes.Leadership;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DonkeyWork.CodeSandbox.Sandboxes;

/// <summary>
/// Keeps <see cref="SandboxOptions.WarmPoolSize"/> sandboxes ready while this Manager leads. It acts on every change of the
/// pool at once; <see cref="SandboxOptions.PoolBackfillCheckIntervalSeconds"/> is for what nothing tells of.
/// </summary>
public sealed partial class WarmPoolFiller(
    SandboxService sandboxes,
    SandboxRegistry registry,
    ILeadership leadership,
    SandboxOptions options,
    TimeProvider clock,
    ILogger<WarmPoolFiller> logger) : BackgroundService
{
    private const int ParallelRemovals = 8;

    private readonly TimeSpan _interval = TimeSpan.FromSeconds(options.PoolBackfillCheckIntervalSeconds);
    private readonly BackOff _backOff = new(clock);
    private readonly PoolMemory _memory = new();
    private readonly List<Task<CreateOutcome>> _creates = [];
    private readonly List<Task> _removals = [];
    private long _looked = clock.GetTimestamp();

    // How many places had become free when there was none; null: there may be one.
    private long? _fullSince;
    private bool _isFullTold;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var term = await leadership.WaitAsync(stoppingToken);
                LogLeads(term.Epoch);
                using var ended = CancellationTokenSource.CreateLinkedTokenSource(term.Ended, stoppingToken);
                await LeadAsync(term, ended.Token);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                // The host is stopping.
            }
        }

        await Task.WhenAll([.. _creates, .. _removals]);
    }

    private async Task LeadAsync(LeadershipTerm term, CancellationToken ended)
    {
        while (!ended.IsCancellationRequested)
        {
            var pool = registry.Pool;
            Digest(pool);
            // Asked once: one that ended between two questions would be neither kept nor over, up to the next look.
            var left = _backOff.Left;
            if (registry.IsCurrent && IsStill(term)) Tend(pool, term, left);
            await NextAsync(pool, left, ended);
        }
    }

    // Asked at the last moment before anything is done: this process may have been frozen for longer than its term.
    private bool IsStill(LeadershipTerm term) => leadership.Current?.Epoch == term.Epoch;

    // What has come of what was begun, and of the pool.
    private void Digest(PoolView pool)
    {
        foreach (var create in _creates.Where(create => create.IsCompleted))
        {
            if (create.Result.HasFailed) _backOff.Fail();
            NoteRoom(create.Result);
        }

        _creates.RemoveAll(create => create.IsCompleted);
        _removals.RemoveAll(removal => removal.IsCompleted);
        _memory.Note(pool, _backOff);
        if (clock.GetElapsedTime(_looked) < _interval) return;
        _looked = clock.GetTimestamp();
        _fullSince = null;
        _memory.Prune(pool);
    }

    // Told once: it may last, and is looked at again and again.
    private void NoteRoom(CreateOutcome outcome)
    {
        if (outcome.HasFailed) return;
        if (outcome.Full is not null)
        {
            _fullSince = outcome.FullSince;
            if (!_isFullTold) LogFull(outcome.Full);
        }

        _isFullTold = outcome.Full is not null;
    }

    private void Tend(PoolView pool, LeadershipTerm term, TimeSpan left)
    {
        var isFull = _fullSince == pool.Departures;
        var plan = PoolPlan.Of(pool, options.WarmPoolSize, sandboxes.PoolTemplate, isFull);
        foreach (var sandbox in plan.Removals)
        {
            if (_removals.Count >= ParallelRemovals) break;
            if (_memory.TryRemove(sandbox)) _removals.Add(RemoveAsync(sandbox));
        }

        if (left > TimeSpan.Zero) return;
        for (var missing = plan.Creates; missing > 0 && _creates.Count < options.PoolCreateConcurrency; missing--)
            _creates.Add(CreateAsync(term, pool.Departures));
    }

    // Until the pool changes, something that was begun ends, a pause is over, or it is time to look.
    private async Task NextAsync(PoolView pool, TimeSpan left, CancellationToken ended)
    {
        var pause = _interval - clock.GetElapsedTime(_looked);
        if (left > TimeSpan.Zero && left < pause) pause = left;
        if (pause <= TimeSpan.Zero) return;
        // A delay is cut to whole milliseconds, and would end before the pause does.
        pause = TimeSpan.FromMilliseconds(Math.Ceiling(pause.TotalMilliseconds));
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(ended);
        await Task.WhenAny([pool.Change, Task.Delay(pause, clock, timer.Token), .. _creates, .. _removals]);
        await timer.CancelAsync();
    }

    private async Task<CreateOutcome> CreateAsync(LeadershipTerm term, long departures)
    {
        if (!IsStill(term)) return default;
        try
        {
            await sandboxes.CreateWarmAsync(term.Epoch, CancellationToken.None);
            return default;
        }
        catch (SandboxException e) when (e.Code == ErrorCodes.LimitReached)
        {
            return new CreateOutcome { Full = e.Message, FullSince = departures };
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Whatever it is: the pool is tried to be filled as long as this Manager lives.
            LogNotCreated(e.Message);
            return new CreateOutcome { HasFailed = true };
        }
    }

    private async Task RemoveAsync(Sandbox sandbox)
    {
        try
        {
            // A claim that came first has changed it, and wins.
            await sandboxes.RemoveUnchangedAsync(sandbox, WhyRemoved(sandbox), CancellationToken.None);
        }
        catch (BackendUnavailableException e)
        {
            // The next look tries again.
            LogNotRemoved(sandbox.Name, e.Message);
        }
    }

    private string WhyRemoved(Sandbox sandbox) => sandbox switch
    {
        { HasEnded: true } => $"it has ended. {sandbox.Message}".TrimEnd(),
        _ when sandbox.Template != sandboxes.PoolTemplate => "it is of the pool, and made by other settings than today's",
        _ => "the pool has more than it is to have",
    };

    [LoggerMessage(Level = LogLevel.Information, Message = "This Manager keeps the pool, in epoch {Epoch}")]
    private partial void LogLeads(int epoch);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A sandbox for the pool could not be created: {Reason}")]
    private partial void LogNotCreated(string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The pool waits for room: {Reason}")]
    private partial void LogFull(string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Sandbox {Name} of the pool could not be removed: {Reason}")]
    private partial void LogNotRemoved(string name, string reason);

    private readonly record struct CreateOutcome(bool HasFailed, string? Full, long FullSince);
}
