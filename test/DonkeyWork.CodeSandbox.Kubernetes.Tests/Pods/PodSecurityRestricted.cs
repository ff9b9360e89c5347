using System.Text.Json.Nodes;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Pods;

/// <summary>
/// Pod Security "restricted" with all of "baseline", rule by rule and by its names there, over a pod's spec
/// (https://kubernetes.io/docs/concepts/security/pod-security-standards/). Stricter where that is simpler: no volumes at
/// all, and what a container may override is asked of pod and container both.
/// </summary>
internal static class PodSecurityRestricted
{
    private static readonly string[] SafeSysctls =
    [
        "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range",
    ];

    private static readonly string[] SafeSeLinuxTypes = ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];

    private static readonly string[] VolumeTypes = ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret", "name"];

    public static IReadOnlyDictionary<string, Func<JsonNode, bool>> Rules { get; } = new Dictionary<string, Func<JsonNode, bool>>
    {
        // baseline
        ["HostProcess"] = spec => Contexts(spec).All(context => !Is(context?["windowsOptions"]?["hostProcess"])),
        ["Host Namespaces"] = spec => !Is(spec["hostNetwork"]) && !Is(spec["hostPID"]) && !Is(spec["hostIPC"]),
        ["Privileged Containers"] = spec => Containers(spec).All(container => !Is(container["securityContext"]?["privileged"])),
        ["Host Path Volumes"] = spec => Items(spec["volumes"]).All(volume => volume["hostPath"] is null),
        ["Host Ports"] = spec => Containers(spec).SelectMany(container => Items(container["ports"])).All(port => port["hostPort"] is null),
        ["Host Probes / Lifecycle Hooks"] = spec => Containers(spec)
            .SelectMany(container => (JsonNode?[])[container["livenessProbe"], container["readinessProbe"], container["startupProbe"], container["lifecycle"]?["postStart"], container["lifecycle"]?["preStop"]])
            .All(action => action?["httpGet"]?["host"] is null && action?["tcpSocket"]?["host"] is null),
        ["AppArmor"] = spec => Contexts(spec).All(context => $"{context?["appArmorProfile"]?["type"]}" is "" or "RuntimeDefault" or "Localhost"),
        ["SELinux"] = spec => Contexts(spec).Select(context => context?["seLinuxOptions"]).All(options =>
            SafeSeLinuxTypes.Contains($"{options?["type"]}") && options?["user"] is null && options?["role"] is null),
        ["/proc Mount Type"] = spec => Containers(spec).All(container => $"{container["securityContext"]?["procMount"]}" is "" or "Default"),
        ["Sysctls"] = spec => Items(spec["securityContext"]?["sysctls"]).All(sysctl => SafeSysctls.Contains($"{sysctl["name"]}")),
        // restricted
        ["Volume Types"] = spec => Items(spec["volumes"]).SelectMany(volume => volume.AsObject()).All(field => VolumeTypes.Contains(field.Key)),
        ["Privilege Escalation"] = spec => Containers(spec).All(container => container["securityContext"]?["allowPrivilegeEscalation"]?.GetValue<bool>() == false),
        ["Running as Non-root"] = spec => Is(spec["securityContext"]?["runAsNonRoot"])
            && Containers(spec).All(container => container["securityContext"]?["runAsNonRoot"] is null || Is(container["securityContext"]!["runAsNonRoot"])),
        ["Running as Non-root user"] = spec => Contexts(spec).All(context => context?["runAsUser"]?.GetValue<int>() != 0),
        ["Seccomp"] = spec => $"{spec["securityContext"]?["seccompProfile"]?["type"]}" is "RuntimeDefault" or "Localhost"
            && Containers(spec).All(container => $"{container["securityContext"]?["seccompProfile"]?["type"]}" is "" or "RuntimeDefault" or "Localhost"),
        ["Capabilities"] = spec => Containers(spec).Select(container => container["securityContext"]?["capabilities"]).All(capabilities =>
            Items(capabilities?["drop"]).Any(dropped => $"{dropped}" == "ALL") && Items(capabilities?["add"]).All(added => $"{added}" == "NET_BIND_SERVICE")),
    };

    private static IEnumerable<JsonNode> Containers(JsonNode spec) =>
        ((string[])["initContainers", "containers", "ephemeralContainers"]).SelectMany(kind => Items(spec[kind]));

    private static IEnumerable<JsonNode?> Contexts(JsonNode spec) =>
        Containers(spec).Select(container => container["securityContext"]).Append(spec["securityContext"]);

    private static IEnumerable<JsonNode> Items(JsonNode? list) => list?.AsArray().OfType<JsonNode>() ?? [];

    private static bool Is(JsonNode? value) => value?.GetValue<bool>() == true;
}
