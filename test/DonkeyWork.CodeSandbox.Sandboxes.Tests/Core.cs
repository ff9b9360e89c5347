using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Sandboxes.Creation;
using DonkeyWork.CodeSandbox.Sandboxes.Execution;
using DonkeyWork.CodeSandbox.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests;

/// <summary>The core as a host puts it together, over the in-memory backend and a clock that stands still.</summary>
internal sealed class Core : IAsyncDisposable
{
    private readonly bool _isAlone;

    /// <param name="options">The settings.</param>
    /// <param name="beside">Another Manager of the same sandboxes.</param>
    /// <param name="through">What stands before the backend, where that is to be another than itself.</param>
    public Core(SandboxOptions? options = null, Core? beside = null, Func<ISandboxBackend, ISandboxBackend>? through = null)
    {
        _isAlone = beside is null;
        Options = options ?? beside?.Options ?? new SandboxOptions();
        Clock = beside?.Clock ?? new ManualClock();
        Backend = beside?.Backend ?? new InMemoryBackend();
        Executor = beside?.Executor ?? new ScriptedExecutor();
        var backend = through?.Invoke(Backend) ?? Backend;
        var tokens = new SandboxTokens("a secret of this test"u8.ToArray());
        Registry = new SandboxRegistry(backend, Clock, NullLogger<SandboxRegistry>.Instance);
        Tasks = new OwnedTasks(NullLogger<OwnedTasks>.Instance);
        Service = new SandboxService(backend, Registry, tokens, Tasks, Options, Clock, NullLogger<SandboxService>.Instance, Backend);
        var activity = new ActivityRecorder(Registry, backend, Clock, NullLogger<ActivityRecorder>.Instance);
        Relay = new ExecutorRelay(Service, Registry, activity, backend, tokens, Clock);
        Pool = new WarmPool(Service, Registry, backend, tokens, Tasks, Options, Clock, NullLogger<WarmPool>.Instance);
        Tokens = tokens;
        Backend.Executor = Executor.Address;
    }

    public SandboxOptions Options { get; }

    public ManualClock Clock { get; }

    public InMemoryBackend Backend { get; }

    public ScriptedExecutor Executor { get; }

    public SandboxTokens Tokens { get; }

    public SandboxRegistry Registry { get; }

    public OwnedTasks Tasks { get; }

    public SandboxService Service { get; }

    public ExecutorRelay Relay { get; }

    public WarmPool Pool { get; }

    public static async Task<Core> StartAsync(SandboxOptions? options = null, Core? beside = null, Func<ISandboxBackend, ISandboxBackend>? through = null)
    {
        var core = new Core(options, beside, through);
        await core.Registry.StartAsync(CancellationToken.None);
        await core.Registry.WaitUntilListedAsync(CancellationToken.None);
        return core;
    }

    public Task<SandboxCreation> CreateAsync(CreateSandboxRequest? request = null) =>
        Service.CreateAsync(request ?? new CreateSandboxRequest(), CancellationToken.None);

    /// <summary>A ready sandbox that the view knows as ready.</summary>
    public async Task<Sandbox> CreateReadyAsync()
    {
        var creation = await CreateAsync();
        Backend.MakeReady(creation.Sandbox.Name);
        (await creation.Events.LastAsync().AsTask().WaitAsync(Patience.Limit)).ShouldBeOfType<SandboxReady>();
        return Registry.Find(creation.Sandbox.Name)!;
    }

    /// <summary>Waits until the view's state of a sandbox satisfies a test.</summary>
    public async Task<Sandbox?> ViewAsync(string name, Func<Sandbox?, bool> isIt)
    {
        var seen = Registry.Find(name);
        while (!isIt(seen)) seen = await Registry.NextAsync(name, seen, Timeout.InfiniteTimeSpan, CancellationToken.None).WaitAsync(Patience.Limit);
        return seen;
    }

    public async ValueTask DisposeAsync()
    {
        await Tasks.StopAsync(CancellationToken.None);
        await Registry.StopAsync(CancellationToken.None);
        Registry.Dispose();
        Tasks.Dispose();
        if (!_isAlone) return;
        await Executor.DisposeAsync();
        Backend.Dispose();
    }
}
