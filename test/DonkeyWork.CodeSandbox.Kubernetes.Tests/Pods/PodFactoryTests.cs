using System.Text.Json.Nodes;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Kubernetes.Pods;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Testing.Backends;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Pods;

/// <summary>What is in a pod, read from the JSON that the API server gets.</summary>
public sealed class PodFactoryTests
{
    private static readonly KubernetesOptions Options = new() { DefaultImage = "registry.example/executor:1", EphemeralStorageLimitMi = 700 };

    [Fact]
    public void It_carries_what_the_contract_names()
    {
        var spec = Specs.New();

        var pod = PodOf(spec);

        pod["metadata"]!["name"]!.ToString().ShouldBe(spec.Name);
        Texts(pod["metadata"]!["labels"]!).ShouldBe(new Dictionary<string, string>
        {
            ["team"] = "red", ["app"] = "kata-manager", ["runtime"] = "kata", ["managed-by"] = "CodeSandbox-Manager", ["container-type"] = "sandbox", ["pool-status"] = "manual",
        }, ignoreOrder: true);
        Texts(pod["metadata"]!["annotations"]!).ShouldBe(new Dictionary<string, string>
        {
            ["codesandbox.donkeywork.dev/template"] = spec.Template,
            ["codesandbox.donkeywork.dev/nonce"] = spec.Nonce,
            ["codesandbox.donkeywork.dev/created-at"] = $"{spec.CreatedAt.ToUnixTimeSeconds()}",
        }, ignoreOrder: true);
        var body = pod["spec"]!;
        body["runtimeClassName"]!.ToString().ShouldBe("kata-qemu");
        body["restartPolicy"]!.ToString().ShouldBe("Never");
        body["automountServiceAccountToken"]!.GetValue<bool>().ShouldBeFalse();
        body["enableServiceLinks"]!.GetValue<bool>().ShouldBeFalse();
        body["terminationGracePeriodSeconds"]!.GetValue<int>().ShouldBe(2);
        var container = body["containers"]!.AsArray().ShouldHaveSingleItem()!;
        (container["image"]!.ToString(), container["imagePullPolicy"]!.ToString()).ShouldBe(("registry.example/executor:1", "IfNotPresent"));
        Texts(container["resources"]!["requests"]!).ShouldBe(new Dictionary<string, string> { ["memory"] = "64Mi", ["cpu"] = "20m", ["ephemeral-storage"] = "64Mi" }, ignoreOrder: true);
        Texts(container["resources"]!["limits"]!).ShouldBe(new Dictionary<string, string> { ["memory"] = "256Mi", ["cpu"] = "1000m", ["ephemeral-storage"] = "700Mi" }, ignoreOrder: true);
        foreach (var absent in (string[])["command", "args", "readinessProbe", "livenessProbe", "startupProbe", "volumeMounts", "ports"]) container[absent].ShouldBeNull();
    }

    [Fact]
    public void A_callers_label_never_takes_the_place_of_one_of_ours()
    {
        var pod = PodOf(Specs.New(PoolStatus.Warm) with { Labels = new Dictionary<string, string> { ["managed-by"] = "somebody", ["pool-status"] = "manual" } });

        pod["metadata"]!["labels"]!["managed-by"]!.ToString().ShouldBe("CodeSandbox-Manager");
        pod["metadata"]!["labels"]!["pool-status"]!.ToString().ShouldBe("warm");
    }

    [Fact]
    public void The_executors_environment_holds_its_tokens_hash_what_it_starts_with_and_whether_it_waits_in_the_pool()
    {
        var spec = Specs.New();
        EnvironmentOf(spec).ShouldBe([("CODESANDBOX_TOKEN_SHA256", spec.TokenHash)]);

        EnvironmentOf(Specs.New(PoolStatus.Warm)).Select(variable => variable.Name).ShouldBe(["CODESANDBOX_TOKEN_SHA256", "CODESANDBOX_POOL"]);

        var start = new SandboxStart { Environment = new Dictionary<string, string> { ["A"] = "$(CODESANDBOX_TOKEN_SHA256) $$" }, Argv = ["run", "$(A)"] };
        var given = EnvironmentOf(Specs.New(start: start)).Single(variable => variable.Name == "CODESANDBOX_START").Value;
        // As a node reads it: $$ is a $, and what is behind it is left alone.
        given.Replace("$$", "", StringComparison.Ordinal).ShouldNotContain("$");
        var read = JsonSerializer.Deserialize(given.Replace("$$", "$", StringComparison.Ordinal), ContractsJsonContext.Default.SandboxStart)!;
        read.Environment!["A"].ShouldBe("$(CODESANDBOX_TOKEN_SHA256) $$");
        read.Argv.ShouldBe(["run", "$(A)"]);
    }

    public static TheoryData<string, PoolStatus> Rules()
    {
        var data = new TheoryData<string, PoolStatus>();
        foreach (var rule in PodSecurityRestricted.Rules.Keys)
        {
            data.Add(rule, PoolStatus.Manual);
            data.Add(rule, PoolStatus.Warm);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public void Every_pod_meets_every_rule_of_pod_security_restricted(string rule, PoolStatus status) =>
        PodSecurityRestricted.Rules[rule](PodOf(Specs.New(status))["spec"]!).ShouldBeTrue(rule);

    // The rules themselves: each is broken by one change to a pod that keeps them all.
    [Theory]
    [InlineData("HostProcess", """{"securityContext":{"windowsOptions":{"hostProcess":true}}}""")]
    [InlineData("Host Namespaces", """{"hostNetwork":true}""")]
    [InlineData("Host Namespaces", """{"hostPID":true}""")]
    [InlineData("Host Namespaces", """{"hostIPC":true}""")]
    [InlineData("Privileged Containers", """{"containers":[{"securityContext":{"privileged":true}}]}""")]
    [InlineData("Capabilities", """{"containers":[{"securityContext":{"capabilities":{"drop":["NET_RAW"]}}}]}""")]
    [InlineData("Capabilities", """{"containers":[{"securityContext":{"capabilities":{"drop":["ALL"],"add":["SYS_ADMIN"]}}}]}""")]
    [InlineData("Volume Types", """{"volumes":[{"name":"host","hostPath":{"path":"/"}}]}""")]
    [InlineData("Host Ports", """{"containers":[{"ports":[{"containerPort":1,"hostPort":1}]}]}""")]
    [InlineData("AppArmor", """{"securityContext":{"appArmorProfile":{"type":"Unconfined"}}}""")]
    [InlineData("SELinux", """{"securityContext":{"seLinuxOptions":{"user":"root"}}}""")]
    [InlineData("/proc Mount Type", """{"containers":[{"securityContext":{"procMount":"Unmasked"}}]}""")]
    [InlineData("Seccomp", """{"securityContext":{"seccompProfile":{"type":"Unconfined"}}}""")]
    [InlineData("Sysctls", """{"securityContext":{"sysctls":[{"name":"kernel.msgmax","value":"1"}]}}""")]
    [InlineData("Privilege Escalation", """{"containers":[{"securityContext":{"allowPrivilegeEscalation":true}}]}""")]
    [InlineData("Running as Non-root", """{"securityContext":{"runAsNonRoot":false}}""")]
    [InlineData("Running as Non-root user", """{"securityContext":{"runAsUser":0}}""")]
    public void A_pod_that_breaks_a_rule_is_noticed(string rule, string change)
    {
        var spec = PodOf(Specs.New())["spec"]!;
        Merge(spec.AsObject(), JsonNode.Parse(change)!.AsObject());

        PodSecurityRestricted.Rules[rule](spec).ShouldBeFalse();
    }

    [Fact]
    public void Whatever_changes_the_pods_shape_changes_the_shape_and_what_is_one_sandboxes_own_does_not()
    {
        KubernetesOptions[] others =
        [
            Options with { DefaultImage = "other" },
            Options with { RuntimeClassName = "gvisor" },
            Options with { EphemeralStorageLimitMi = 701 },
            Options with { ImagePullPolicy = ImagePullPolicy.Always },
        ];

        others.Select(other => other.Shape).Append(Options.Shape).Distinct().Count().ShouldBe(5);
        Options.Shape.ShouldContain("allowPrivilegeEscalation");
        (Options with { Secret = "another", TargetNamespace = "another", MaxTotalContainers = 1 }).Shape.ShouldBe(Options.Shape);
    }

    private static JsonNode PodOf(SandboxSpec spec) => JsonSerializer.SerializeToNode(PodFactory.Create(spec, Options), PodJsonContext.Default.PodManifest)!;

    private static List<(string Name, string Value)> EnvironmentOf(SandboxSpec spec) =>
        [.. PodOf(spec)["spec"]!["containers"]![0]!["env"]!.AsArray().Select(variable => (variable!["name"]!.ToString(), variable["value"]!.ToString()))];

    private static Dictionary<string, string> Texts(JsonNode node) => node.AsObject().ToDictionary(pair => pair.Key, pair => pair.Value!.ToString());

    private static void Merge(JsonObject target, JsonObject change)
    {
        foreach (var (key, value) in change)
        {
            if (target[key] is JsonObject inner && value is JsonObject more) Merge(inner, more);
            else if (key == "containers") Merge(target[key]![0]!.AsObject(), value![0]!.AsObject());
            else target[key] = value?.DeepClone();
        }
    }
}
