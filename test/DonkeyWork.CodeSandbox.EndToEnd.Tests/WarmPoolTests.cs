using System.Net;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Client;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

/// <summary>A Manager of this machine with a pool of two: real sandboxes, claimed by our client and by curl.</summary>
public sealed class WarmPoolTests : IAsyncLifetime
{
    private const int PoolSize = 2;

    private ManagerProcess _manager = null!;

    public async Task InitializeAsync()
    {
        _manager = await ManagerProcess.StartAsync($"--KataContainerManager:WarmPoolSize={PoolSize}");
        await IsFullAsync();
    }

    public async Task DisposeAsync() => await _manager.DisposeAsync();

    [Fact]
    public async Task Two_claims_are_two_sandboxes_and_the_pool_fills_again()
    {
        await using var one = await _manager.Client.AllocateAsync("ada");
        await using var two = await _manager.Client.AllocateAsync("ada");

        one.Name.ShouldNotBe(two.Name);
        (await one.RunAsync("echo mine > ~/note; cat ~/note")).StandardOutput.ShouldBe("mine\n");
        (await two.RunAsync("cat ~/note")).ExitCode.ShouldNotBe(0);
        await IsFullAsync();
        var pool = JsonDocument.Parse(await CurlAsync("/api/kata/pool/status")).RootElement;
        string[] fields = ["creating", "warm", "allocated", "manual", "total", "targetSize", "maxTotalContainers", "readyPercentage", "utilizationPercentage", "warmCount", "allocatedCount", "totalCount"];
        pool.EnumerateObject().Select(field => field.Name).ShouldBe(fields, ignoreOrder: true);
        fields.Select(field => pool.GetProperty(field).GetDouble()).ShouldBe([0, 2, 2, 0, 4, PoolSize, 50, 100, 50, 2, 2, 4]);
    }

    [Fact]
    public async Task The_next_command_of_a_warm_sandbox_sees_the_environment_of_its_claim()
    {
        var claimed = JsonDocument.Parse(await CurlAsync("/api/kata/allocate", """{"userId":"Ada Lovelace ♥","environmentVariables":{"GREETING":"hello"},"labels":{"team":"blue"}}""")).RootElement;

        claimed.GetProperty("poolStatus").GetString().ShouldBe("allocated");
        claimed.GetProperty("owner").GetString().ShouldBe("Ada Lovelace ♥");
        claimed.GetProperty("isReady").GetBoolean().ShouldBeTrue();
        claimed.GetProperty("labels").GetProperty("team").GetString().ShouldBe("blue");
        claimed.TryGetProperty("expiresAt", out _).ShouldBeTrue();
        var sandbox = _manager.Client.Attach(claimed.GetProperty("name").GetString()!);
        (await sandbox.RunAsync("echo $GREETING")).StandardOutput.ShouldBe("hello\n");
    }

    [Fact]
    public async Task The_same_claim_again_is_the_same_sandbox()
    {
        await using var sandbox = await _manager.Client.AllocateAsync("ada", new AllocateOptions { ClaimId = "one" });
        (await _manager.Client.AllocateAsync("ada", new AllocateOptions { ClaimId = "one" })).Name.ShouldBe(sandbox.Name);
        await using var other = await _manager.Client.AllocateAsync("grace", new AllocateOptions { ClaimId = "one" });
        other.Name.ShouldNotBe(sandbox.Name);
    }

    [Fact]
    public async Task A_sandbox_that_nobody_has_claimed_runs_nothing()
    {
        var warm = (await _manager.Client.ListAsync()).First(info => info.PoolStatus == PoolStatus.Warm);
        warm.ExpiresAt.ShouldBeNull();

        var answer = await CurlAsync($"/api/kata/{warm.Name}/execute", """{"command":"touch ~/stolen"}""", HttpStatusCode.Conflict);

        var problem = JsonDocument.Parse(answer).RootElement;
        problem.GetProperty("code").GetString().ShouldBe(ErrorCodes.NotClaimed);
        problem.GetProperty("status").GetInt32().ShouldBe(409);
        problem.GetProperty("detail").GetString().ShouldNotBeNullOrEmpty();
        HostProcesses.CommandsOf(warm.Name).ShouldBeEmpty();
        JsonDocument.Parse(await CurlAsync($"/api/kata/{warm.Name}/keepalive", "{}", HttpStatusCode.Conflict)).RootElement.GetProperty("code").GetString().ShouldBe(ErrorCodes.NotClaimed);
    }

    [Fact]
    public async Task Who_waits_gets_the_next_one_and_who_does_not_is_told_when_to_come_again()
    {
        await using var full = await ManagerProcess.StartAsync("--KataContainerManager:WarmPoolSize=1", "--KataContainerManager:MaxTotalContainers=1");
        await using var first = await full.Client.AllocateAsync("ada", new AllocateOptions { WaitSeconds = 300 });

        var exhausted = await Should.ThrowAsync<PoolExhaustedException>(() => full.Client.AllocateAsync("grace"));
        exhausted.RetryAfter.ShouldNotBeNull();
        var waiting = full.Client.AllocateAsync("grace", new AllocateOptions { WaitSeconds = 300 });
        await first.DisposeAsync();

        await using var second = await waiting.WaitAsync(Patience.Limit);
        (await second.RunAsync("echo here")).StandardOutput.ShouldBe("here\n");
    }

    [Fact]
    public async Task Without_a_pool_a_claim_may_create_its_sandbox()
    {
        await using var none = await ManagerProcess.StartAsync();
        (await Should.ThrowAsync<PoolExhaustedException>(() => none.Client.AllocateAsync("ada"))).Message.ShouldContain("createIfExhausted");

        await using var sandbox = await none.Client.AllocateAsync("ada", new AllocateOptions { CreateIfExhausted = true, EnvironmentVariables = new Dictionary<string, string> { ["A"] = "b" } });

        (await sandbox.RunAsync("echo $A")).StandardOutput.ShouldBe("b\n");
        (await sandbox.GetInfoAsync()).PoolStatus.ShouldBe(PoolStatus.Allocated);
    }

    [Fact]
    public async Task Keepalive_moves_the_end_and_never_past_the_maximum()
    {
        await using var sandbox = await _manager.Client.AllocateAsync("ada", new AllocateOptions { TimeoutSeconds = 700 });
        // Idle for five minutes, kept for ten, had for 700 s.
        var before = (await sandbox.GetInfoAsync()).ExpiresAt!.Value;

        var kept = (await sandbox.KeepAliveAsync(TimeSpan.FromSeconds(600))).ExpiresAt!.Value;
        var longest = (await sandbox.KeepAliveAsync(TimeSpan.FromHours(24))).ExpiresAt!.Value;

        (kept - before).ShouldBeInRange(TimeSpan.FromSeconds(299), TimeSpan.FromSeconds(400));
        (longest - before).ShouldBeInRange(TimeSpan.FromSeconds(399), TimeSpan.FromSeconds(401));
        (await Should.ThrowAsync<InvalidRequestException>(() => sandbox.KeepAliveAsync(TimeSpan.FromSeconds(-1)))).Errors.Keys.ShouldBe(["seconds"]);
    }

    private Task IsFullAsync() => Patience.UntilAsync(
        async () => (await _manager.Client.GetPoolStatusAsync()).Warm == PoolSize, () => $"The pool does not fill:\n{_manager.Log}");

    private async Task<string> CurlAsync(string path, string? body = null, HttpStatusCode expected = HttpStatusCode.OK)
    {
        string[] post = body is null ? [] : ["-H", "Content-Type: application/json", "-d", body];
        var curl = await Tool.RunAsync("curl", ["-sS", "-w", "%{http_code}", .. post, new Uri(_manager.Url, path).ToString()]);
        curl.Output[^3..].ShouldBe($"{(int)expected}", curl.Output + curl.Error);
        return curl.Output[..^3];
    }
}
