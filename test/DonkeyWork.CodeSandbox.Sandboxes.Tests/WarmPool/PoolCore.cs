using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
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
    public static async Task<PoolCore> StartAsync(SandboxOptions? options = null, Func<ISandboxBackend, ISandboxBackend>? through = null)
    {
        var pool = new PoolCore(await Core.StartAsync(options, through: through));
        pool.Backend.IsReadyAtOnce = true;
        await pool._filler.StartAsync(CancellationToken.None);
        return pool;
    }

    /// <summary>The same, filled.</summary>
    public static async Task<PoolCore> FilledAsync(int size, SandboxOptions? options = null, Func<ISandboxBackend, ISandboxBackend>? through = null)
    {
        var pool = await StartAsync((options ?? new SandboxOptions()) with { WarmPoolSize = size }, through);
        pool.Leadership.Lead(1);
        await pool.UntilAsync(statistics => statistics.Warm == size);
        return pool;
    }

    /// <summary>The same, and nothing that is taken of it is made up for.</summary>
    public static async Task<PoolCore> UnledAsync(int size, SandboxOptions? options = null)
    {
        var pool = await FilledAsync(size, options);
        pool.Leadership.End();
        return pool;
    }

    public Task<Sandbox> ClaimAsync(string user = "anna", CancellationToken cancellationToken = default) =>
        ClaimAsync(new AllocateRequest { UserId = user }, cancellationToken);

    public Task<Sandbox> ClaimAsync(AllocateRequest request, CancellationToken cancellationToken = default) =>
        Core.Pool.ClaimAsync(request, cancellationToken).WaitAsync(Patience.Limit, CancellationToken.None);

    /// <summary>Waits until the view's count satisfies a test.</summary>
    public Task UntilAsync(Func<PoolStatistics, bool> isIt) =>
        Patience.UntilAsync(() => isIt(Core.Pool.Statistics), () => $"The pool is {Core.Pool.Statistics}.");

    /// <summary>The sandbox as the backend has it.</summary>
    public Sandbox Recorded(Sandbox sandbox) => Backend.Sandboxes.Single(other => other.Uid == sandbox.Uid);

    public string TokenOf(Sandbox sandbox) => Core.Tokens.TokenOf(sandbox.Name, sandbox.Nonce);

    /// <summary>Waits until a sandbox is gone.</summary>
    public Task GoneAsync(Sandbox sandbox) =>
        Patience.UntilAsync(() => Backend.Sandboxes.All(other => other.Uid != sandbox.Uid), () => $"{sandbox.Name} is still there.");

    public async ValueTask DisposeAsync()
    {
        await _filler.StopAsync(CancellationToken.None);
        _filler.Dispose();
        await Executors.DisposeAsync();
        await Core.DisposeAsync();
        Leadership.Dispose();
    }
}
