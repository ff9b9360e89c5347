using System.Net;
using System.Net.Sockets;

namespace DonkeyWork.CodeSandbox.Cluster.Tests;

/// <summary>The stand-ins and witnesses themselves, without a Manager: what the other tests conclude from them holds.</summary>
public sealed class StandInsTests
{
    [Fact]
    public async Task A_pod_of_the_control_cluster_becomes_ready_and_is_reached_through_the_API_server_and_goes()
    {
        await using var control = await ControlPlane.StartAsync();
        var (api, pods) = (control.Place.Api, control.Place.Pods);
        await api.CreateAsync(pods, Pod("one", control.Place.Name));

        await Patience.UntilAsync(
            async () => (await api.GetAsync($"{pods}/one")).GetProperty("status").TryGetProperty("podIP", out _), () => "The pod does not become ready.");
        (await api.SendTextAsync(HttpMethod.Get, $"{pods}/one:8666/proxy/healthz")).ShouldBe("Healthy");
        (await api.SendTextAsync(HttpMethod.Post, $"{pods}/one:8666/proxy/api/execute", """{"command":"hello"}""")).ShouldContain("\"data\":\"hello\"");

        await api.DeleteAsync($"{pods}/one");
        await Patience.UntilAsync(async () => await api.FindAsync($"{pods}/one") is null, () => "The pod does not go.");
    }

    [Fact]
    public async Task The_audit_log_shows_who_asked_for_what_and_nothing_from_before_or_after()
    {
        await using var control = await ControlPlane.StartAsync();
        var (api, pods) = (control.Place.Api, control.Place.Pods);
        await api.FindAsync($"{pods}/before");
        var calls = await control.Place.Audit.DuringAsync("admin", async () => await api.FindAsync($"{pods}/during"));
        await api.FindAsync($"{pods}/after");

        calls.ShouldHaveSingleItem().ShouldBe(new AuditedCall("admin", "get", "pods", "", "during", 404));
        (await control.Place.Audit.DuringAsync(control.Place.User, async () => await api.FindAsync($"{pods}/during"))).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_network_of_its_own_reaches_the_API_server_and_nothing_else_and_can_fall_silent()
    {
        await using var control = await ControlPlane.StartAsync();
        var server = new IPEndPoint(IPAddress.Parse(control.Place.Api.Url.Host), control.Place.Api.Url.Port);
        var executor = new IPEndPoint(IPAddress.Parse(ControlPlane.HostOf(control.Place.Api.Url)), 8666);
        await using var network = await NetworkNamespace.ReachingAsync(server.Address);

        using (await network.ConnectAsync(server, CancellationToken.None))
        {
        }

        (await Should.ThrowAsync<SocketException>(() => network.ConnectAsync(executor, CancellationToken.None))).SocketErrorCode.ShouldBe(SocketError.NetworkUnreachable);
        await network.SilenceAsync();
        using (var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2)))
            await Should.ThrowAsync<OperationCanceledException>(() => network.ConnectAsync(server, patience.Token));
        await network.EndSilenceAsync();
        using (await network.ConnectAsync(server, CancellationToken.None))
        {
        }
    }

    [Fact]
    public async Task A_relayed_watch_is_as_late_as_it_is_told_to_be_and_everything_else_is_not()
    {
        await using var control = await ControlPlane.StartAsync();
        await using var relay = await WatchRelay.StartAsync(control.Place.Api);
        relay.WatchDelay = TimeSpan.FromSeconds(2);
        using var through = new HttpClient { BaseAddress = relay.Address };
        through.DefaultRequestHeaders.Authorization = new("Bearer", control.Place.Token);
        using var watch = await through.GetStreamAsync($"{control.Place.Pods}?watch=1").AsReader();

        var created = System.Diagnostics.Stopwatch.StartNew();
        await control.Place.Api.CreateAsync(control.Place.Pods, Pod("one", control.Place.Name));
        (await through.GetStringAsync($"{control.Place.Pods}/one")).ShouldContain("\"one\"");
        created.Elapsed.ShouldBeLessThan(relay.WatchDelay);
        (await watch.ReadLineAsync())!.ShouldContain("\"ADDED\"");
        created.Elapsed.ShouldBeGreaterThanOrEqualTo(relay.WatchDelay);

        relay.CutWatches();
        await Should.ThrowAsync<IOException>(async () =>
        {
            while (await watch.ReadLineAsync() is not null)
            {
            }
        });
    }

    private static object Pod(string name, string runtimeClass) => new
    {
        metadata = new { name },
        spec = new { runtimeClassName = runtimeClass, containers = new[] { new { name = "main", image = "none" } } },
    };
}

file static class Reading
{
    public static async Task<StreamReader> AsReader(this Task<Stream> stream) => new(await stream);
}
