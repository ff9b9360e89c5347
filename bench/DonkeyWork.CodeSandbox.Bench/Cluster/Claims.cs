using System.Net.Http.Json;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Testing;
using DonkeyWork.CodeSandbox.Testing.Clusters;
using DonkeyWork.CodeSandbox.Testing.Processes;
using DonkeyWork.CodeSandbox.Testing.StandIns;

namespace DonkeyWork.CodeSandbox.Bench.Cluster;

/// <summary>
/// A claim by HTTP, until its answer, beside the bare JSON patch that is in it, sent to the same API server turn about: over
/// more and more sandboxes of others. One executor stub answers for all, and nobody refills: that is another Manager's affair.
/// </summary>
internal static class Claims
{
    private const int Batch = 50;
    private const int Batches = 6;
    private static readonly int[] Others = [10, 1000, 5000];

    public static async Task<IReadOnlyList<Row>> RunAsync()
    {
        await using var place = await SandboxNamespace.CreateAsync(ControlCluster.Current);
        await using var executor = await StubExecutor.StartAsync(ReadyPods.Address);
        await using var leader = await OtherLeader.StartAsync(place);
        var pods = new ReadyPods(place);
        await using var manager = await KubernetesManager.StartAsync(
            place, settings: ["--KataContainerManager:ExecutorAccess=PodIp", "--KataContainerManager:MaxTotalContainers=10000", "--KataContainerManager:MaxContainerLifetimeMinutes=1440", "--KataContainerManager:IdleTimeoutMinutes=1440"]);

        // A Manager's first requests compile what they meet.
        _ = await OverAsync(0, place, pods, manager);
        var rows = new List<Row>();
        var before = 0;
        foreach (var others in Others)
        {
            await pods.CreateAsync(others - before);
            before = others;
            rows.AddRange(await OverAsync(others, place, pods, manager));
        }

        return rows;
    }

    private static async Task<IReadOnlyList<Row>> OverAsync(int others, SandboxNamespace place, ReadyPods pods, KubernetesManager manager)
    {
        var claims = new Samples();
        var patches = new Samples();
        for (var batch = 0; batch < Batches; batch++)
        {
            // Those that are patched are warm to nobody but the patch, so that the Manager cannot take them.
            var bare = await pods.CreateAsync(Batch);
            await pods.CreateAsync(Batch, warm: true);
            await Patience.UntilAsync(async () => (await StatusAsync(manager)).GetProperty("warm").GetInt32() == Batch, () => "The Manager does not see the pool.");
            foreach (var pod in bare)
            {
                var uid = (await place.Api.GetAsync($"{place.Pods}/{pod}")).GetProperty("metadata").GetProperty("uid").GetString()!;
                patches.Add(await Measure.TimeAsync(() => PatchAsync(place, pod, uid)));
                claims.Add(await Measure.TimeAsync(() => ClaimAsync(manager)));
            }
        }

        return
        [
            Row.OfTimes($"claim over {others} other sandboxes", claims, "bare JSON patch", patches, "at most 1.50"),
            Row.OfTails($"the same, p99", claims, "bare JSON patch", patches, "at most 2.00"),
        ];
    }

    private static async Task ClaimAsync(KubernetesManager manager)
    {
        using var response = await manager.Http.PostAsJsonAsync("/api/kata/allocate", new { userId = "user@example.org" });
        response.EnsureSuccessStatusCode();
        await response.Content.ReadAsByteArrayAsync();
    }

    // What a claim's own patch does, on a pod that is as large.
    private static Task<string> PatchAsync(SandboxNamespace place, string pod, string uid) => place.Api.SendTextAsync(
        HttpMethod.Patch,
        $"{place.Pods}/{pod}",
        JsonSerializer.Serialize(new object[]
        {
            new { op = "test", path = "/metadata/uid", value = uid },
            new { op = "test", path = "/metadata/labels/pool-status", value = "allocated" },
            new { op = "add", path = "/metadata/labels/pool-status", value = "allocated" },
            new { op = "add", path = "/metadata/labels/allocated-to", value = new string('f', 40) },
            new { op = "add", path = "/metadata/annotations/codesandbox.donkeywork.dev~1allocated-to", value = "user@example.org" },
            new { op = "add", path = "/metadata/annotations/codesandbox.donkeywork.dev~1allocated-at", value = $"{TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()}" },
        }),
        "application/json-patch+json");

    private static Task<JsonElement> StatusAsync(KubernetesManager manager) => manager.Http.GetFromJsonAsync<JsonElement>("/api/kata/pool/status");
}
