using System.Net;
using DonkeyWork.CodeSandbox.Cluster.Tests.WarmPool;
using Microsoft.AspNetCore.Http;
using Xunit.Abstractions;

namespace DonkeyWork.CodeSandbox.Cluster.Tests.Leadership;

/// <summary>Managers as processes, of which the one that fills the pool is killed, stopped or frozen.</summary>
public sealed class LeadershipTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int PoolSize = 5;
    private const int CreateConcurrency = 2;

    /// <summary>The setting, and the promise: within this time another one leads.</summary>
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(5);

    /// <summary>The promise for one that is stopped in order.</summary>
    private static readonly TimeSpan HandedOverWithin = TimeSpan.FromSeconds(1);

    private ControlPlane _control = null!;
    private AuditRecording _recording = null!;

    public async Task InitializeAsync()
    {
        _control = await ControlPlane.StartAsync();
        _recording = await _control.Place.Audit.BeginAsync(_control.Place.User);
    }

    public async Task DisposeAsync() => await _control.DisposeAsync();

    [Fact]
    public async Task Killed_it_is_followed_within_the_lease_duration_by_one_that_refills()
    {
        await using var first = await StartAsync();
        var dead = await PoolLeader.NextAsync(_control.Place);
        await _control.Place.UntilWarmAsync(PoolSize);
        await using var second = await StartAsync();
        await using var third = await StartAsync();
        // Who has come only just now counts from when it has come.
        await PoolLeader.RenewedAsync(_control.Place);

        await first.KillAsync();
        var next = await PoolLeader.NextAsync(_control.Place, dead);
        await Task.WhenAll(second.AllocateNamedAsync(), third.AllocateNamedAsync());
        await _control.Place.UntilWarmAsync(PoolSize);

        var audit = new LeaseAudit(await _recording.EndAsync());
        var took = audit.TakeBy(next.Holder) - audit.LastRenewalOf(dead.Holder);
        output.WriteLine($"another leads {took.TotalSeconds:0.00} s after the last renewal");
        took.ShouldBeLessThanOrEqualTo(LeaseDuration);
        next.Epoch.ShouldBeGreaterThan(dead.Epoch);
        audit.RefillsAfter(audit.TakeBy(next.Holder)).Count(refill => refill.Epoch >= next.Epoch).ShouldBe(2);
    }

    [Fact]
    public async Task Stopped_it_hands_over_within_a_second_while_a_stream_goes_on_to_its_end()
    {
        await using var first = await StartAsync();
        var stopped = await PoolLeader.NextAsync(_control.Place);
        await _control.Place.UntilWarmAsync(PoolSize);
        await using var second = await StartAsync();
        var name = await first.AllocateNamedAsync();
        await _control.Place.UntilWarmAsync(PoolSize);
        using var execution = await first.ExecuteAsync(name, StubExecutor.Hold);
        using var stream = await execution.ReadFirstEventAsync();

        await first.SignalAsync("TERM");
        var next = await PoolLeader.NextAsync(_control.Place, stopped);
        await second.AllocateNamedAsync();
        await _control.Place.UntilWarmAsync(PoolSize);

        _control.Executor.OpenStreams.ShouldBe(1);
        await (await first.Http.GetAsync("/api/kata")).ShouldBeProblemAsync(HttpStatusCode.ServiceUnavailable, "stopping");
        _control.Executor.Release();
        (await stream.ReadToEndAsync().WaitAsync(Patience.Limit)).ShouldContain("CompletedEvent");
        (await first.WaitForExitAsync()).ShouldBe(0);
        var audit = new LeaseAudit(await _recording.EndAsync());
        var took = audit.TakeBy(next.Holder) - audit.ReleaseBy(stopped.Holder);
        output.WriteLine($"another leads {took.TotalMilliseconds:0} ms after the release");
        took.ShouldBeLessThanOrEqualTo(HandedOverWithin);
    }

    [Fact]
    public async Task Frozen_past_its_lease_it_makes_nothing_more_and_what_was_on_its_way_is_removed()
    {
        await using var relay = await ApiRelay.StartAsync(_control.Place.Api.Url);
        var hold = new CreateHold();
        relay.Intercept = hold.InterceptAsync;
        await using var first = await StartAsync(relay);
        var frozen = await PoolLeader.NextAsync(_control.Place);
        await _control.Place.UntilWarmAsync(PoolSize);
        await using var second = await StartAsync();
        hold.IsOn = true;
        for (var i = 0; i < CreateConcurrency + 1; i++) await second.AllocateNamedAsync($"user {i}");
        // Its epoch was checked, and it is on its way to the API server.
        await Patience.UntilAsync(() => hold.Held == CreateConcurrency, () => $"It makes {hold.Held} at once.");

        await first.SignalAsync("STOP");
        PoolLeader next;
        DateTimeOffset thawed;
        try
        {
            next = await PoolLeader.NextAsync(_control.Place, frozen);
            await _control.Place.UntilWarmAsync(PoolSize);
            // They arrive, after all.
            hold.Release();
            await Patience.UntilAsync(() => hold.Answered == CreateConcurrency, () => "What was held is not answered.");
            await _control.Place.UntilWarmAsync(PoolSize);
        }
        finally
        {
            thawed = TimeProvider.System.GetUtcNow();
            await first.SignalAsync("CONT");
        }

        // Both go on claiming, so that there is something to refill.
        for (var i = 0; i < 10; i++) await (i % 2 == 0 ? first : second).AllocateNamedAsync($"user {i}");
        await _control.Place.UntilWarmAsync(PoolSize);

        var entries = await _recording.EndAsync();
        var audit = new LeaseAudit(entries);
        var late = audit.RefillsAfter(audit.TakeBy(next.Holder)).Where(refill => refill.Epoch == frozen.Epoch).Select(refill => refill.Name).ToList();
        var afterwards = audit.RefillsAfter(thawed);
        output.WriteLine($"{late.Count} creates of the epoch before arrived late; {afterwards.Count} refills after the thaw");
        // The control: those are seen. No more than had passed the check.
        late.Count.ShouldBe(CreateConcurrency);
        afterwards.Count.ShouldBeGreaterThanOrEqualTo(10);
        afterwards.ShouldAllBe(refill => refill.Epoch > frozen.Epoch);
        entries.Count(entry => entry is { Succeeded: true, Call: { Resource: "pods", Verb: "delete" } }).ShouldBe(CreateConcurrency, "the surplus");
    }

    private Task<KubernetesManager> StartAsync(ApiRelay? relay = null) => KubernetesManager.StartAsync(_control.Place, relay, settings:
    [
        "--KataContainerManager:ExecutorAccess=PodIp",
        $"--KataContainerManager:WarmPoolSize={PoolSize}",
        $"--KataContainerManager:PoolCreateConcurrency={CreateConcurrency}",
        $"--KataContainerManager:LeaderLeaseDurationSeconds={LeaseDuration.TotalSeconds:0}",
    ]);

    /// <summary>Keeps creates on their way for as long as a test wants.</summary>
    private sealed class CreateHold
    {
        private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _held;
        private int _answered;

        public bool IsOn { get; set; }

        public int Held => Volatile.Read(ref _held);

        public int Answered => Volatile.Read(ref _answered);

        public void Release() => _released.TrySetResult();

        public async Task<bool> InterceptAsync(HttpContext context)
        {
            if (!IsOn || context.Request.Method != HttpMethods.Post || !context.Request.Path.Value!.EndsWith("/pods", StringComparison.Ordinal)) return false;
            Interlocked.Increment(ref _held);
            context.Response.OnCompleted(() => Task.FromResult(Interlocked.Increment(ref _answered)));
            await _released.Task;
            return false;
        }
    }
}
