using System.Net;
using System.Net.Http.Json;
using System.Text;
using DonkeyWork.CodeSandbox.Sandboxes;

namespace DonkeyWork.CodeSandbox.Cluster.Tests.WarmPool;

/// <summary>A real pod before its claim, by its claim, and after it.</summary>
public sealed class ClaimedPodTests : IAsyncLifetime
{
    private const string TokenHeader = "X-Sandbox-Token";

    private SandboxNamespace _place = null!;
    private KubernetesManager _manager = null!;

    public async Task InitializeAsync()
    {
        _place = await SandboxNamespace.CreateAsync(TestCluster.Node);
        _manager = await KubernetesManager.StartAsync(_place, settings: ["--KataContainerManager:WarmPoolSize=1"]);
        await _place.UntilWarmAsync(1);
    }

    public async Task DisposeAsync()
    {
        await _manager.DisposeAsync();
        await _place.DisposeAsync();
    }

    [Fact]
    public async Task Unclaimed_it_runs_nothing_for_whoever_has_its_token_and_the_claims_environment_is_in_the_next_command()
    {
        var name = (await _place.ListLivePodsAsync()).ShouldHaveSingleItem();
        var pod = await _place.Api.GetAsync($"{_place.Pods}/{name}");
        var token = new SandboxTokens(Encoding.UTF8.GetBytes(KubernetesManager.Secret)).TokenOf(
            name, pod.GetProperty("metadata").GetProperty("annotations").GetProperty("codesandbox.donkeywork.dev/nonce").GetString()!);
        using var direct = new HttpClient { BaseAddress = new Uri($"http://{pod.GetProperty("status").GetProperty("podIP").GetString()}:8666/") };
        using var proxied = new HttpClient(_place.Api.CreateHandler()) { BaseAddress = new Uri(_place.Api.Url, $"{_place.Pods}/{name}:8666/proxy/") };
        await Patience.UntilAsync(async () => (await proxied.GetAsync("healthz")).IsSuccessStatusCode, () => "The executor does not serve.");

        foreach (var executor in new[] { direct, proxied })
        {
            executor.DefaultRequestHeaders.Add(TokenHeader, token);
            await (await executor.PostAsJsonAsync("api/execute", new { command = "touch /tmp/ran" })).ShouldBeProblemAsync(HttpStatusCode.Conflict, "not_claimed");
        }

        await (await _manager.ExecuteAsync(name, "touch /tmp/ran")).ShouldBeProblemAsync(HttpStatusCode.Conflict, "not_claimed");
        (await FindAsync(name, "/tmp/ran")).ShouldBeFalse();

        using var answer = await _manager.AllocateAsync(new { userId = "somebody", environmentVariables = new Dictionary<string, string> { ["GREETING"] = "hello $USER" } });
        (await answer.ReadNameAsync()).ShouldBe(name);
        using var execution = await _manager.ExecuteAsync(name, "printf '%s\\n' \"$GREETING\"; touch /tmp/ran");
        (await execution.Content.ReadAsStringAsync().WaitAsync(Patience.Limit)).ShouldContain("\"data\":\"hello $USER\"");
        (await FindAsync(name, "/tmp/ran")).ShouldBeTrue("the control: that is where it would be");

        foreach (var executor in new[] { direct, proxied })
            await (await executor.PostAsJsonAsync("api/claim", new { owner = "somebody else" })).ShouldBeProblemAsync(HttpStatusCode.Conflict, "already_claimed");
        (await _manager.AllocateNamedAsync("somebody else")).ShouldNotBe(name);
    }

    private async Task<bool> FindAsync(string pod, string file) =>
        (await _place.Cluster.TryKubectlAsync("--namespace", _place.Name, "exec", pod, "--", "test", "-e", file)).ExitCode == 0;
}
