using System.Text.Json;
using System.Text.RegularExpressions;

namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

/// <summary>The whole way with curl, as somebody without our client would go.</summary>
[Collection(SharedManagerCollection.Name)]
public sealed class OverHttpTests(SharedManager shared)
{
    [Fact]
    public async Task Create_waits_and_tells_what_it_waits_for()
    {
        var created = await Curl("-N", "-d", """{"waitForReady":true,"labels":{"team":"blue"}}""", "-H", "Content-Type: application/json", "/api/kata");

        var events = DataLines(created).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        var kinds = events.Select(e => e.GetProperty("eventType").GetString()).ToList();
        kinds[0].ShouldBe("created");
        kinds.ShouldContain("waiting");
        kinds[^2].ShouldBe("healthcheck");
        kinds[^1].ShouldBe("ready");
        var ready = events[^1];
        ready.GetProperty("elapsedSeconds").GetDouble().ShouldBeGreaterThan(0);
        ready.GetProperty("timings").EnumerateObject().ShouldNotBeEmpty();
        var info = ready.GetProperty("containerInfo");
        var name = info.GetProperty("name").GetString()!;
        name.ShouldMatch("^kata-sandbox-[0-9a-f]{8}$");
        info.GetProperty("labels").GetProperty("team").GetString().ShouldBe("blue");
        info.GetProperty("isReady").GetBoolean().ShouldBeTrue();
        info.GetProperty("limitsEnforced").GetBoolean().ShouldBeTrue();

        (await Curl($"/api/kata/{name}")).ShouldContain(name);
        (await Curl("/api/kata")).ShouldContain(name);
        (await Curl("-X", "DELETE", $"/api/kata/{name}")).ShouldBe(
            $$"""{"success":true,"message":"Container {{name}} deleted successfully","podName":"{{name}}"}""");
        (await Curl("-o", "/dev/null", "-w", "%{http_code}", $"/api/kata/{name}")).ShouldBe("404");
        (await Curl("/api/kata")).ShouldNotContain(name);
    }

    [Fact]
    public async Task Execute_streams_lines_in_the_form_that_existing_clients_read()
    {
        await using var sandbox = await shared.Client.CreateAsync();

        var stream = await Curl("-N", "-d", """{"command":"echo hello; echo oops >&2; exit 3"}""", "-H", "Content-Type: application/json", $"/api/kata/{sandbox.Name}/execute");

        var pid = Regex.Match(stream, "\"pid\":([0-9]+)").Groups[1].Value;
        var blocks = stream.Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        blocks[..2].Order().ShouldBe(new[]
        {
            $$"""event: OutputEvent{{'\n'}}data: {"$type":"OutputEvent","pid":{{pid}},"stream":"Stdout","data":"hello"}""",
            $$"""event: OutputEvent{{'\n'}}data: {"$type":"OutputEvent","pid":{{pid}},"stream":"Stderr","data":"oops"}""",
        }.Order(), comparer: new WithoutId());
        blocks[2].ShouldStartWith($$"""event: CompletedEvent{{'\n'}}data: {"$type":"CompletedEvent","pid":{{pid}},"exitCode":3,"timedOut":false""");
        blocks.Length.ShouldBe(3);
    }

    [Fact]
    public async Task Without_waitForReady_the_stream_ends_after_created_and_the_sandbox_becomes_ready()
    {
        var created = await Curl("-N", "-X", "POST", "/api/kata");
        var line = DataLines(created).ShouldHaveSingleItem();
        var name = JsonDocument.Parse(line).RootElement.GetProperty("podName").GetString()!;
        var ready = false;
        await Patience.UntilAsync(
            () => ready || (ready = shared.Manager.Http.GetStringAsync($"/api/kata/{name}").Result.Contains("\"isReady\":true")),
            () => "It does not become ready.");
        (await shared.Client.Attach(name).RunAsync("echo 42")).StandardOutput.ShouldBe("42\n");
        await shared.Client.DeleteAsync(name);
    }

    [Fact]
    public async Task Two_gigabytes_of_memory_are_not_had_where_512_MiB_are_given_and_the_verdict_says_so()
    {
        await using var sandbox = await shared.Client.CreateAsync();

        var result = await sandbox.RunAsync("python3 -c 'b = [bytearray(8 << 20) for _ in range(1280)]; print(len(b))'");

        result.Reason.ShouldBe(Contracts.CompletionReason.OomKilled);
        result.ExitCode.ShouldBe(137);
        (await sandbox.RunAsync("echo alive")).StandardOutput.ShouldBe("alive\n");
    }

    [Fact]
    public async Task The_executor_is_the_native_one_and_small()
    {
        await using var sandbox = await shared.Client.CreateAsync();
        (await Tool.RunAsync(Repository.Executor, "--version")).Output.ShouldContain("native-aot");
        HostProcesses.ExecutorOf(sandbox.Name).ResidentKilobytes.ShouldBeLessThan(25 * 1024);
    }

    private static IEnumerable<string> DataLines(string stream) =>
        stream.Split('\n').Where(line => line.StartsWith("data: ", StringComparison.Ordinal)).Select(line => line["data: ".Length..]);

    private async Task<string> Curl(params string[] arguments)
    {
        arguments[^1] = new Uri(shared.Manager.Url, arguments[^1]).ToString();
        var curl = await Tool.RunAsync("curl", ["-sS", "--max-time", "50", .. arguments]);
        curl.ExitCode.ShouldBe(0, curl.Error);
        return curl.Output;
    }

    private sealed class WithoutId : IEqualityComparer<string>
    {
        public bool Equals(string? x, string? y) => Strip(x!) == Strip(y!);

        public int GetHashCode(string obj) => Strip(obj).GetHashCode(StringComparison.Ordinal);

        private static string Strip(string block) => Regex.Replace(block, "\nid: [0-9]+$", "");
    }
}
