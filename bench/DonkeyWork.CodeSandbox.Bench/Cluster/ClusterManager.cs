using DonkeyWork.CodeSandbox.Client;
using DonkeyWork.CodeSandbox.Testing.Clusters;
using DonkeyWork.CodeSandbox.Testing.Processes;

namespace DonkeyWork.CodeSandbox.Bench.Cluster;

/// <summary>The published Manager outside a cluster, over one namespace of it.</summary>
internal sealed class ClusterManager : IAsyncDisposable
{
    private readonly PublishedManager manager;

    private ClusterManager(PublishedManager manager)
    {
        this.manager = manager;
        Client = new CodeSandboxClient(manager.Url);
        Http = new HttpClient { BaseAddress = manager.Url };
    }

    public int Pid => manager.Pid;

    public CodeSandboxClient Client { get; }

    public HttpClient Http { get; }

    public static async Task<ClusterManager> StartAsync(TestNamespace pods, string executorAccess) => new(await PublishedManager.StartAsync(
        [],
        [
            "--KataContainerManager:Backend=Kubernetes",
            "--KataContainerManager:MaxTotalContainers=10000",
            "--KataContainerManager:MaxContainerLifetimeMinutes=1440",
            $"--KataContainerManager:Secret={new string('0', 64)}",
            $"--KataContainerManager:TargetNamespace={pods.Name}",
            $"--KataContainerManager:Connection:Kubeconfig={pods.Cluster.Kubeconfig}",
            $"--KataContainerManager:ExecutorAccess={executorAccess}",
        ]));

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        Http.Dispose();
        await manager.InterruptAsync();
        manager.Dispose();
    }
}
