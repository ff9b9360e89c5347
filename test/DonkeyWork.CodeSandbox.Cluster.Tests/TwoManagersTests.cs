using System.Net;
using System.Text.Json;

namespace DonkeyWork.CodeSandbox.Cluster.Tests;

/// <summary>Two Managers on one namespace, and a view of the second that is 2 s behind.</summary>
public sealed class TwoManagersTests : IAsyncLifetime
{
    private ControlPlane _control = null!;
    private WatchRelay _relay = null!;
    private KubernetesManager _a = null!;
    private KubernetesManager _b = null!;

    public async Task InitializeAsync()
    {
        _control = await ControlPlane.StartAsync();
        _relay = await WatchRelay.StartAsync(_control.Place.Api);
        _relay.WatchDelay = TimeSpan.FromSeconds(2);
        _a = await KubernetesManager.StartAsync(_control.Place);
        _b = await KubernetesManager.StartAsync(_control.Place, _relay);
    }

    public async Task DisposeAsync()
    {
        await _a.DisposeAsync();
        await _b.DisposeAsync();
        await _relay.DisposeAsync();
        await _control.DisposeAsync();
    }

    [Fact]
    public async Task What_one_has_created_the_other_serves_at_once_five_hundred_times()
    {
        await Parallel.ForAsync(0, 500, new ParallelOptions { MaxDegreeOfParallelism = 10 }, async (i, stop) =>
        {
            using var creation = await _a.CreateAsync(waitForReady: true);
            creation.StatusCode.ShouldBe(HttpStatusCode.OK);
            using var events = new StreamReader(await creation.Content.ReadAsStreamAsync(stop));
            var name = (await NextAsync(events, "created")).GetProperty("podName").GetString()!;
            // Known by its name, and not ready yet or just about to be.
            using (var early = await _b.ExecuteAsync(name, $"early {i}"))
                if (early.StatusCode != HttpStatusCode.OK) await early.ShouldBeProblemAsync(HttpStatusCode.Conflict, "sandbox_not_ready");

            await NextAsync(events, "ready");
            using (var execution = await _b.ExecuteAsync(name, $"number {i}"))
            {
                var output = await execution.Content.ReadAsStringAsync(stop).WaitAsync(Patience.Limit, stop);
                execution.StatusCode.ShouldBe(HttpStatusCode.OK, output);
                output.ShouldContain($"number {i}");
            }

            using var deleted = await _b.Http.DeleteAsync($"/api/kata/{name}", stop);
            deleted.StatusCode.ShouldBe(HttpStatusCode.OK);
        });

        // The control: what that view is told comes by the relay. A sandbox that the second was never asked about is ready, and not listed there.
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _relay.Held = release.Task;
        var unknown = await _a.CreateNamedAsync();
        (await _b.ListAsync()).ShouldNotContain(unknown);
        release.SetResult();
        await Patience.UntilAsync(async () => (await _b.ListAsync()).Contains(unknown), () => "It is never listed.");
        await _a.Client.DeleteAsync(unknown);
    }

    [Fact]
    public async Task Both_delete_everything_at_once_and_all_of_it_is_gone_and_counted_once()
    {
        var names = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => (i % 2 == 0 ? _a : _b).CreateNamedAsync()));
        await Patience.UntilAsync(async () => (await _b.ListAsync()).Count == 30, () => "The second does not see all.");

        var results = await Task.WhenAll(_a.Client.DeleteAllAsync(), _b.Client.DeleteAllAsync());

        results.Sum(result => result.FailedCount).ShouldBe(0);
        results.SelectMany(result => result.DeletedPods).Distinct().Order().ShouldBe(names.Order());
        await Patience.UntilAsync(async () => (await _control.Place.ListPodsAsync()).Count == 0, () => "Pods stay.");
        await Patience.UntilAsync(async () => (await _a.ListAsync()).Count == 0 && (await _b.ListAsync()).Count == 0, () => "They are still listed.");
    }

    private static async Task<JsonElement> NextAsync(StreamReader events, string type)
    {
        using var patience = new CancellationTokenSource(Patience.Limit);
        while (await events.ReadLineAsync(patience.Token) is { } line)
        {
            if (!line.StartsWith("data: ", StringComparison.Ordinal)) continue;
            var read = JsonDocument.Parse(line[6..]).RootElement;
            var kind = read.GetProperty("eventType").GetString();
            kind.ShouldNotBe("failed", line);
            if (kind == type) return read;
        }

        throw new InvalidDataException($"The stream ended without {type}.");
    }
}
