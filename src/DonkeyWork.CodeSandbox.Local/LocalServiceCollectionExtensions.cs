using DonkeyWork.CodeSandbox.Local.State;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace DonkeyWork.CodeSandbox.Local;

/// <summary>Registers the Local backend.</summary>
public static class LocalServiceCollectionExtensions
{
    /// <summary>
    /// Adds <see cref="ISandboxBackend"/> on this machine, started and stopped with the host, the
    /// <see cref="StateDirectory"/> and the <see cref="SandboxTokens"/> of its secret. Options come from the section
    /// <see cref="LocalOptions.Section"/> and are validated at the start.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configuration">The root configuration.</param>
    public static IServiceCollection AddLocalBackend(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<LocalOptions>().Bind(configuration.GetSection(LocalOptions.Section)).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(provider => StateDirectory.Open(provider.GetRequiredService<IOptions<LocalOptions>>().Value.StateDirectory));
        services.AddSingleton(provider => new SandboxTokens(provider.GetRequiredService<StateDirectory>().Secret()));
        services.AddSingleton<LocalBackend>();
        services.AddSingleton<ISandboxBackend>(provider => provider.GetRequiredService<LocalBackend>());
        services.AddHostedService(provider => provider.GetRequiredService<LocalBackend>());
        return services;
    }
}
