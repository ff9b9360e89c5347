using DonkeyWork.CodeSandbox.Sandboxes.Execution;
using DonkeyWork.CodeSandbox.Sandboxes.Expiry;
using DonkeyWork.CodeSandbox.Sandboxes.Leadership;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace DonkeyWork.CodeSandbox.Sandboxes;

/// <summary>Puts the core into a host.</summary>
public static class SandboxesRegistration
{
    /// <summary>
    /// Registers everything above the backend. Beside it a host needs an <see cref="Backends.ISandboxBackend"/> and the
    /// <see cref="SandboxTokens"/> with the secret that belongs to that backend's sandboxes.
    /// </summary>
    public static IServiceCollection AddSandboxes(this IServiceCollection services, SandboxOptions options)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(options);
        services.AddSingleton<ExpiryRules>();
        services.AddSingleton<SandboxRegistry>();
        services.AddSingleton<OwnedTasks>();
        services.AddSingleton<SandboxService>();
        services.AddSingleton<WarmPool>();
        services.AddSingleton<ActivityRecorder>();
        services.AddSingleton<ExecutorRelay>();
        services.AddHostedService(provider => provider.GetRequiredService<SandboxRegistry>());
        services.AddHostedService(provider => provider.GetRequiredService<OwnedTasks>());
        return services;
    }

    /// <summary>
    /// Adds what a host does without being asked: the pool, where it leads, and cleanup. It leads always, unless an
    /// <see cref="ILeadership"/> is registered.
    /// </summary>
    public static IServiceCollection AddUpkeep(this IServiceCollection services)
    {
        services.TryAddSingleton<ILeadership, SoleLeadership>();
        services.AddHostedService<WarmPoolFiller>();
        services.AddHostedService<PoolRehearsal>();
        services.AddHostedService<ExpirySweeper>();
        return services;
    }
}
