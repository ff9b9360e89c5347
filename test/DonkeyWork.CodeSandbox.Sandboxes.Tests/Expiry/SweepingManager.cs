using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Sandboxes.Execution;
using DonkeyWork.CodeSandbox.Sandboxes.Expiry;
using DonkeyWork.CodeSandbox.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests.Expiry;

/// <summary>As much of one Manager as sweeps, records uses and keeps alive: any number of them over one backend.</summary>
internal sealed class SweepingManager : IAsyncDisposable
{
    private readonly OwnedTasks _tasks = new(NullLogger<OwnedTasks>.Instance);

    private SweepingManager(ISandboxBackend backend, TimeProvider clock, SandboxOptions options)
    {
        Registry = new SandboxRegistry(backend, clock, NullLogger<SandboxRegistry>.Instance);
        Service = new SandboxService(backend, Registry, Tokens, _tasks, options, clock, NullLogger<SandboxService>.Instance);
        Activity = new ActivityRecorder(Registry, backend, clock, NullLogger<ActivityRecorder>.Instance);
        Sweeper = new ExpirySweeper(Service, Registry, backend, Tokens, options, clock, NullLogger<ExpirySweeper>.Instance);
    }

    public static SandboxTokens Tokens { get; } = new("a secret of these tests"u8.ToArray());

    public SandboxRegistry Registry { get; }

    public SandboxService Service { get; }

    public ActivityRecorder Activity { get; }

    public ExpirySweeper Sweeper { get; }

    public static async Task<SweepingManager> StartAsync(ISandboxBackend backend, TimeProvider clock, SandboxOptions options)
    {
        var manager = new SweepingManager(backend, clock, options);
        await manager.Registry.StartAsync(CancellationToken.None);
        await manager.Registry.WaitUntilListedAsync(CancellationToken.None);
        return manager;
    }

    public Task SweepAsync() => Sweeper.SweepAsync(CancellationToken.None).WaitAsync(Patience.Limit);

    /// <summary>A request as the relay takes it, up to where it would be passed on.</summary>
    public async Task<Sandbox> UseAsync(string name) =>
        await Activity.TouchAsync(await Service.FindReadyAsync(name, CancellationToken.None), CancellationToken.None);

    /// <summary>Waits until the view's state of a sandbox satisfies a test.</summary>
    public async Task<Sandbox?> ViewAsync(string name, Func<Sandbox?, bool> isIt)
    {
        var seen = Registry.Find(name);
        while (!isIt(seen)) seen = await Registry.NextAsync(name, seen, Timeout.InfiniteTimeSpan, CancellationToken.None).WaitAsync(Patience.Limit);
        return seen;
    }

    public async ValueTask DisposeAsync()
    {
        await Sweeper.StopAsync(CancellationToken.None);
        await _tasks.StopAsync(CancellationToken.None);
        await Registry.StopAsync(CancellationToken.None);
        Sweeper.Dispose();
        Registry.Dispose();
        _tasks.Dispose();
    }
}
