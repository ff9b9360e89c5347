using System.Text;
using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Kubernetes.Executors;
using DonkeyWork.CodeSandbox.Kubernetes.Leadership;
using DonkeyWork.CodeSandbox.Kubernetes.Quota;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Sandboxes.Leadership;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace DonkeyWork.CodeSandbox.Kubernetes;

/// <summary>Registers the Kubernetes backend.</summary>
public static class KubernetesServiceCollectionExtensions
{
    /// <summary>
    /// Adds <see cref="ISandboxBackend"/> and <see cref="ISandboxLimit"/> on a cluster, the <see cref="KubernetesClient"/>
    /// under them, and the <see cref="SandboxTokens"/> of <see cref="KubernetesOptions.Secret"/>. Where the API server is
    /// gets read here; whether it is there does not.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="options">Validated; with a secret.</param>
    /// <exception cref="ClusterConfigurationException">It cannot be told where the API server is, or who we are.</exception>
    public static IServiceCollection AddKubernetesBackend(this IServiceCollection services, KubernetesOptions options)
    {
        if (options.Secret is not { Length: >= KubernetesOptions.MinSecretLength } secret) throw new ArgumentException("The secret is missing or too short.", nameof(options));
        var cluster = ClusterConnection.Load(options.Connection, TimeProvider.System);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(options);
        // By a factory, so that the container disposes it.
        services.AddSingleton(_ => cluster);
        services.AddSingleton(new SandboxTokens(Encoding.UTF8.GetBytes(secret)));
        services.AddSingleton(provider => new KubernetesClient(
            cluster, options.TargetNamespace, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<KubernetesClient>>()));
        services.AddSingleton<ApiErrors>();
        services.AddSingleton<ExecutorConnections>();
        services.AddSingleton<PodQuota>();
        services.AddSingleton<ISandboxLimit>(provider => provider.GetRequiredService<PodQuota>());
        services.AddSingleton<KubernetesBackend>();
        services.AddSingleton<ISandboxBackend>(provider => provider.GetRequiredService<KubernetesBackend>());
        services.AddHostedService(provider => provider.GetRequiredService<KubernetesBackend>());
        services.AddHostedService(provider => provider.GetRequiredService<PodQuota>());
        return services;
    }

    /// <summary>Adds <see cref="ILeadership"/> by a lease, over <see cref="AddKubernetesBackend"/>: from its start on the host takes part in the election.</summary>
    public static IServiceCollection AddKubernetesLeadership(this IServiceCollection services, KubernetesOptions options)
    {
        services.AddSingleton(new LeaseTiming(options.LeaderLeaseDurationSeconds));
        services.AddSingleton<LeaseLeadership>();
        services.AddSingleton<ILeadership>(provider => provider.GetRequiredService<LeaseLeadership>());
        services.AddHostedService(provider => provider.GetRequiredService<LeaseLeadership>());
        return services;
    }
}
