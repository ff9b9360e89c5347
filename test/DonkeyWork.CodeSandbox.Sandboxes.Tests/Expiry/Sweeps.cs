using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Testing;
using DonkeyWork.CodeSandbox.Testing.Backends;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests.Expiry;

/// <summary>
/// One Manager that sweeps when a test says so, over a backend in memory and a clock that stands still: idle after 5 minutes,
/// over after 15, 90 s to become ready or to answer.
/// </summary>
public abstract class Sweeps : IAsyncLifetime
{
    protected const string Nothing = """{"running":0,"openStreams":0,"flavour":"a test"}""";
    protected const string Running = """{"running":1,"openStreams":0,"flavour":"a test"}""";
    protected const string Unclaimed = """{"status":409,"code":"not_claimed"}""";

    protected static readonly TimeSpan Idle = TimeSpan.FromMinutes(5);
    protected static readonly TimeSpan Silence = TimeSpan.FromSeconds(90);

    private SweepingManager? _manager;

    protected static SandboxOptions Options { get; } = new();

    protected ManualClock Clock { get; } = new();

    protected InMemoryBackend Backend { get; } = new();

    protected ScriptedExecutor Executor { get; } = new();

    private protected SweepingManager Manager => _manager!;

    public async Task InitializeAsync()
    {
        Backend.Executor = Executor.Address;
        _manager = await SweepingManager.StartAsync(Backend, Clock, Options);
    }

    public async Task DisposeAsync()
    {
        await Manager.DisposeAsync();
        await Executor.DisposeAsync();
        Backend.Dispose();
    }

    /// <summary>A sandbox made just now, ready unless <paramref name="change"/> says otherwise, in every Manager's view.</summary>
    protected async Task<Sandbox> PutAsync(PoolStatus poolStatus = PoolStatus.Manual, Func<Sandbox, Sandbox>? change = null)
    {
        var spec = Specs.New(poolStatus) with { Name = new SandboxNames(Options).New(), CreatedAt = Clock.GetUtcNow() };
        await Backend.CreateAsync(spec, CancellationToken.None);
        Backend.MakeReady(spec.Name);
        return await ChangeAsync(spec.Name, change ?? (sandbox => sandbox));
    }

    /// <summary>Changes a sandbox from outside and waits until that is in view.</summary>
    protected async Task<Sandbox> ChangeAsync(string name, Func<Sandbox, Sandbox> change)
    {
        Backend.Set(name, change);
        var version = Stored(name)!.Version;
        return (await Manager.ViewAsync(name, sandbox => sandbox?.Version == version))!;
    }

    protected Sandbox? Stored(string name) => Backend.Sandboxes.SingleOrDefault(sandbox => sandbox.Name == name);

    protected bool Lives(Sandbox sandbox) => Stored(sandbox.Name)?.Uid == sandbox.Uid;

    /// <summary>One sweep in which nobody is asked anything.</summary>
    protected async Task SweepUnaskedAsync()
    {
        await Manager.SweepAsync();
        Executor.HasCall.ShouldBeFalse();
    }

    /// <summary>One sweep in which one executor is asked, and answers so.</summary>
    private protected async Task SweepAsync(string answer, string status = "200 OK", Func<Task>? beforeAnswer = null, SweepingManager? by = null)
    {
        var sweep = (by ?? Manager).SweepAsync();
        var call = await Executor.NextCallAsync();
        call.Head.ShouldStartWith("GET /api/stats ");
        await (beforeAnswer?.Invoke() ?? Task.CompletedTask);
        await call.AnswerAsync(status, "application/json", answer);
        await sweep;
        Executor.HasCall.ShouldBeFalse();
    }

    /// <summary>One sweep in which one executor is asked, and has no answer.</summary>
    private protected Task SweepSilentAsync(SweepingManager? by = null) => SweepAsync("", "503 Service Unavailable", by: by);
}
