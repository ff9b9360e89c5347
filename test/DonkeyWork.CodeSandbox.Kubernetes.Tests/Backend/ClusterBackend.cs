using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Kubernetes.Executors;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Testing;
using DonkeyWork.CodeSandbox.Testing.Clusters;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Backend;

/// <summary>The backend as a host puts it together and starts it, over a namespace of the node cluster.</summary>
public sealed class ClusterBackend : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    private ClusterBackend(ServiceProvider services) => _services = services;

    public ISandboxBackend Backend => _services.GetRequiredService<ISandboxBackend>();

    public ISandboxLimit Limit => _services.GetRequiredService<ISandboxLimit>();

    /// <summary>Settings that fit the tests' cluster.</summary>
    public static KubernetesOptions OptionsFor(TestNamespace place) => new()
    {
        TargetNamespace = place.Name,
        Secret = "a secret of this test, long enough",
        PodNamePrefix = "test",
        EphemeralStorageLimitMi = 256,
        Connection = new ConnectionOptions { Kubeconfig = place.Cluster.Kubeconfig },
    };

    public static async Task<ClusterBackend> StartAsync(TestNamespace place, Func<KubernetesOptions, KubernetesOptions>? change = null, ILoggerProvider? log = null)
    {
        var options = OptionsFor(place);
        var services = new ServiceCollection();
        services.AddLogging(logging =>
        {
            if (log is not null) logging.AddProvider(log);
        });
        services.AddKubernetesBackend(change?.Invoke(options) ?? options);
        var backend = new ClusterBackend(services.BuildServiceProvider());
        foreach (var part in backend._services.GetServices<IHostedService>()) await part.StartAsync(CancellationToken.None);
        return backend;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in _services.GetServices<IHostedService>()) await part.StopAsync(CancellationToken.None).WaitAsync(Patience.Limit);
        await _services.DisposeAsync();
    }
}
