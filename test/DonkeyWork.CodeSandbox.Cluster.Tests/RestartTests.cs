using System.Net;

namespace DonkeyWork.CodeSandbox.Cluster.Tests;

/// <summary>Managers that end in the middle of things, and what others and the next one make of it.</summary>
public sealed class RestartTests : IAsyncLifetime
{
    private ControlPlane _control = null!;

    public async Task InitializeAsync() => _control = await ControlPlane.StartAsync();

    public async Task DisposeAsync() => await _control.DisposeAsync();

    [Fact]
    public async Task Killed_in_the_middle_of_creates_it_leaves_no_pod_that_another_does_not_know_and_serve()
    {
        var first = await KubernetesManager.StartAsync(_control.Place);
        await using var other = await KubernetesManager.StartAsync(_control.Place);
        var creates = Enumerable.Range(0, 20).Select(_ => first.CreateAsync(waitForReady: true)).ToList();
        await await Task.WhenAny(creates);
        await first.KillAsync();
        foreach (var create in creates) await BrokenOrNotAsync(create);
        await first.DisposeAsync();

        await other.ShouldSoonAgreeWithAsync(_control.Place);
        await using var next = await KubernetesManager.StartAsync(_control.Place);
        await next.ShouldSoonAgreeWithAsync(_control.Place);
        var names = await next.ListAsync();
        names.ShouldNotBeEmpty();
        await Patience.UntilAsync(async () => (await next.Client.ListAsync()).All(sandbox => sandbox.IsReady), () => "They do not all become ready.");
        foreach (var name in names)
        {
            using var execution = await next.ExecuteAsync(name, "still here");
            (await execution.Content.ReadAsStringAsync().WaitAsync(Patience.Limit)).ShouldContain("still here");
        }

        (await next.Client.DeleteAllAsync()).DeletedPods.Order().ShouldBe(names);
    }

    [Fact]
    public async Task Stopped_in_order_it_leaves_its_sandboxes_to_the_next_one()
    {
        string name;
        await using (var first = await KubernetesManager.StartAsync(_control.Place)) name = await first.CreateNamedAsync();

        await using var next = await KubernetesManager.StartAsync(_control.Place);

        (await next.ListAsync()).ShouldBe([name]);
        using var execution = await next.ExecuteAsync(name, "still here");
        (await execution.Content.ReadAsStringAsync().WaitAsync(Patience.Limit)).ShouldContain("still here");
        await next.Client.DeleteAsync(name);
    }

    [Fact]
    public async Task Started_while_the_API_server_cannot_be_reached_it_serves_once_it_can()
    {
        await using var relay = await WatchRelay.StartAsync(_control.Place.Api);
        relay.RefusesWatches = true;
        var starting = KubernetesManager.StartAsync(_control.Place, relay);
        await Patience.UntilAsync(() => relay.RefusedWatches > 0, () => "It does not try.");
        starting.IsCompleted.ShouldBeFalse("it is not healthy without a view");
        relay.RefusesWatches = false;
        await using var manager = await starting;
        (await manager.ListAsync()).ShouldBeEmpty();
    }

    private static async Task BrokenOrNotAsync(Task<HttpResponseMessage> create)
    {
        try
        {
            using var response = await create;
            await response.Content.ReadAsStringAsync().WaitAsync(Patience.Limit);
        }
        catch (HttpRequestException)
        {
            // The Manager was killed.
        }
    }
}
