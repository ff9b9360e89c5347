using DonkeyWork.CodeSandbox.Testing.Clusters;
using DonkeyWork.CodeSandbox.Testing.Processes;

namespace DonkeyWork.CodeSandbox.Bench.Cluster;

/// <summary>
/// Sandboxes as real pods, beside kubectl doing the same on the same cluster: a create until ready beside <c>kubectl apply</c>
/// and <c>kubectl wait</c>, a command that does nothing beside <c>kubectl exec</c>.
/// </summary>
internal static class Pods
{
    private const int Creations = 10;
    private const int Executions = 200;

    public static async Task<IReadOnlyList<Row>> RunAsync()
    {
        await using var place = await SandboxNamespace.CreateAsync(TestCluster.Node);
        return
        [
            await CreateAsync(place),
            await ExecuteAsync(place, "by pod IP", "PodIp"),
            await ExecuteAsync(place, "by the API server's pod proxy", "ApiServerProxy"),
        ];
    }

    private static async Task<Row> CreateAsync(SandboxNamespace place)
    {
        await using var manager = await StartAsync(place, "PodIp");
        // The pod of a sandbox is the model, so that both create the very same.
        var sandbox = await manager.Client.CreateAsync();
        var manifest = PodManifest.Of(await place.KubectlAsync("get", "pod", sandbox.Name, "--output=json"));
        await sandbox.DisposeAsync();

        var ours = new Samples();
        var kubectl = new Samples();
        for (var i = 0; i < Creations; i++)
        {
            ours.Add(await Measure.TimeAsync(async () => sandbox = await manager.Client.CreateAsync()));
            await sandbox.DisposeAsync();

            kubectl.Add(await Measure.TimeAsync(async () =>
            {
                await place.ApplyAsync(manifest.Named($"plain-{i}"));
                await place.KubectlAsync("wait", "--for=condition=Ready", $"pod/plain-{i}", "--timeout=60s");
            }));
            await place.KubectlAsync("delete", "pod", $"plain-{i}", "--wait=false");
        }

        return Row.OfTimes("create of a pod until `ready`", ours, "`kubectl apply` and `kubectl wait`", kubectl, "–");
    }

    private static async Task<Row> ExecuteAsync(SandboxNamespace place, string way, string executorAccess)
    {
        await using var manager = await StartAsync(place, executorAccess);
        await using var sandbox = await manager.Client.CreateAsync();
        var ours = new Samples();
        var kubectl = new Samples();
        for (var i = 0; i < Executions; i++)
        {
            ours.Add(await Measure.TimeAsync(() => sandbox.RunAsync("true")));
            if (i % 10 == 0)
                kubectl.Add(await Measure.TimeAsync(() => place.KubectlAsync("exec", sandbox.Name, "--", "/bin/bash", "-c", "true")));
        }

        return Row.OfTimes($"exec round trip of `true`, {way}", ours, "`kubectl exec`", kubectl, "below 1.00");
    }

    private static Task<KubernetesManager> StartAsync(SandboxNamespace place, string executorAccess) =>
        KubernetesManager.StartAsync(place, settings: [$"--KataContainerManager:ExecutorAccess={executorAccess}", "--KataContainerManager:WarmPoolSize=0"]);
}
