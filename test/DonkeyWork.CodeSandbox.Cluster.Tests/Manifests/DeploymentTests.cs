using System.Text.Json.Nodes;
using DonkeyWork.CodeSandbox.Kubernetes.Tests.Pods;

namespace DonkeyWork.CodeSandbox.Cluster.Tests.Manifests;

/// <summary>The Managers in the cluster.</summary>
public sealed class DeploymentTests
{
    private static readonly JsonNode Deployment = Manifest.Read("k8s/deployment.yaml");

    private static readonly JsonNode Pod = Deployment["spec"]!["template"]!["spec"]!;

    private static readonly JsonNode Container = Pod["containers"]!.AsArray().ShouldHaveSingleItem()!;

    public static TheoryData<string> PodSecurityRules => [.. PodSecurityRestricted.Rules.Keys];

    [Theory]
    [MemberData(nameof(PodSecurityRules))]
    public void Managers_meet_Pod_Security_restricted(string rule) => PodSecurityRestricted.Rules[rule](Pod).ShouldBeTrue();

    [Fact]
    public void Managers_write_nothing_to_their_image_and_are_not_root()
    {
        Container["securityContext"]!["readOnlyRootFilesystem"]!.GetValue<bool>().ShouldBeTrue();
        Pod["securityContext"]!["runAsUser"]!.GetValue<int>().ShouldBe(1000);
        Pod["volumes"].ShouldBeNull();
    }

    [Fact]
    public void There_are_two_and_callers_find_them_by_their_service()
    {
        Deployment["metadata"]!["namespace"]!.ToString().ShouldBe("default");
        Deployment["spec"]!["replicas"]!.GetValue<int>().ShouldBe(2);
        var labels = Deployment["spec"]!["template"]!["metadata"]!["labels"]!;
        labels.ToJsonString().ShouldBe("""{"app":"kata-manager-api"}""");
        Deployment["spec"]!["selector"]!["matchLabels"]!.ToJsonString().ShouldBe(labels.ToJsonString());

        var service = Manifest.Read("k8s/service.yaml");
        service["metadata"]!["namespace"]!.ToString().ShouldBe("default");
        service["spec"]!["selector"]!.ToJsonString().ShouldBe(labels.ToJsonString());
        var port = service["spec"]!["ports"]!.AsArray().ShouldHaveSingleItem()!;
        (port["port"]!.GetValue<int>(), $"{port["targetPort"]}").ShouldBe((80, "http"));
        var containerPort = Container["ports"]!.AsArray().ShouldHaveSingleItem()!;
        (containerPort["containerPort"]!.GetValue<int>(), $"{containerPort["name"]}").ShouldBe((8668, "http"));
    }

    [Fact]
    public void They_are_alive_when_they_serve_and_ready_when_they_reach_the_API_server()
    {
        Container["livenessProbe"]!["httpGet"]!["path"]!.ToString().ShouldBe("/livez");
        Container["readinessProbe"]!["httpGet"]!["path"]!.ToString().ShouldBe("/healthz");
    }

    [Fact]
    public void Secrets_are_optional_so_that_the_Manager_itself_can_say_what_is_missing()
    {
        var fromSecrets = Container["env"]!.AsArray().Where(variable => variable!["valueFrom"] is not null)
            .ToDictionary(variable => $"{variable!["name"]}", variable => variable!["valueFrom"]!["secretKeyRef"]!.ToJsonString());

        fromSecrets.ShouldBe(new Dictionary<string, string>
        {
            ["KataContainerManager__Secret"] = """{"name":"kata-manager","key":"secret","optional":true}""",
            ["ApiKey"] = """{"name":"kata-manager","key":"api-key","optional":true}""",
        }, ignoreOrder: true);
    }

    [Fact]
    public void A_Manager_that_stops_is_out_of_its_service_first_and_has_longer_than_it_gives_its_streams()
    {
        var command = Container["lifecycle"]!["preStop"]!["exec"]!["command"]!.AsArray().Select(word => $"{word}").ToList();
        command.ShouldBe(["sleep", "5"]);
        Pod["terminationGracePeriodSeconds"]!.GetValue<int>().ShouldBeGreaterThan(5 + 30);
    }
}
