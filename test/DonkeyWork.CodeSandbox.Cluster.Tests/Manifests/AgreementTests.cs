using DonkeyWork.CodeSandbox.Kubernetes;

namespace DonkeyWork.CodeSandbox.Cluster.Tests.Manifests;

/// <summary>Manifests, images, settings and documents name the same things.</summary>
public sealed class AgreementTests
{
    private static readonly KubernetesOptions Defaults = new();

    [Fact]
    public void The_kustomization_has_every_manifest_but_the_two_that_are_applied_by_themselves()
    {
        var kustomization = Manifest.Read("k8s/kustomization.yaml");

        kustomization["resources"].Texts().ShouldBe(
            Manifest.Files.Except(["kustomization.yaml", "poddisruptionbudget.yaml", "proxy-access.yaml"]), ignoreOrder: true);
    }

    [Theory]
    [InlineData("poddisruptionbudget.yaml")]
    [InlineData("proxy-access.yaml")]
    public void The_other_two_have_a_documented_command(string file) =>
        Repository.Read("docs/kubernetes.md").ShouldContain($"```sh\nkubectl apply -f k8s/{file}\n```");

    [Fact]
    public void The_namespace_is_where_Managers_make_pods_and_takes_restricted_ones_only()
    {
        var metadata = Manifest.Read("k8s/namespace.yaml")["metadata"]!;
        metadata["name"]!.ToString().ShouldBe(Defaults.TargetNamespace);
        metadata["labels"]!["pod-security.kubernetes.io/enforce"]!.ToString().ShouldBe("restricted");
    }

    [Fact]
    public void The_RuntimeClass_is_that_of_the_pods_and_counts_its_virtual_machine()
    {
        var runtime = Manifest.Read("k8s/runtimeclass.yaml");
        ($"{runtime["metadata"]!["name"]}", $"{runtime["handler"]}").ShouldBe((Defaults.RuntimeClassName, "kata-qemu"));
        runtime["overhead"]!.ToJsonString().ShouldBe("""{"podFixed":{"memory":"160Mi","cpu":"250m"}}""");
    }

    [Fact]
    public void The_quota_is_the_default_limit()
    {
        var quota = Manifest.Read("k8s/resourcequota.yaml");
        quota["metadata"]!["namespace"]!.ToString().ShouldBe(Defaults.TargetNamespace);
        // A quantity is a string; a bare number is refused by strict clients. A quota with a scope counts some pods only.
        quota["spec"]!.ToJsonString().ShouldBe($$$"""{"hard":{"pods":"{{{Defaults.MaxTotalContainers}}}"}}""");
    }

    [Fact]
    public void The_images_that_are_built_are_those_that_are_run()
    {
        var readme = Repository.Read("README.md");
        readme.ShouldContain("\ndocker build -t kata-manager-api .\n");
        readme.ShouldContain("\ndocker build -t donkeywork/codesandbox-executor -f src/DonkeyWork.CodeSandbox.Server/Dockerfile .\n");
        Defaults.DefaultImage.ShouldBe("donkeywork/codesandbox-executor:latest");
        Manifest.Read("k8s/deployment.yaml")["spec"]!["template"]!["spec"]!["containers"]![0]!["image"]!.ToString().ShouldBe("kata-manager-api:latest");
        Manifest.Read("docker-compose.yml")["services"]!["kata-container-manager"]!["image"]!.ToString().ShouldBe("kata-manager-api");
    }

    [Fact]
    public void Compose_listens_on_loopback_alone_and_does_not_start_without_its_secrets()
    {
        var services = Manifest.Read("docker-compose.yml")["services"]!.AsObject();
        var service = services.ShouldHaveSingleItem().Value!;
        service["ports"].Texts().ShouldBe(["127.0.0.1:8668:8668"]);
        service["environment"]!["ApiKey"]!.ToString().ShouldStartWith("${API_KEY:?");
        service["environment"]!["KataContainerManager__Secret"]!.ToString().ShouldStartWith("${MANAGER_SECRET:?");
        service["volumes"].Texts().ShouldHaveSingleItem().ShouldEndWith(":/kubeconfig:ro");
    }
}
