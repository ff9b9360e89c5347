using System.Net;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace DonkeyWork.CodeSandbox.Manager.Tests;

/// <summary>What goes right.</summary>
public sealed class SandboxRoutesTests : IAsyncLifetime
{
    private TestManager _manager = null!;

    public async Task InitializeAsync() => _manager = await TestManager.StartAsync();

    public async Task DisposeAsync() => await _manager.DisposeAsync();

    [Fact]
    public async Task A_create_that_waits_tells_created_waiting_healthcheck_ready()
    {
        using var response = await _manager.Http.PostAsync("/api/kata", Json.Body("""{"waitForReady":true,"labels":{"team":"blue"}}"""));

        response.Content.Headers.ContentType!.ToString().ShouldBe("text/event-stream");
        response.Headers.CacheControl!.ToString().ShouldBe("no-cache");
        response.Headers.GetValues("X-Accel-Buffering").ShouldBe(["no"]);
        var text = await response.Content.ReadAsStringAsync();
        text.ShouldNotContain("event:");
        var events = Json.Events(text);
        events.Select(e => e.GetProperty("eventType").GetString()).ShouldBe(["created", "waiting", "healthcheck", "ready"]);
        var name = _manager.Backend.Sandboxes.ShouldHaveSingleItem().Name;
        events.ShouldAllBe(e => e.GetProperty("podName").GetString() == name);
        events[3].GetProperty("elapsedSeconds").GetDouble().ShouldBeGreaterThan(0);
        events[3].GetProperty("timings").EnumerateObject().ShouldNotBeEmpty();
        var info = events[3].GetProperty("containerInfo");
        info.GetProperty("isReady").GetBoolean().ShouldBeTrue();
        info.GetProperty("labels").GetProperty("team").GetString().ShouldBe("blue");
        info.GetProperty("poolStatus").GetString().ShouldBe("manual");
        (info.GetProperty("expiresAt").GetDateTimeOffset() - info.GetProperty("createdAt").GetDateTimeOffset()).ShouldBe(TimeSpan.FromMinutes(5));
    }

    [Fact]
    public async Task A_create_without_a_body_ends_after_created()
    {
        using var response = await _manager.Http.PostAsync("/api/kata", null);

        var told = Json.Events(await response.Content.ReadAsStringAsync()).ShouldHaveSingleItem();
        told.GetProperty("eventType").GetString().ShouldBe("created");
        told.GetProperty("phase").GetString().ShouldBe("Pending");
    }

    [Fact]
    public async Task List_get_and_delete_speak_of_the_same_sandbox()
    {
        var name = await _manager.CreateAsync();

        JsonDocument.Parse(await _manager.Http.GetStringAsync("/api/kata")).RootElement.EnumerateArray().Single().GetProperty("name").GetString().ShouldBe(name);
        JsonDocument.Parse(await _manager.Http.GetStringAsync($"/api/kata/{name}")).RootElement.GetProperty("phase").GetString().ShouldBe("Running");

        using var deleted = await _manager.Http.DeleteAsync($"/api/kata/{name}");
        (await deleted.Content.ReadAsStringAsync()).ShouldBe($$"""{"success":true,"message":"Container {{name}} deleted successfully","podName":"{{name}}"}""");
        _manager.Backend.Sandboxes.ShouldBeEmpty();
        (await _manager.Http.GetStringAsync("/api/kata")).ShouldBe("[]");
    }

    [Theory]
    [InlineData("GET", "/api/kata", "no-store")]
    [InlineData("DELETE", "/API/kata", "no-store")]
    [InlineData("GET", "/api/kata/kata-sandbox-00000000", "no-store")]
    [InlineData("POST", "/api/kata", "no-cache")]
    public async Task Nobody_keeps_an_answer_of_the_API(string method, string path, string expected)
    {
        using var response = await _manager.Http.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));
        response.Headers.CacheControl!.ToString().ShouldBe(expected);
    }

    [Theory]
    [InlineData("/healthz")]
    [InlineData("/livez")]
    public async Task Health_can_be_asked_for_without_a_body(string path)
    {
        var answer = await RawHttp.AskAsync(_manager.Url, $"HEAD {path} HTTP/1.1", "Host: localhost");
        RawHttp.StatusOf(answer).ShouldBe(200);
        answer.ShouldEndWith("\r\n\r\n");
    }

    [Fact]
    public async Task Delete_all_names_what_it_deleted()
    {
        string[] names = [await _manager.CreateAsync(), await _manager.CreateAsync()];

        using var deleted = await _manager.Http.DeleteAsync("/api/kata");

        var expected = string.Join(",", names.Order(StringComparer.Ordinal).Select(name => $"\"{name}\""));
        (await deleted.Content.ReadAsStringAsync()).ShouldBe($$"""{"deletedCount":2,"failedCount":0,"deletedPods":[{{expected}}],"failedPods":[]}""");
        _manager.Backend.Sandboxes.ShouldBeEmpty();
    }

    [Fact]
    public async Task Execute_passes_body_and_stream_through_untouched()
    {
        var name = await _manager.CreateAsync();
        const string body = """{ "command":"echo \"a\"",   "timeoutSeconds": 5, "unknown":[1] }""";

        var executing = _manager.Http.PostAsync($"/api/kata/{name}/execute", Json.Body(body));
        var call = await _manager.Executor.NextCallAsync();
        call.Target.ShouldBe("/api/execute");
        call.Head.ShouldStartWith("POST ");
        call.Header("Content-Type").ShouldBe("application/json");
        call.Header("X-Sandbox-Token").ShouldNotBeNullOrEmpty();
        System.Text.Encoding.UTF8.GetString(call.Body).ShouldBe(body);
        await call.StartAsync("text/event-stream; charset=utf-8");
        await call.ChunkAsync("event: OutputEvent\ndata: {}\nid: 1\n\n");
        await call.ChunkAsync(": keepalive\n\n");
        await call.EndAsync();

        using var response = await executing;
        response.Content.Headers.ContentType!.ToString().ShouldBe("text/event-stream");
        response.Headers.GetValues("X-Accel-Buffering").ShouldBe(["no"]);
        (await response.Content.ReadAsStringAsync()).ShouldBe("event: OutputEvent\ndata: {}\nid: 1\n\n: keepalive\n\n");
    }

    [Theory]
    [InlineData("/healthz")]
    [InlineData("/livez")]
    public async Task Health_is_one_word(string path) => (await _manager.Http.GetStringAsync(path)).ShouldBe("Healthy");

    [Fact]
    public async Task A_lost_backend_is_unhealthy_and_its_return_healthy_again()
    {
        var name = await _manager.CreateAsync();
        var registry = _manager.Services.GetRequiredService<SandboxRegistry>();

        await ObserveAsync(new BackendLost(TimeProvider.System.GetUtcNow(), "unplugged"));
        using var lost = await _manager.Http.GetAsync("/healthz");
        lost.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await lost.Content.ReadAsStringAsync()).ShouldBe("Unhealthy");
        (await _manager.Http.GetStringAsync("/livez")).ShouldBe("Healthy");

        await ObserveAsync(new SandboxListed(_manager.Backend.Sandboxes));
        (await _manager.Http.GetStringAsync("/healthz")).ShouldBe("Healthy");

        // In order: when the change behind it is seen, so is what was told.
        async Task ObserveAsync(SandboxObservation observation)
        {
            var seen = registry.Find(name);
            _manager.Backend.Tell(observation);
            _manager.Backend.MakeReady(name);
            var last = _manager.Backend.Sandboxes.Single().Version;
            while (seen!.Version != last) seen = await registry.NextAsync(name, seen, Patience.Limit, CancellationToken.None);
        }
    }
}
