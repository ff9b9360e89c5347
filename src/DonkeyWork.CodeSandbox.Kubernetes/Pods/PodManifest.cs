using System.Text.Json;
using System.Text.Json.Serialization;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;

namespace DonkeyWork.CodeSandbox.Kubernetes.Pods;

/// <summary>
/// A pod to create: the fields that we set
/// (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/).
/// </summary>
internal sealed record PodManifest
{
    public string ApiVersion { get; } = "v1";

    public string Kind { get; } = "Pod";

    public required ManifestMetadata Metadata { get; init; }

    public required PodManifestSpec Spec { get; init; }
}

internal sealed record PodManifestSpec
{
    public required string RuntimeClassName { get; init; }

    public required string RestartPolicy { get; init; }

    public required bool AutomountServiceAccountToken { get; init; }

    public required bool EnableServiceLinks { get; init; }

    public required int TerminationGracePeriodSeconds { get; init; }

    public required bool HostNetwork { get; init; }

    [JsonPropertyName("hostPID")]
    public required bool HostPid { get; init; }

    [JsonPropertyName("hostIPC")]
    public required bool HostIpc { get; init; }

    public required PodSecurity SecurityContext { get; init; }

    public required IReadOnlyList<ContainerManifest> Containers { get; init; }
}

internal sealed record PodSecurity
{
    public required bool RunAsNonRoot { get; init; }

    public required int RunAsUser { get; init; }

    public required int RunAsGroup { get; init; }

    public required SeccompProfile SeccompProfile { get; init; }
}

internal sealed record SeccompProfile(string Type);

internal sealed record ContainerManifest
{
    public required string Name { get; init; }

    public required string Image { get; init; }

    public required string ImagePullPolicy { get; init; }

    public required IReadOnlyList<EnvironmentVariable> Env { get; init; }

    public required ContainerResources Resources { get; init; }

    public required ContainerSecurity SecurityContext { get; init; }
}

internal sealed record EnvironmentVariable(string Name, string Value);

internal sealed record ContainerResources
{
    public required IReadOnlyDictionary<string, string> Requests { get; init; }

    public required IReadOnlyDictionary<string, string> Limits { get; init; }
}

internal sealed record ContainerSecurity
{
    public required bool Privileged { get; init; }

    public required bool AllowPrivilegeEscalation { get; init; }

    public required Capabilities Capabilities { get; init; }
}

internal sealed record Capabilities(IReadOnlyList<string> Drop);

/// <summary>How a manifest is written.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PodManifest))]
internal sealed partial class PodJsonContext : JsonSerializerContext;
