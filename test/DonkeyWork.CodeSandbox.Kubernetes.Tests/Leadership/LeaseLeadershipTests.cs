using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Watching;
using DonkeyWork.CodeSandbox.Kubernetes.Leadership;
using DonkeyWork.CodeSandbox.Kubernetes.Tests.Api;
using DonkeyWork.CodeSandbox.Sandboxes.Leadership;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Leadership;

/// <summary>Elections over a real API server, by real clocks, with the shortest lease there is.</summary>
[Collection(ControlCollection.Name)]
public sealed class LeaseLeadershipTests : IAsyncLifetime
{
    private readonly ControlNamespace _control = new();

    public Task InitializeAsync() => _control.InitializeAsync();

    public Task DisposeAsync() => _control.DisposeAsync();

    [Fact]
    public async Task One_leads_and_a_host_that_begins_to_stop_hands_over_at_once()
    {
        await using var first = await Elector.StartAsync(_control);
        var term = await first.LeadsAsync();
        await using var second = await Elector.StartAsync(_control);
        await using var terms = new Terms(first.Leadership, second.Leadership);
        var follows = second.LeadsAsync();
        await RenewedAsync(times: 2);
        follows.IsCompleted.ShouldBeFalse();
        (await KubectlAsync("{.spec.leaseDurationSeconds} {.spec.leaseTransitions}")).ShouldBe("4 1");

        var renewed = await ReadAsync();
        first.StopApplication();

        first.Leadership.Current.ShouldBeNull();
        (await follows).Epoch.ShouldBe(term.Epoch + 1);
        term.Ended.IsCancellationRequested.ShouldBeTrue();
        // It had not run out: what was written last before it was taken names nobody.
        (await ReadAsync()).Spec.AcquireTime!.Value.ShouldBeLessThan(renewed.Spec.RenewTime!.Value + Elector.Shortest.Written);
        terms.Overlaps.ShouldBe(0);
    }

    [Fact]
    public async Task A_holder_that_is_cut_off_has_given_up_before_another_leads()
    {
        await using var first = await Elector.StartAsync(_control);
        var term = await first.LeadsAsync();
        await using var second = await Elector.StartAsync(_control);
        await using var terms = new Terms(first.Leadership, second.Leadership);
        await RenewedAsync(times: 1);

        first.CutOff();

        var next = await second.LeadsAsync();
        first.Leadership.Current.ShouldBeNull();
        await EndedAsync(term);
        next.Epoch.ShouldBe(term.Epoch + 1);
        terms.Overlaps.ShouldBe(0);
    }

    [Fact]
    public async Task A_holder_that_is_sure_for_longer_than_it_has_written_is_found_leading_beside_another()
    {
        await using var first = await Elector.StartAsync(_control, Elector.Shortest with { Sure = 3 * Elector.Shortest.Written });
        await first.LeadsAsync();
        await using var second = await Elector.StartAsync(_control);
        await using var terms = new Terms(first.Leadership, second.Leadership);
        await RenewedAsync(times: 1);

        first.CutOff();

        await second.LeadsAsync();
        await Patience.UntilAsync(() => terms.Overlaps > 0, () => "Nobody noticed that two lead.");
    }

    [Fact]
    public async Task A_holder_survives_errors_of_the_API_server_until_its_time_is_over()
    {
        await using var first = await Elector.StartAsync(_control);
        var term = await first.LeadsAsync();
        await using var second = await Elector.StartAsync(_control);
        await RenewedAsync(times: 1);
        var refused = 0;
        // For less than its time: three attempts do not take a second.
        first.Relay.Intercept = context =>
        {
            if (context.Request.Method != "PATCH" || Interlocked.Increment(ref refused) > 3) return Task.FromResult(false);
            // As some balancers do: without a body.
            context.Response.StatusCode = 503;
            return Task.FromResult(true);
        };

        await Patience.UntilAsync(() => Volatile.Read(ref refused) > 3, () => "It was not tried again.");
        await RenewedAsync(times: 1);

        first.Leadership.Current.ShouldBe(term);
        term.Ended.IsCancellationRequested.ShouldBeFalse();
        (await ReadAsync()).Spec.LeaseTransitions.ShouldBe(term.Epoch);
    }

    [Fact]
    public async Task A_lease_that_is_deleted_ends_the_term_and_the_next_has_a_higher_epoch()
    {
        await using var first = await Elector.StartAsync(_control);
        var term = await first.LeadsAsync();
        await using var second = await Elector.StartAsync(_control);
        await using var terms = new Terms(first.Leadership, second.Leadership);
        await RenewedAsync(times: 1);

        await _control.Namespace.KubectlAsync("delete", "lease", PoolLease.Name);

        await EndedAsync(term);
        var next = await await Task.WhenAny(first.LeadsAsync(), second.LeadsAsync());
        next.Epoch.ShouldBe(term.Epoch + 1);
        terms.Overlaps.ShouldBe(0);
    }

    [Fact]
    public async Task A_foreign_holder_has_the_time_it_has_written_and_is_then_replaced()
    {
        var foreign = await CreateAsync(new LeaseSpec { HolderIdentity = "somebody", LeaseDurationSeconds = 2, LeaseTransitions = 7 });
        var clock = TimeProvider.System;
        var begun = clock.GetTimestamp();

        await using var elector = await Elector.StartAsync(_control);
        var term = await elector.LeadsAsync();

        clock.GetElapsedTime(begun).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(2));
        term.Epoch.ShouldBe(8);
        (await ReadAsync()).Uid.ShouldBe(foreign.Uid);
    }

    [Fact]
    public async Task A_lease_that_says_nothing_is_taken_at_once()
    {
        await CreateAsync(new LeaseSpec());

        await using var elector = await Elector.StartAsync(_control);

        (await elector.LeadsAsync()).Epoch.ShouldBe(1);
        (await KubectlAsync("{.spec.leaseDurationSeconds}")).ShouldBe("4");
    }

    [Fact]
    public async Task A_lease_without_a_duration_is_taken_after_the_usual_one()
    {
        await CreateAsync(new LeaseSpec { HolderIdentity = "\u0001 'garbage' / \\ 😀" });

        await using var elector = await Elector.StartAsync(_control);

        (await elector.LeadsAsync()).Epoch.ShouldBe(1);
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("PATCH")]
    public async Task A_take_whose_answer_is_lost_leads_in_the_end_and_alone(string method)
    {
        if (method == "PATCH") await CreateAsync(new LeaseSpec { HolderIdentity = "", LeaseDurationSeconds = 4, LeaseTransitions = 3 });
        var lost = 0;
        await using var first = await Elector.StartAsync(_control, prepare: relay => relay.PassOn = (context, _) =>
            Task.FromResult(context.Request.Method != method || Interlocked.Increment(ref lost) > 1));
        var term = await first.LeadsAsync();
        lost.ShouldBeGreaterThan(0);

        // What was written without an answer is no term: another epoch says so.
        var lease = await ReadAsync();
        lease.Spec.LeaseTransitions.ShouldBe(term.Epoch);
        term.Epoch.ShouldBe(method == "PATCH" ? 5 : 2);
        await RenewedAsync(times: 1);
        first.Leadership.Current.ShouldBe(term);
    }

    [Fact]
    public async Task A_follower_whose_watch_is_broken_leads_when_the_holder_dies_and_not_before()
    {
        await using var first = await Elector.StartAsync(_control);
        var term = await first.LeadsAsync();
        var attempts = 0;
        await using var second = await Elector.StartAsync(_control, prepare: relay => relay.Intercept = context =>
        {
            if (context.Request.Method == "PATCH") Interlocked.Increment(ref attempts);
            var isWatch = context.Request.Query.ContainsKey("watch");
            if (isWatch) context.Abort();
            return Task.FromResult(isWatch);
        });
        await using var terms = new Terms(first.Leadership, second.Leadership);

        // It has not been told of the renewals, and finds out by a write that fails.
        await Patience.UntilAsync(() => Volatile.Read(ref attempts) > 0, () => "It has not tried.");
        first.Leadership.Current.ShouldBe(term);
        first.CutOff();

        (await second.LeadsAsync()).Epoch.ShouldBe(term.Epoch + 1);
        terms.Overlaps.ShouldBe(0);
    }

    [Fact]
    public async Task Epochs_only_grow_whoever_leads()
    {
        var epochs = new List<int>();
        for (var round = 0; round < 5; round++)
        {
            await using var elector = await Elector.StartAsync(_control);
            epochs.Add((await elector.LeadsAsync()).Epoch);
        }

        epochs.ShouldBe([1, 2, 3, 4, 5]);
        (await KubectlAsync("{.spec.holderIdentity}")).ShouldBeEmpty();
    }

    private Task<Lease> ReadAsync() => _control.Client.Leases.GetAsync(PoolLease.Name, CancellationToken.None);

    private Task<Lease> CreateAsync(LeaseSpec spec) => _control.Client.Leases.CreateAsync(
        new LeaseManifest { Metadata = new ManifestMetadata { Name = PoolLease.Name }, Spec = spec }, KubernetesJsonContext.Default.LeaseManifest, CancellationToken.None);

    private Task<string> KubectlAsync(string what) => _control.Namespace.KubectlAsync("get", "lease", PoolLease.Name, $"--output=jsonpath={what}");

    /// <summary>Waits for changes of the lease.</summary>
    private async Task RenewedAsync(int times)
    {
        await using var watch = new WatchProbe<Lease>(_control.Client.Leases);
        for (var time = 0; time < times; time++) await watch.UntilAsync<ApiChanged<Lease>>();
    }

    private static async Task EndedAsync(LeadershipTerm term)
    {
        var ended = new TaskCompletionSource();
        await using var registration = term.Ended.Register(ended.SetResult);
        await ended.Task.WaitAsync(Patience.Limit);
    }
}
