using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Sandboxes.Execution;
using DonkeyWork.CodeSandbox.Sandboxes.Leadership;
using Microsoft.Extensions.Hosting;

namespace DonkeyWork.CodeSandbox.Sandboxes;

/// <summary>
/// Asks each executor of the pool something once it is ready, so that a claim is not the first request of its life: that one
/// takes several times as long as any other, for it meets code that has never run. Nothing waits for this, and nothing
/// comes of an answer. The Manager that leads does it.
/// </summary>
public sealed class PoolRehearsal(
    SandboxRegistry registry, ILeadership leadership, ISandboxBackend backend, SandboxTokens tokens, TimeProvider clock) : BackgroundService
{
    private const int AtOnce = 4;

    private readonly ExecutorStatsReader _stats = new(backend, tokens, clock);

    // By uid.
    private readonly HashSet<string> _answered = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await leadership.WaitAsync(stoppingToken);
                var pool = registry.Pool;
                await RehearseAsync(pool.Sandboxes, stoppingToken);
                await pool.Change.WaitAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host is stopping.
        }
    }

    private async Task RehearseAsync(IReadOnlyList<Sandbox> pool, CancellationToken stoppingToken)
    {
        _answered.IntersectWith(pool.Select(sandbox => sandbox.Uid));
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = stoppingToken };
        var asked = pool.Where(sandbox => sandbox.AcceptsCommands && !_answered.Contains(sandbox.Uid)).ToList();
        await Parallel.ForEachAsync(asked, parallel, async (sandbox, stop) =>
        {
            // One that is not up yet is asked again when the pool has changed.
            if (await _stats.AskAsync(sandbox, stop) is NotClaimed)
                lock (_answered) _answered.Add(sandbox.Uid);
        });
    }
}
