using DonkeyWork.CodeSandbox.Local.Host;
using DonkeyWork.CodeSandbox.Local.State;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace DonkeyWork.CodeSandbox.Local;

/// <summary>Registers the Local backend.</summary>
public static class LocalServiceCollectionExtensions
{
    /// <summary>
    /// Adds <see cref="ISandboxBackend"/> on this machine, started and stopped with the host, the
    /// <see cref="StateDirectory"/> (opened here, so that a second Manager is refused before it does anything) and the
    /// <see cref="SandboxTokens"/> of its secret.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="options">The section <see cref="LocalOptions.Section"/>, validated.</param>
    /// <exception cref="HostRequirementsException">The state directory cannot be made or used.</exception>
    /// <exception cref="StateDirectoryInUseException">Another Manager works on the state directory.</exception>
    public static IServiceCollection AddLocalBackend(this IServiceCollection services, LocalOptions options)
    {
        var state = OpenState(options);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(options);
        // By a factory, so that the container disposes it.
        services.AddSingleton(_ => state);
        services.AddSingleton(provider => new SandboxTokens(provider.GetRequiredService<StateDirectory>().Secret()));
        services.AddSingleton<LocalBackend>();
        services.AddSingleton<ISandboxBackend>(provider => provider.GetRequiredService<LocalBackend>());
        services.AddHostedService(provider => provider.GetRequiredService<LocalBackend>());
        return services;
    }

    private static StateDirectory OpenState(LocalOptions options)
    {
        try
        {
            return StateDirectory.Open(options.StateDirectory);
        }
        catch (Exception unusable) when (unusable is IOException or UnauthorizedAccessException)
        {
            throw new HostRequirementsException([$"{LocalOptions.Section}:{nameof(LocalOptions.StateDirectory)} cannot be used: {unusable.Message}"]);
        }
    }
}
