using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace DonkeyWork.CodeSandbox.Bench.Cluster;

/// <summary>Pods that no kubelet runs, as they are once a kubelet has them running: sandboxes that were allocated.</summary>
internal sealed class ReadyPods(HttpClient api, string @namespace)
{
    private readonly string pods = $"api/v1/namespaces/{@namespace}/pods";
    private int changes;

    public static string NameOf(int number) => $"kata-sandbox-{number:x8}";

    public Task CreateAsync(int count, int parallel) =>
        System.Threading.Tasks.Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = parallel }, async (number, _) =>
        {
            await SendAsync(HttpMethod.Post, pods, "application/json", Pod(number));
            await SendAsync(HttpMethod.Patch, $"{pods}/{NameOf(number)}/status", "application/merge-patch+json", Running());
        });

    /// <summary>For one second as many changes, each of another pod.</summary>
    public async Task ChangeAsync(int count)
    {
        using var second = new PeriodicTimer(TimeSpan.FromSeconds(1));
        for (var i = 0; i < count; i++)
        {
            var change = new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["change"] = $"{++changes}" } } };
            await SendAsync(HttpMethod.Patch, $"{pods}/{NameOf(changes % count)}", "application/merge-patch+json", change);
        }

        await second.WaitForNextTickAsync();
    }

    private static JsonObject Pod(int number)
    {
        var now = TimeProvider.System.GetUtcNow();
        return new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Pod",
            ["metadata"] = new JsonObject
            {
                ["name"] = NameOf(number),
                ["labels"] = new JsonObject
                {
                    ["app"] = "kata-manager",
                    ["runtime"] = "kata",
                    ["managed-by"] = "CodeSandbox-Manager",
                    ["container-type"] = "sandbox",
                    ["pool-status"] = "allocated",
                    ["allocated-to"] = $"{number:x40}",
                },
                ["annotations"] = new JsonObject
                {
                    ["codesandbox.donkeywork.dev/created-at"] = $"{now.ToUnixTimeSeconds()}",
                    ["codesandbox.donkeywork.dev/allocated-at"] = $"{now.ToUnixTimeSeconds()}",
                    ["codesandbox.donkeywork.dev/last-activity"] = $"{now.ToUnixTimeSeconds()}",
                    ["codesandbox.donkeywork.dev/allocated-to"] = $"user-{number}@example.org",
                    ["codesandbox.donkeywork.dev/nonce"] = $"{number:x32}",
                    ["codesandbox.donkeywork.dev/template"] = new string('0', 64),
                },
            },
            ["spec"] = new JsonObject
            {
                ["nodeName"] = $"node-{number % 50}",
                ["runtimeClassName"] = "kata-qemu",
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
            ["podIP"] = ExecutorStub.Address,
            ["podIPs"] = new JsonArray(new JsonObject { ["ip"] = ExecutorStub.Address }),
            ["conditions"] = JsonNode.Parse("""[{"type":"Ready","status":"True"},{"type":"ContainersReady","status":"True"},{"type":"PodScheduled","status":"True"},{"type":"Initialized","status":"True"}]"""),
            ["containerStatuses"] = JsonNode.Parse("""[{"name":"executor","ready":true,"restartCount":0,"image":"donkeywork/codesandbox-executor:latest","imageID":"","state":{"running":{}}}]"""),
        },
    };

    private async Task SendAsync(HttpMethod method, string path, string type, JsonNode body)
    {
        using var request = new HttpRequestMessage(method, path) { Content = new StringContent(body.ToJsonString(), Encoding.UTF8) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        using var response = await api.SendAsync(request);
        if (!response.IsSuccessStatusCode) throw new InvalidOperationException($"{method} {path}: {await response.Content.ReadAsStringAsync()}");
    }
}
