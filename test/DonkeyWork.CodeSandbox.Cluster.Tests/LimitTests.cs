using System.Net;
using System.Text.Json;

namespace DonkeyWork.CodeSandbox.Cluster.Tests;

/// <summary>The limit of sandboxes, with several Managers that know nothing of each other.</summary>
public sealed class LimitTests
{
    private const int Limit = 20;

    [Fact]
    public async Task Three_Managers_and_three_hundred_creates_never_make_more_pods_than_the_quota_has()
    {
        // The quota counts what was accepted. That the pods find no node spares this machine 20 of them.
        await using var place = await SandboxNamespace.CreateAsync(TestCluster.Node, nodeSelector: new() { ["no-node"] = "has-this" });
        await place.LimitPodsAsync(Limit);
        await using var managers = await Managers.StartAsync(3, place, "--KataContainerManager:MaxTotalContainers=500");
        await using var census = await PodCensus.StartAsync(place);

        var answers = await managers.CreateAsync(300);

        answers.Count(answer => answer == "200").ShouldBe(Limit, Summary(answers));
        answers.Count(answer => answer == "429 limit_reached").ShouldBe(300 - Limit, Summary(answers));
        (await place.ListLivePodsAsync()).Count.ShouldBe(Limit);
        foreach (var manager in managers.All) await manager.ShouldSoonAgreeWithAsync(place);
        (await managers.All[0].Client.DeleteAllAsync()).DeletedCount.ShouldBe(Limit);
        await Patience.UntilAsync(async () => (await place.ListPodsAsync()).Count == 0, () => "Pods stay.");
        // Room again, for whom the quota lets in.
        await Patience.UntilAsync(async () => (await managers.CreateAsync(3)).Contains("200"), () => "Nothing can be created any more.");
        census.Most.ShouldBe(Limit);
    }

    [Fact]
    public async Task Without_a_quota_the_Managers_warn_and_the_limit_is_theirs_alone()
    {
        // Also the control of the test above: what counts the pods there sees more than 20 here.
        await using var control = await ControlPlane.StartAsync();
        control.Kubelet.RunsPods = false;
        await using var relay = await WatchRelay.StartAsync(control.Place.Api);
        await using var managers = await Managers.StartAsync(3, control.Place, relay, $"--KataContainerManager:MaxTotalContainers={Limit}");
        // It is told by a watch of its own, which health does not wait for.
        await Patience.UntilAsync(
            () => managers.All.All(manager => manager.Log.Contains("quota", StringComparison.OrdinalIgnoreCase)),
            () => $"Not all warn:\n{string.Join("\n----\n", managers.All.Select(manager => manager.Log))}");
        relay.WatchDelay = TimeSpan.FromSeconds(2);
        relay.CutWatches();
        await using var census = await PodCensus.StartAsync(control.Place);

        var answers = await managers.CreateAsync(90);

        answers.Count(answer => answer == "200").ShouldBeGreaterThan(Limit, Summary(answers));
        census.Most.ShouldBeGreaterThan(Limit);
        foreach (var manager in managers.All) (await manager.Http.DeleteAsync("/api/kata")).EnsureSuccessStatusCode();
    }

    private static string Summary(IEnumerable<string> answers) =>
        string.Join(", ", answers.GroupBy(answer => answer).Select(group => $"{group.Count()} × {group.Key}"));

    private sealed class Managers(IReadOnlyList<KubernetesManager> all) : IAsyncDisposable
    {
        public IReadOnlyList<KubernetesManager> All => all;

        public static Task<Managers> StartAsync(int count, SandboxNamespace place, params string[] settings) => StartAsync(count, place, null, settings);

        public static async Task<Managers> StartAsync(int count, SandboxNamespace place, WatchRelay? relay, params string[] settings) =>
            new(await Task.WhenAll(Enumerable.Range(0, count).Select(_ => KubernetesManager.StartAsync(place, relay, settings: settings))));

        /// <summary>So many creates at once, evenly spread: the status of each answer, and the code of the refused.</summary>
        public Task<string[]> CreateAsync(int count) => Task.WhenAll(Enumerable.Range(0, count).Select(async i =>
        {
            using var response = await all[i % all.Count].CreateAsync();
            var text = await response.Content.ReadAsStringAsync().WaitAsync(Patience.Limit);
            return response.StatusCode == HttpStatusCode.OK
                ? "200"
                : $"{(int)response.StatusCode} {JsonDocument.Parse(text).RootElement.GetProperty("code").GetString()}";
        }));

        public async ValueTask DisposeAsync()
        {
            foreach (var manager in all) await manager.DisposeAsync();
        }
    }

    /// <summary>A watch of the test's own: how many pods there were at most that were not being deleted.</summary>
    private sealed class PodCensus : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly HashSet<string> _live = new(StringComparer.Ordinal);
        private Task _counting = Task.CompletedTask;

        public int Most { get; private set; }

        public static async Task<PodCensus> StartAsync(SandboxNamespace place)
        {
            var census = new PodCensus();
            var watching = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            census._counting = census.CountAsync(place, watching);
            await watching.Task.WaitAsync(Patience.Limit);
            return census;
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _counting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _stop.Dispose();
        }

        private async Task CountAsync(SandboxNamespace place, TaskCompletionSource watching)
        {
            await foreach (var (type, pod) in place.Api.WatchAsync(place.Pods, _stop.Token, watching))
            {
                var metadata = pod.GetProperty("metadata");
                var name = metadata.GetProperty("name").GetString()!;
                if (type == "DELETED" || metadata.TryGetProperty("deletionTimestamp", out _)) _live.Remove(name);
                else _live.Add(name);
                Most = Math.Max(Most, _live.Count);
            }
        }
    }
}
