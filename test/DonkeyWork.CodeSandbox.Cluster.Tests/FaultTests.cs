using System.Diagnostics;
using System.Net;

namespace DonkeyWork.CodeSandbox.Cluster.Tests;

/// <summary>
/// What goes wrong around a Manager whose node and executors are stand-ins: afterwards its view is right in time, callers were
/// told, and no pod is left that no Manager knows.
/// </summary>
public sealed class FaultTests : IAsyncLifetime
{
    /// <summary>What is promised of a connection that is dead without anyone having said so.</summary>
    private static readonly TimeSpan NoticedWithin = TimeSpan.FromSeconds(30);

    private ControlPlane _control = null!;

    public async Task InitializeAsync() => _control = await ControlPlane.StartAsync();

    public async Task DisposeAsync() => await _control.DisposeAsync();

    [Fact]
    public async Task The_API_server_is_killed_with_streams_open_and_creates_running_and_comes_back()
    {
        await using var manager = await KubernetesManager.StartAsync(_control.Place);
        var busy = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => manager.CreateNamedAsync()));
        using var execution = await manager.ExecuteAsync(busy[0], StubExecutor.Hold);
        using var stream = await execution.ReadFirstEventAsync();
        var curl = Tool.RunAsync("curl", "-sN", "-H", "Content-Type: application/json", "-d", $$"""{"command":"{{StubExecutor.Hold}}"}""", $"{manager.Url}api/kata/{busy[1]}/execute");
        await Patience.UntilAsync(() => _control.Executor.OpenStreams == 2, () => "The streams do not open.");
        _control.Kubelet.RunsPods = false;
        var announced = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => AnnouncedCreateAsync(manager)));
        // These are on their way when it happens.
        var racing = Enumerable.Range(0, 20).Select(_ => manager.CreateAsync()).ToList();

        await ControlCluster.KillApiServerAsync();
        try
        {
            await stream.ShouldBreakAsync();
            // Closed with data outstanding, or reset (curl(1)).
            (await curl).ExitCode.ShouldBeOneOf(18, 56);
            await WhileItIsAway(manager, busy);
        }
        finally
        {
            _control.Kubelet.RunsPods = true;
            await ControlCluster.StartApiServerAsync();
        }

        foreach (var create in racing) await ShouldBeCreatedOrRefusedAsync(await create);
        // Announced before it went, ready after it came back.
        foreach (var create in announced) (await create.ReadToEndAsync().WaitAsync(Patience.Limit)).ShouldContain("\"eventType\":\"ready\"");
        await manager.ShouldSoonAgreeWithAsync(_control.Place);
        busy.ShouldBeSubsetOf(await manager.ListAsync());
        (await manager.Http.GetAsync("/healthz")).StatusCode.ShouldBe(HttpStatusCode.OK);
        using var again = await manager.ExecuteAsync(busy[0], "again");
        (await again.Content.ReadAsStringAsync().WaitAsync(Patience.Limit)).ShouldContain("CompletedEvent");
    }

    [Fact]
    public async Task The_watch_is_cut_and_refused_while_everything_changes()
    {
        await using var relay = await WatchRelay.StartAsync(_control.Place.Api);
        await using var manager = await KubernetesManager.StartAsync(_control.Place, relay);
        await using var other = await KubernetesManager.StartAsync(_control.Place);
        var gone = await manager.CreateNamedAsync();
        var stays = await manager.CreateNamedAsync();
        relay.RefusesWatches = true;
        relay.CutWatches();
        await _control.Kubelet.CollectAsync(gone);
        var added = await other.CreateNamedAsync();
        await other.ShouldSoonAgreeWithAsync(_control.Place);
        (await manager.ListAsync()).ShouldContain(gone, "the control: it does not know yet");

        relay.RefusesWatches = false;

        await manager.ShouldSoonAgreeWithAsync(_control.Place);
        (await manager.ListAsync()).ShouldBe(new[] { stays, added }.Order());
        await (await manager.Http.GetAsync($"/api/kata/{gone}")).ShouldBeProblemAsync(HttpStatusCode.NotFound, "sandbox_not_found");
        await (await manager.ExecuteAsync(gone, "anything")).ShouldBeProblemAsync(HttpStatusCode.NotFound, "sandbox_not_found");
    }

    [Fact]
    public async Task A_node_goes_away_and_its_pods_are_collected()
    {
        await using var manager = await KubernetesManager.StartAsync(_control.Place);
        var name = await manager.CreateNamedAsync();

        // What the node controller writes once a node has not been heard of.
        await _control.Kubelet.SetReadyAsync(name, ready: false);
        await Expectations.SoonAsync(async () => !(await manager.Client.GetAsync(name)).IsReady, () => Task.FromResult(manager.Log));
        await (await manager.ExecuteAsync(name, "anything")).ShouldBeProblemAsync(HttpStatusCode.Conflict, "sandbox_not_ready");

        // And what the pod collector does once the node is deleted.
        await _control.Kubelet.CollectAsync(name);
        await manager.ShouldSoonAgreeWithAsync(_control.Place);
        await (await manager.ExecuteAsync(name, "anything")).ShouldBeProblemAsync(HttpStatusCode.NotFound, "sandbox_not_found");
    }

    [Fact]
    public async Task A_pod_that_stays_in_deletion_because_its_node_is_away_is_not_listed_and_a_create_that_waits_is_told()
    {
        await using var manager = await KubernetesManager.StartAsync(_control.Place);
        _control.Kubelet.EndsPods = false;
        var name = await manager.CreateNamedAsync();
        await _control.Place.Api.DeleteAsync($"{_control.Place.Pods}/{name}");
        await manager.ShouldSoonAgreeWithAsync(_control.Place);
        (await _control.Place.ListPodsAsync()).ShouldHaveSingleItem();
        await (await manager.Http.GetAsync($"/api/kata/{name}")).ShouldBeProblemAsync(HttpStatusCode.NotFound, "sandbox_not_found");

        _control.Kubelet.RunsPods = false;
        using var waiting = await AnnouncedCreateAsync(manager);
        await _control.Place.Api.DeleteAsync($"{_control.Place.Pods}/{(await manager.ListAsync()).Single()}");
        (await waiting.ReadToEndAsync().WaitAsync(Patience.Limit)).ShouldContain("\"eventType\":\"failed\"");
        await _control.Kubelet.CollectAsync(name);
    }

    [Fact]
    public async Task Packets_disappear_silently_and_the_view_is_right_soon_after_that_was_noticed()
    {
        await using var network = await NetworkNamespace.ReachingAsync(IPAddress.Parse(_control.Place.Api.Url.Host));
        await using var manager = await KubernetesManager.StartAsync(_control.Place, within: network);
        var gone = await manager.CreateNamedAsync();
        using var execution = await manager.ExecuteAsync(gone, StubExecutor.Hold);
        using var stream = await execution.ReadFirstEventAsync();

        await network.SilenceAsync();
        var silent = Stopwatch.StartNew();
        await _control.Kubelet.CollectAsync(gone);
        // The half-open watch is noticed, and so is the stream of which nothing arrives.
        await Patience.UntilAsync(async () => !(await manager.Http.GetAsync("/healthz")).IsSuccessStatusCode, () => $"The Manager does not notice.\n{manager.Log}");
        silent.Elapsed.ShouldBeLessThan(NoticedWithin);
        var create = manager.CreateAsync();
        await stream.ShouldBreakAsync();
        (await manager.ListAsync()).ShouldBe([gone], "the control: it cannot know yet");
        await (await create).ShouldBeProblemAsync(HttpStatusCode.ServiceUnavailable, "backend_unavailable");
        await network.EndSilenceAsync();

        await manager.ShouldSoonAgreeWithAsync(_control.Place);
        (await manager.ListAsync()).ShouldBeEmpty();
    }

    /// <summary>A create that waits for ready, read up to its announcement.</summary>
    private static async Task<StreamReader> AnnouncedCreateAsync(KubernetesManager manager)
    {
        var response = await manager.CreateAsync(waitForReady: true);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        var events = new StreamReader(await response.Content.ReadAsStreamAsync());
        (await events.ReadLineAsync().WaitAsync(Patience.Limit))!.ShouldContain("\"eventType\":\"created\"");
        return events;
    }

    private static async Task WhileItIsAway(KubernetesManager manager, string[] known)
    {
        known.ShouldBeSubsetOf(await manager.ListAsync());
        await Patience.UntilAsync(async () => (await manager.Http.GetAsync("/healthz")).StatusCode == HttpStatusCode.ServiceUnavailable, () => "It stays healthy.");
        (await manager.Http.GetAsync("/livez")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await (await manager.CreateAsync()).ShouldBeProblemAsync(HttpStatusCode.ServiceUnavailable, "backend_unavailable");
        await (await manager.Http.GetAsync("/api/kata/kata-sandbox-00000000")).ShouldBeProblemAsync(HttpStatusCode.ServiceUnavailable, "backend_unavailable");
        await (await manager.ExecuteAsync(known[0], "anything")).ShouldBeProblemAsync(HttpStatusCode.ServiceUnavailable, "backend_unavailable");
        await (await manager.Http.DeleteAsync($"/api/kata/{known[2]}")).ShouldBeProblemAsync(HttpStatusCode.ServiceUnavailable, "backend_unavailable");
    }

    private static async Task ShouldBeCreatedOrRefusedAsync(HttpResponseMessage response)
    {
        if (response.StatusCode == HttpStatusCode.OK) (await response.Content.ReadAsStringAsync().WaitAsync(Patience.Limit)).ShouldContain("\"eventType\":\"created\"");
        else await response.ShouldBeProblemAsync(HttpStatusCode.ServiceUnavailable, "backend_unavailable");
    }
}
