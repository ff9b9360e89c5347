using DonkeyWork.CodeSandbox.Kubernetes;
using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Local;
using DonkeyWork.CodeSandbox.Manager.Access;
using DonkeyWork.CodeSandbox.Sandboxes;

namespace DonkeyWork.CodeSandbox.Manager.Configuration;

/// <summary>Everything that the configuration says to the Manager itself, checked.</summary>
/// <param name="Options">The section <c>KataContainerManager</c>.</param>
/// <param name="Local">The section <c>Local</c>.</param>
/// <param name="Key">The key that callers must know; <see langword="null"/>: none, and loopback only.</param>
internal sealed record ManagerSettings(ManagerOptions Options, LocalOptions Local, ApiKey? Key)
{
    /// <summary>Where the key stands in the configuration.</summary>
    public const string KeySetting = "ApiKey";

    /// <summary>Reads and checks.</summary>
    /// <exception cref="InvalidConfigurationException">Anything is wrong; all of it is told.</exception>
    public static ManagerSettings Read(IConfiguration configuration)
    {
        var faults = new List<string>();
        var options = OptionsReader.Read<ManagerOptions>(configuration.GetSection(ManagerOptions.Section), faults);
        var local = OptionsReader.Read<LocalOptions>(configuration.GetSection(LocalOptions.Section), faults);
        CheckTogether(options, faults);
        var key = ReadKey(configuration, faults);
        foreach (var (setting, url) in ListenAddresses.Read(configuration).Where(address => !ListenAddresses.IsUrl(address.Url)))
            faults.Add($"{setting}: '{url}' is not a URL to listen on, such as http://127.0.0.1:8668.");
        if (key is null) CheckLoopback(configuration, faults);
        return faults.Count == 0 ? new ManagerSettings(options, local, key) : throw new InvalidConfigurationException(faults);
    }

    private static void CheckTogether(ManagerOptions options, List<string> faults)
    {
        if (!ImageReference.IsValid(options.DefaultImage))
            faults.Add($"{ManagerOptions.Section}:{nameof(options.DefaultImage)}: '{options.DefaultImage}' is not an image reference, such as registry.example/sandbox:1.0.");
        if (options.Connection.ServerUrl is { } url && !(Uri.TryCreate(url, UriKind.Absolute, out var server) && server.Scheme is "http" or "https"))
            faults.Add($"{ManagerOptions.Section}:{nameof(options.Connection)}:{nameof(ConnectionOptions.ServerUrl)}: '{url}' is not an http or https URL.");
        if (options.Backend == BackendKind.Kubernetes && options.Secret is not { Length: >= KubernetesOptions.MinSecretLength })
        {
            // Never the value itself: this is printed.
            faults.Add($"{ManagerOptions.Section}:{nameof(options.Secret)}: {(string.IsNullOrEmpty(options.Secret) ? "is missing" : "is too short")}: it takes {KubernetesOptions.MinSecretLength} characters or more, "
                + "the same for all Managers, such as `openssl rand -hex 32` makes; k8s/ reads it from the Secret kata-manager.");
        }

        CheckOrder(nameof(SandboxOptions.DefaultResourceRequests), options.DefaultResourceRequests, nameof(SandboxOptions.DefaultResourceLimits), options.DefaultResourceLimits, faults);
        CheckOrder(nameof(SandboxOptions.DefaultResourceLimits), options.DefaultResourceLimits, nameof(SandboxOptions.MaxResourceLimits), options.MaxResourceLimits, faults);
    }

    private static void CheckOrder(string lowerKey, QuantityOptions lower, string upperKey, QuantityOptions upper, List<string> faults)
    {
        if (lower.MemoryMi > upper.MemoryMi)
            faults.Add($"{ManagerOptions.Section}:{lowerKey}:{nameof(lower.MemoryMi)}: {lower.MemoryMi} is above {upperKey}, which is {upper.MemoryMi}.");
        if (lower.CpuMillicores > upper.CpuMillicores)
            faults.Add($"{ManagerOptions.Section}:{lowerKey}:{nameof(lower.CpuMillicores)}: {lower.CpuMillicores} is above {upperKey}, which is {upper.CpuMillicores}.");
    }

    private static ApiKey? ReadKey(IConfiguration configuration, List<string> faults)
    {
        if (configuration[KeySetting] is not { Length: > 0 } text) return null;
        if (ApiKey.IsUsable(text)) return new ApiKey(text);
        faults.Add($"{KeySetting}: must consist of visible ASCII characters, for it travels in a header.");
        return null;
    }

    private static void CheckLoopback(IConfiguration configuration, List<string> faults)
    {
        foreach (var (key, url) in ListenAddresses.Read(configuration).Where(address => ListenAddresses.IsUrl(address.Url) && !ListenAddresses.IsLoopback(address.Url)))
            faults.Add($"{key}: {url} can be reached from other machines, and no key is asked for. Set {KeySetting}, or listen on 127.0.0.1.");
    }
}
