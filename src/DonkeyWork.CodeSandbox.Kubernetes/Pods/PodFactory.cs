using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;
using DonkeyWork.CodeSandbox.Sandboxes;

namespace DonkeyWork.CodeSandbox.Kubernetes.Pods;

/// <summary>
/// Makes pods. Nothing of a caller's reaches one but labels, resources and <see cref="ExecutorProtocol.StartVariable"/>.
/// They meet Pod Security "restricted" (https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted).
/// </summary>
internal static class PodFactory
{
    /// <summary>
    /// What a sandbox is promised of a node's disk. Said outright, for a limit alone counts as a request too, and a node
    /// would take no more sandboxes than can fill it.
    /// </summary>
    public const int EphemeralStorageRequestMi = 64;

    // The image's user. Said outright, for a node cannot tell from a user's name that it is not root.
    private const int UserId = 1000;

    // Executors have nothing to save, and ignore SIGTERM as all that a command could send.
    private const int GracePeriodSeconds = 2;

    /// <summary>The pod of a sandbox.</summary>
    public static PodManifest Create(SandboxSpec spec, KubernetesOptions options) => new()
    {
        Metadata = new ManifestMetadata { Name = spec.Name, Labels = LabelsOf(spec), Annotations = AnnotationsOf(spec) },
        Spec = new PodManifestSpec
        {
            RuntimeClassName = options.RuntimeClassName,
            RestartPolicy = "Never",
            AutomountServiceAccountToken = false,
            EnableServiceLinks = false,
            TerminationGracePeriodSeconds = GracePeriodSeconds,
            HostNetwork = false,
            HostPid = false,
            HostIpc = false,
            SecurityContext = new PodSecurity
            {
                RunAsNonRoot = true,
                RunAsUser = UserId,
                RunAsGroup = UserId,
                SeccompProfile = new SeccompProfile("RuntimeDefault"),
            },
            Containers =
            [
                new ContainerManifest
                {
                    Name = PodView.ContainerName,
                    Image = options.DefaultImage,
                    ImagePullPolicy = options.ImagePullPolicy.ToString(),
                    Env = EnvironmentOf(spec),
                    Resources = new ContainerResources
                    {
                        Requests = QuantitiesOf(spec.Resources.Requests!, EphemeralStorageRequestMi),
                        Limits = QuantitiesOf(spec.Resources.Limits!, options.EphemeralStorageLimitMi),
                    },
                    SecurityContext = new ContainerSecurity
                    {
                        Privileged = false,
                        AllowPrivilegeEscalation = false,
                        Capabilities = new Capabilities(["ALL"]),
                    },
                },
            ],
        },
    };

    /// <summary>What all pods of these settings have in common, whoever they are for: the manifest of nobody's.</summary>
    public static string ShapeOf(KubernetesOptions options)
    {
        var nothing = new ResourceQuantities { MemoryMi = 0, CpuMillicores = 0 };
        var nobodys = new SandboxSpec
        {
            Name = "",
            Nonce = "",
            TokenHash = "",
            PoolStatus = PoolStatus.Manual,
            Labels = SandboxLabels.OfManual,
            Resources = new ResourceRequirements { Requests = nothing, Limits = nothing },
            Start = new SandboxStart(),
            CreatedAt = DateTimeOffset.UnixEpoch,
            Template = "",
        };
        return JsonSerializer.Serialize(Create(nobodys, options), PodJsonContext.Default.PodManifest);
    }

    private static Dictionary<string, string> LabelsOf(SandboxSpec spec)
    {
        var labels = new Dictionary<string, string>([.. spec.Labels.Concat(SandboxLabels.OfManual).DistinctBy(label => label.Key)], StringComparer.Ordinal)
        {
            [SandboxLabels.ManagedBy] = SandboxLabels.Manager,
            [SandboxLabels.PoolStatus] = SandboxLabels.PoolStatusValue(spec.PoolStatus),
        };
        if (spec.Owner is { } owner) labels[SandboxLabels.AllocatedTo] = SandboxLabels.OwnerValue(owner);
        return labels;
    }

    private static Dictionary<string, string> AnnotationsOf(SandboxSpec spec)
    {
        var annotations = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [PodView.AnnotationPrefix + PodKeys.Template] = spec.Template,
            [PodView.AnnotationPrefix + PodKeys.Nonce] = spec.Nonce,
            [PodView.AnnotationPrefix + PodKeys.CreatedAt] = PodKeys.Format(spec.CreatedAt),
        };
        if (spec.PoolStatus == PoolStatus.Allocated) annotations[PodView.AnnotationPrefix + PodKeys.AllocatedAt] = PodKeys.Format(spec.CreatedAt);
        if (spec.Owner is { } owner) annotations[PodView.AnnotationPrefix + PodKeys.AllocatedTo] = owner;
        if (spec.ClaimId is { } claim) annotations[PodView.AnnotationPrefix + PodKeys.ClaimId] = claim;
        if (spec.Lifetime is { } lifetime) annotations[PodView.AnnotationPrefix + PodKeys.LifetimeSeconds] = PodKeys.Format(lifetime);
        if (spec.Epoch is { } epoch) annotations[PodView.AnnotationPrefix + PodKeys.Epoch] = PodKeys.Format(epoch);
        return annotations;
    }

    private static List<EnvironmentVariable> EnvironmentOf(SandboxSpec spec)
    {
        List<EnvironmentVariable> environment = [new(ExecutorProtocol.TokenHashVariable, spec.TokenHash)];
        if (spec.PoolStatus == PoolStatus.Warm) environment.Add(new(ExecutorProtocol.PoolVariable, "1"));
        if (spec.Start.Environment is { Count: > 0 } || spec.Start.Argv is { Count: > 0 } || spec.Start.ClaimId is not null)
            environment.Add(new(ExecutorProtocol.StartVariable, Literally(JsonSerializer.Serialize(spec.Start, ContractsJsonContext.Default.SandboxStart))));
        return environment;
    }

    // A node replaces $(NAME) in values, and takes $$ for a $
    // (https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/).
    private static string Literally(string value) => value.Replace("$", "$$", StringComparison.Ordinal);

    private static Dictionary<string, string> QuantitiesOf(ResourceQuantities quantities, int ephemeralStorageMi) => new(StringComparer.Ordinal)
    {
        ["memory"] = $"{quantities.MemoryMi}Mi",
        ["cpu"] = $"{quantities.CpuMillicores}m",
        ["ephemeral-storage"] = $"{ephemeralStorageMi}Mi",
    };
}
