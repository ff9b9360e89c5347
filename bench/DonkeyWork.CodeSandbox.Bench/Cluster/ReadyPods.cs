using System.Text.Json.Nodes;
using DonkeyWork.CodeSandbox.Testing.Clusters;

namespace DonkeyWork.CodeSandbox.Bench.Cluster;

/// <summary>Pods that no kubelet runs, as they are once a kubelet has them running: sandboxes that were allocated, or wait in the pool.</summary>
internal sealed class ReadyPods(SandboxNamespace place)
{
    /// <summary>Where the executor of all of them is.</summary>
    public const string Address = "127.0.0.1";

    private const int Parallelism = 16;

    private int count;

    public static string NameOf(int number) => $"kata-sandbox-{number:x8}";

    /// <summary>So many more, numbered on.</summary>
    /// <returns>Their names.</returns>
    public async Task<IReadOnlyList<string>> CreateAsync(int number, bool warm = false)
    {
        var first = count;
        count += number;
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = Parallelism };
        await Parallel.ForEachAsync(Enumerable.Range(first, number), parallel, async (number, _) =>
        {
            await place.Api.CreateAsync(place.Pods, Pod(number, warm));
            await place.Api.PatchAsync($"{place.Pods}/{NameOf(number)}/status", Running());
        });
        return [.. Enumerable.Range(first, number).Select(NameOf)];
    }

    /// <summary>So many changes in each second, each of another pod.</summary>
    public async Task ChangeAsync(int perSecond, TimeSpan window)
    {
        using var tick = new PeriodicTimer(TimeSpan.FromSeconds(1) / perSecond);
        for (var change = 0; change < perSecond * window.TotalSeconds; change++)
        {
            await tick.WaitForNextTickAsync();
            await place.Api.PatchAsync($"{place.Pods}/{NameOf(change % count)}", new { metadata = new { labels = new { change = $"{change}" } } });
        }
    }

    private static JsonObject Pod(int number, bool warm)
    {
        var now = $"{TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()}";
        var labels = new JsonObject
        {
            ["app"] = "kata-manager",
            ["runtime"] = "kata",
            ["managed-by"] = "CodeSandbox-Manager",
            ["container-type"] = "sandbox",
            ["pool-status"] = warm ? "warm" : "allocated",
        };
        var annotations = new JsonObject
        {
            ["codesandbox.donkeywork.dev/created-at"] = now,
            ["codesandbox.donkeywork.dev/nonce"] = $"{number:x32}",
            ["codesandbox.donkeywork.dev/template"] = new string('0', 64),
        };
        if (!warm)
        {
            labels["allocated-to"] = $"{number:x40}";
            annotations["codesandbox.donkeywork.dev/allocated-at"] = now;
            annotations["codesandbox.donkeywork.dev/last-activity"] = now;
            annotations["codesandbox.donkeywork.dev/allocated-to"] = $"user-{number}@example.org";
        }

        return new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Pod",
            ["metadata"] = new JsonObject { ["name"] = NameOf(number), ["labels"] = labels, ["annotations"] = annotations },
            ["spec"] = new JsonObject
            {
                ["nodeName"] = $"node-{number % 50}",
                ["restartPolicy"] = "Never",
                ["containers"] = new JsonArray(new JsonObject
                {
                    ["name"] = "executor",
                    ["image"] = "donkeywork/codesandbox-executor:latest",
                    ["resources"] = JsonNode.Parse("""{"requests":{"memory":"128Mi","cpu":"250m"},"limits":{"memory":"512Mi","cpu":"1"}}"""),
                }),
            },
        };
    }

    private static JsonObject Running() => new()
    {
        ["status"] = new JsonObject
        {
            ["phase"] = "Running",
            ["podIP"] = Address,
            ["podIPs"] = new JsonArray(new JsonObject { ["ip"] = Address }),
            ["conditions"] = JsonNode.Parse("""[{"type":"Ready","status":"True"},{"type":"ContainersReady","status":"True"},{"type":"PodScheduled","status":"True"},{"type":"Initialized","status":"True"}]"""),
            ["containerStatuses"] = JsonNode.Parse("""[{"name":"executor","ready":true,"restartCount":0,"image":"donkeywork/codesandbox-executor:latest","imageID":"","state":{"running":{}}}]"""),
        },
    };
}
