using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests;

/// <summary>A core with a pool: executors that open once, and a filler that leads when it is told to.</summary>
internal sealed class PoolCore : IAsyncDisposable
{
    private readonly WarmPoolFiller _filler;

    private PoolCore(Core core)
    {
        Core = core;
        Executors = new ClaimableExecutors(core.Executor);
        _filler = new WarmPoolFiller(core.Service, core.Registry, Leadership, core.Options, core.Clock, NullLogger<WarmPoolFiller>.Instance);
    }

    public Core Core { get; }

    public InMemoryBackend Backend => Core.Backend;

    public ManualClock Clock => Core.Clock;

    public ClaimableExecutors Executors { get; }

    public SwitchedLeadership Leadership { get; } = new();

    /// <summary>A core that fills its pool with sandboxes that are ready at once.</summary>
    public static async Task<PoolCore> StartAsync(SandboxOptions? options = null)
    {
        var pool = new PoolCore(await Core.StartAsync(options));
        pool.Backend.IsReadyAtOnce = true;
        await pool._filler.StartAsync(CancellationToken.None);
        return pool;
    }

    /// <summary>The same, filled.</summary>
    public static async Task<PoolCore> FilledAsync(int size, SandboxOptions? options = null)
    {
        var pool = await StartAsync((options ?? new SandboxOptions()) with { WarmPoolSize = size });
        pool.Leadership.Lead(1);
        await pool.UntilAsync(statistics => statistics.Warm == size);
        return pool;
    }

    public Task<Sandbox> ClaimAsync(string user = "anna", CancellationToken cancellationToken = default) =>
        ClaimAsync(new AllocateRequest { UserId = user }, cancellationToken);

    public Task<Sandbox> ClaimAsync(AllocateRequest request, CancellationToken cancellationToken = default) =>
        Core.Pool.ClaimAsync(request, cancellationToken).WaitAsync(Patience.Limit, CancellationToken.None);

    /// <summary>Waits until the view's count satisfies a test.</summary>
    public Task UntilAsync(Func<PoolStatistics, bool> isIt) =>
        Patience.UntilAsync(() => isIt(Core.Pool.Statistics), () => $"The pool is {Core.Pool.Statistics}.");

    public async ValueTask DisposeAsync()
    {
        await _filler.StopAsync(CancellationToken.None);
        _filler.Dispose();
        await Executors.DisposeAsync();
        await Core.DisposeAsync();
        Leadership.Dispose();
    }
}
