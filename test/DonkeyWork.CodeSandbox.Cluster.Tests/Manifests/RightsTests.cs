using System.Text.Json.Nodes;

namespace DonkeyWork.CodeSandbox.Cluster.Tests.Manifests;

/// <summary>What Managers may do: this and nothing else.</summary>
public sealed class RightsTests
{
    [Fact]
    public void A_Manager_may_do_to_pods_leases_and_quotas_what_it_does_and_nothing_else() =>
        RulesOf(Manifest.Read("k8s/role.yaml")).ShouldBe(
        [
            ":pods:get,list,watch,create,patch,delete",
            "coordination.k8s.io:leases:get,list,watch,create,patch",
            ":resourcequotas:get,list,watch",
        ]);

    [Fact]
    public void Only_the_role_of_Managers_outside_reaches_into_pods()
    {
        var role = Manifest.Read("k8s/proxy-access.yaml", "Role", "kata-manager-proxy");
        RulesOf(role).ShouldBe([":pods/proxy:get,create,update,delete"]);

        var bindings = Manifest.Objects.Where(item => $"{item["kind"]}" == "RoleBinding" && $"{item["roleRef"]!["name"]}" == "kata-manager-proxy");
        bindings.ShouldHaveSingleItem()["subjects"].ShouldBeOf("ServiceAccount/default/kata-manager-outside");
    }

    [Fact]
    public void Rights_are_given_in_the_sandboxes_namespace_alone_and_to_two_accounts()
    {
        Manifest.Objects.Select(item => $"{item["kind"]}").Where(kind => kind.StartsWith("Cluster", StringComparison.Ordinal)).ShouldBeEmpty();
        foreach (var item in Manifest.Objects.Where(item => $"{item["kind"]}" is "Role" or "RoleBinding"))
            item["metadata"]!["namespace"]!.ToString().ShouldBe("sandbox-containers");

        var rules = Manifest.Objects.Where(item => $"{item["kind"]}" == "Role").SelectMany(RulesOf).ToList();
        rules.Count.ShouldBe(4);
        rules.ShouldAllBe(rule => !rule.Contains("secrets") && !rule.Contains('*') && !rule.Contains("exec"));

        Manifest.Read("k8s/rolebinding.yaml")["subjects"].ShouldBeOf("ServiceAccount/default/kata-manager");
        Manifest.Read("k8s/rolebinding.yaml")["roleRef"]!["name"]!.ToString().ShouldBe("kata-manager");
        Manifest.Read("k8s/serviceaccount.yaml")["metadata"]!["name"]!.ToString().ShouldBe("kata-manager");
        Manifest.Read("k8s/deployment.yaml")["spec"]!["template"]!["spec"]!["serviceAccountName"]!.ToString().ShouldBe("kata-manager");
    }

    private static IEnumerable<string> RulesOf(JsonNode role) => role["rules"]!.AsArray().Select(rule =>
    {
        rule!.AsObject().Select(field => field.Key).ShouldBe(["apiGroups", "resources", "verbs"]);
        return $"{string.Join(',', rule["apiGroups"].Texts())}:{string.Join(',', rule["resources"].Texts())}:{string.Join(',', rule["verbs"].Texts())}";
    });
}

file static class Subjects
{
    public static void ShouldBeOf(this JsonNode? subjects, params string[] expected) =>
        subjects!.AsArray().Select(subject => $"{subject!["kind"]}/{subject["namespace"]}/{subject["name"]}").ShouldBe(expected);
}
