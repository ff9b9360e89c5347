using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Xunit.Abstractions;

namespace DonkeyWork.CodeSandbox.Cluster.Tests.WarmPool;

/// <summary>Once for real, by the shortest settings there are: what is not used goes, what has had its time, and what nobody was answered with.</summary>
[Collection("beside the others")]
public sealed class IdleAndExpiryTests(ITestOutputHelper output) : IAsyncLifetime
{
    /// <summary>Two minutes, the time between two looks and a tenth of it.</summary>
    private static readonly TimeSpan Limit = Patience.Limit * 1.5;

    /// <summary>What is recorded of times is whole seconds.</summary>
    private static readonly TimeSpan AlmostOneMinute = TimeSpan.FromSeconds(59);

    private SandboxNamespace _idle = null!;
    private SandboxNamespace _expiry = null!;
    private SandboxNamespace _unanswered = null!;

    public async Task InitializeAsync()
    {
        _idle = await SandboxNamespace.CreateAsync(TestCluster.Node);
        _expiry = await SandboxNamespace.CreateAsync(TestCluster.Node);
        _unanswered = await SandboxNamespace.CreateAsync(TestCluster.Node);
    }

    public async Task DisposeAsync()
    {
        await _idle.DisposeAsync();
        await _expiry.DisposeAsync();
        await _unanswered.DisposeAsync();
    }

    // Side by side, for each takes two minutes.
    [Fact]
    public Task Unused_for_a_minute_it_goes_unless_a_command_runs_and_after_two_minutes_though_it_is_used_and_a_claim_without_an_answer_after_one() =>
        Task.WhenAll(IdleAsync(), ExpiryAsync(), UnansweredAsync());

    private async Task IdleAsync()
    {
        // A maximum that none of these comes near.
        await using var manager = await StartAsync(_idle, idleMinutes: 1, lifetimeMinutes: 10);
        var recording = await _idle.Audit.BeginAsync(_idle.User);
        var unused = await manager.CreateNamedAsync();
        var busy = await StartBusyAsync(manager);
        var waited = Stopwatch.StartNew();

        await UntilAsync(async () => await _idle.Api.FindAsync($"{_idle.Pods}/{unused}") is null, "The unused one stays.");
        // kubectl is no use that a Manager knows of.
        await UntilAsync(async () => (await _idle.Cluster.TryKubectlAsync("--namespace", _idle.Name, "exec", busy, "--", "test", "-e", "/tmp/done")).ExitCode == 0, "The command does not end.");

        var entries = await recording.EndAsync();
        var keptAlive = entries.Where(entry => entry is { Succeeded: true, Call.Verb: "patch" } && entry.Call.Name == busy).ToList();
        output.WriteLine($"two minutes of a command under a limit of one: {keptAlive.Count} activity writes, over after {waited.Elapsed.TotalSeconds:0} s");
        keptAlive.ShouldNotBeEmpty();
        (await _idle.ListLivePodsAsync()).ShouldBe([busy]);
        SinceCreated(entries, unused).ShouldBeGreaterThan(AlmostOneMinute);
        await manager.Client.DeleteAsync(busy);
    }

    private async Task ExpiryAsync()
    {
        await using var manager = await StartAsync(_expiry, idleMinutes: 1, lifetimeMinutes: 2);
        var recording = await _expiry.Audit.BeginAsync(_expiry.User);
        var used = await manager.CreateNamedAsync();
        await UntilAsync(async () => await UseAsync(manager, used) == HttpStatusCode.NotFound, "It stays, used for more than two minutes.");

        var entries = await recording.EndAsync();
        var deleted = DeleteOf(entries, used);
        var lastUse = entries.Last(entry => entry is { Succeeded: true, Call.Verb: "patch" } && entry.Call.Name == used && entry.Received < deleted.Received);
        output.WriteLine($"used {(deleted.Received - lastUse.Received).TotalSeconds:0} s before, as was written down");
        // Not the idle rule: by what was recorded of it, it was in use.
        (deleted.Received - lastUse.Received).ShouldBeLessThan(TimeSpan.FromMinutes(1));
        SinceCreated(entries, used).ShouldBeGreaterThan(AlmostOneMinute * 2);
    }

    private async Task UnansweredAsync()
    {
        // Limits that it does not come near: what ends it is that its executor knows of no claim.
        await using var manager = await StartAsync(_unanswered, idleMinutes: 10, lifetimeMinutes: 10, "--KataContainerManager:WarmPoolSize=1");
        await _unanswered.UntilWarmAsync(1);
        var name = (await _unanswered.ListLivePodsAsync()).ShouldHaveSingleItem();
        var recording = await _unanswered.Audit.BeginAsync(_unanswered.User);

        // What a Manager leaves behind that was killed after its write.
        var claimed = TimeProvider.System.GetUtcNow();
        await _unanswered.Api.PatchAsync($"{_unanswered.Pods}/{name}", new
        {
            metadata = new
            {
                labels = new Dictionary<string, string> { ["pool-status"] = "allocated" },
                annotations = new Dictionary<string, string>
                {
                    ["codesandbox.donkeywork.dev/allocated-to"] = "nobody any more",
                    ["codesandbox.donkeywork.dev/allocated-at"] = $"{claimed.ToUnixTimeSeconds()}",
                },
            },
        });
        await UntilAsync(async () => await _unanswered.Api.FindAsync($"{_unanswered.Pods}/{name}") is null, "It stays.");

        var took = DeleteOf(await recording.EndAsync(), name).Received - claimed;
        output.WriteLine($"a claim without an answer is gone after {took.TotalSeconds:0} s");
        took.ShouldBeGreaterThan(AlmostOneMinute);
        await _unanswered.UntilWarmAsync(1);
    }

    private static async Task<HttpStatusCode> UseAsync(KubernetesManager manager, string name)
    {
        using var response = await manager.ExecuteAsync(name, "true");
        try
        {
            await response.Content.ReadAsStringAsync().WaitAsync(Patience.Limit);
        }
        catch (HttpRequestException)
        {
            // It went in the middle of this command, whose stream is cut; the next one is told.
        }

        return response.StatusCode;
    }

    private static async Task<string> StartBusyAsync(KubernetesManager manager)
    {
        using var content = new StringContent(
            """{"command":["/bin/bash","-c"],"args":["sleep 120; touch /tmp/done"],"waitForReady":true}""", System.Text.Encoding.UTF8, "application/json");
        using var response = await manager.Http.PostAsync("/api/kata", content);
        var events = await response.Content.ReadAsStringAsync().WaitAsync(Patience.Limit);
        events.ShouldContain("\"eventType\":\"ready\"");
        return JsonDocument.Parse(events.Split('\n')[0]["data: ".Length..]).RootElement.GetProperty("podName").GetString()!;
    }

    private static TimeSpan SinceCreated(IReadOnlyList<AuditEntry> entries, string name) =>
        DeleteOf(entries, name).Received - entries.Single(entry => entry is { Succeeded: true, Call.Verb: "create" } && entry.Call.Name == name).Received;

    private static AuditEntry DeleteOf(IEnumerable<AuditEntry> entries, string name) =>
        entries.Single(entry => entry is { Succeeded: true, Call: { Resource: "pods", Subresource: "", Verb: "delete" } } && entry.Call.Name == name);

    private static Task<KubernetesManager> StartAsync(SandboxNamespace place, int idleMinutes, int lifetimeMinutes, params string[] settings) => KubernetesManager.StartAsync(place, settings:
    [
        $"--KataContainerManager:IdleTimeoutMinutes={idleMinutes}",
        $"--KataContainerManager:MaxContainerLifetimeMinutes={lifetimeMinutes}",
        "--KataContainerManager:CleanupCheckIntervalMinutes=1",
        .. settings,
    ]);

    private static async Task UntilAsync(Func<Task<bool>> condition, string otherwise)
    {
        var waited = Stopwatch.StartNew();
        // Each look is a process or a command.
        using var tick = new PeriodicTimer(TimeSpan.FromSeconds(1));
        while (!await condition())
        {
            if (waited.Elapsed > Limit) throw new TimeoutException(otherwise);
            await tick.WaitForNextTickAsync();
        }
    }
}
