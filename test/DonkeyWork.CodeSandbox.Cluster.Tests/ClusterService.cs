namespace DonkeyWork.CodeSandbox.Cluster.Tests;

/// <summary>The service on a cluster with real pods: two Managers, each behind an address of its own.</summary>
public class ClusterService : TestService, IAsyncLifetime
{
    private readonly Dictionary<CuttingRelay, KubernetesManager> _managers = [];
    private SandboxNamespace _place = null!;

    public override string Log => string.Join("\n----\n", _managers.Values.Select(manager => manager.Log));

    /// <summary>How Managers reach executors.</summary>
    protected virtual string Access => "PodIp";

    public async Task InitializeAsync()
    {
        _place = await SandboxNamespace.CreateAsync(TestCluster.Node);
        await Task.WhenAll(Ways.Select(ServeAsync));
    }

    public override async Task KillAsync(CuttingRelay way)
    {
        await _managers[way].KillAsync();
        await ReplaceAsync(way);
    }

    public override async Task StopAsync(CuttingRelay way)
    {
        await _managers[way].SignalAsync("TERM");
        await _managers[way].WaitForExitAsync();
        await ReplaceAsync(way);
    }

    /// <summary>The pod's uid: of it the kubelet makes the names of cgroups.</summary>
    public override async Task<string> MarkOfAsync(string sandbox) =>
        (await _place.Api.GetAsync($"{_place.Pods}/{sandbox}")).GetProperty("metadata").GetProperty("uid").GetString()!;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await Task.WhenAll(_managers.Values.Select(manager => manager.DisposeAsync().AsTask()));
        await _place.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    private async Task ReplaceAsync(CuttingRelay way)
    {
        way.Target = null;
        await _managers[way].DisposeAsync();
        await ServeAsync(way);
    }

    private async Task ServeAsync(CuttingRelay way)
    {
        // The kubelet evicts a pod with more on its disk than this.
        var manager = await KubernetesManager.StartAsync(_place, settings:
            [$"--KataContainerManager:ExecutorAccess={Access}", "--KataContainerManager:DrainSeconds=0", "--KataContainerManager:EphemeralStorageLimitMi=8192"]);
        lock (_managers) _managers[way] = manager;
        way.Target = manager.Url;
    }
}

/// <summary>The same with Managers that reach executors by the API server's pod proxy alone.</summary>
public sealed class ProxyService : ClusterService
{
    protected override string Access => "ApiServerProxy";
}

[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ClusterServiceCollection : ICollectionFixture<ClusterService>
{
    public const string Name = "the service on a cluster";
}

[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ProxyServiceCollection : ICollectionFixture<ProxyService>
{
    public const string Name = "the service by the pod proxy";
}
