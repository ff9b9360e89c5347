using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;

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

        calls.Where(call => call.Verb == "get").ShouldHaveSingleItem().ShouldBe(new AuditedCall("admin", "get", "pods", "", "during", 404));
        (await control.Place.Audit.DuringAsync(control.Place.User, async () => await api.FindAsync($"{pods}/during"))).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_audit_log_shows_what_was_sent_and_goes_on_after_a_line_that_was_cut()
    {
        await using var control = await ControlPlane.StartAsync();
        control.Kubelet.RunsPods = false;
        var (api, pods) = (control.Place.Api, control.Place.Pods);
        var recording = await control.Place.Audit.BeginAsync("admin");
        await api.CreateAsync(pods, new { metadata = new { name = "one", annotations = new { epoch = "7" } }, spec = new { containers = new[] { new { name = "main", image = "none" } } } });
        await api.SendTextAsync(HttpMethod.Patch, $"{pods}/one", """[{"op":"test","path":"/metadata/name","value":"one"},{"op":"add","path":"/metadata/labels","value":{}}]""", "application/json-patch+json");

        // The stand-in for the kubelet is the same user, and lists and watches.
        var entries = (await recording.EndAsync()).Where(entry => entry.IsPodWrite).ToList();

        entries.Count.ShouldBe(2);
        entries.ShouldAllBe(entry => entry.Succeeded && entry.Call.Name == "one" && entry.Received <= entry.Answered);
        entries[0].MetadataOf("annotations", "epoch").ShouldBe("7");
        entries[1].ValueOf("test", "/metadata/name").ShouldBe("one");
        entries[1].ValueOf("add", "/metadata/name").ShouldBeNull();
        const string Whole = """{"kind":"Event","auditID":"2","user":{"username":"u"},"verb":"get","objectRef":{"resource":"pods"},"requestReceivedTimestamp":"2026-01-01T00:00:00Z","stageTimestamp":"2026-01-01T00:00:01Z"}""";
        AuditEntry.TryParse(Whole[..50] + Whole)!.Id.ShouldBe("2");
    }

    [Fact]
    public async Task A_pod_with_a_real_executor_has_its_environment_and_an_address_of_its_own_and_goes_with_its_processes()
    {
        await using var plane = await ExecutorPlane.StartAsync();
        var (api, pods) = (plane.Place.Api, plane.Place.Pods);
        var env = new[] { new { name = "CODESANDBOX_POOL", value = "1" } };
        foreach (var name in new[] { "one", "two" })
            await api.CreateAsync(pods, new { metadata = new { name }, spec = new { containers = new[] { new { name = "main", image = "none", env } } } });
        using var one = new HttpClient { BaseAddress = await AddressAsync(plane.Place, "one") };
        using var two = new HttpClient { BaseAddress = await AddressAsync(plane.Place, "two") };
        await Patience.UntilAsync(() => AnswersAsync(one), () => "It does not serve.");
        await Patience.UntilAsync(() => AnswersAsync(two), () => "It does not serve.");

        (await one.PostAsJsonAsync("api/claim", new { })).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await (await one.PostAsJsonAsync("api/execute", new { command = "echo $((40 + 2))" })).Content.ReadAsStringAsync()).ShouldContain("\"data\":\"42\"");
        (await two.PostAsJsonAsync("api/execute", new { command = "echo" })).StatusCode.ShouldBe(HttpStatusCode.Conflict);

        await api.DeleteAsync($"{pods}/one");
        await Patience.UntilAsync(async () => await api.FindAsync($"{pods}/one") is null, () => "The pod does not go.");
        plane.Executors.Running.ShouldHaveSingleItem();
        (await AnswersAsync(one)).ShouldBeFalse();
        (await AnswersAsync(two)).ShouldBeTrue();
    }

    [Fact]
    public async Task An_executor_that_is_ended_while_it_starts_ends()
    {
        await using var executors = new ExecutorProcesses();
        for (var number = 0; number < 100; number++)
        {
            var uid = $"pod-{number}";
            await executors.StartAsync(JsonSerializer.SerializeToElement(new { metadata = new { uid }, spec = new { containers = new[] { new { env = Array.Empty<string>() } } } }));
            // The first moments of unshare, of which one was too early for --kill-child.
            await Task.Delay(TimeSpan.FromMicroseconds(number * 40), TimeProvider.System);
            await executors.EndAsync(uid);
        }

        executors.Running.ShouldBeEmpty();
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

    private static async Task<Uri> AddressAsync(SandboxNamespace place, string name)
    {
        var address = "";
        await Patience.UntilAsync(
            async () => (await place.Api.GetAsync($"{place.Pods}/{name}")).GetProperty("status").TryGetProperty("podIP", out var podIP) && (address = podIP.GetString()!) is not "",
            () => "The pod does not become ready.");
        return new Uri($"http://{address}:8666/");
    }

    private static async Task<bool> AnswersAsync(HttpClient executor)
    {
        try
        {
            return (await executor.GetStringAsync("healthz")) == "Healthy";
        }
        catch (HttpRequestException)
        {
            return false;
        }
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
