using System.Text.Json.Nodes;

namespace DonkeyWork.CodeSandbox.Cluster.Tests.Manifests;

/// <summary>
/// The one manifest that the oldest supported cluster cannot check: against the published schema of policy/v1
/// (https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/pod-disruption-budget-v1/), strictly.
/// </summary>
public sealed class PodDisruptionBudgetTests
{
    private static readonly JsonNode Budget = Manifest.Read("k8s/poddisruptionbudget.yaml");

    [Fact]
    public void It_is_what_the_schema_allows() => Faults(Budget).ShouldBeEmpty();

    [Fact]
    public void It_keeps_one_of_the_Managers_and_lets_the_others_be_drained()
    {
        var deployment = Manifest.Read("k8s/deployment.yaml");
        Budget["metadata"]!["namespace"]!.ToString().ShouldBe($"{deployment["metadata"]!["namespace"]}");
        Budget["spec"]!["selector"]!["matchLabels"]!.ToJsonString().ShouldBe(deployment["spec"]!["template"]!["metadata"]!["labels"]!.ToJsonString());
        Budget["spec"]!["minAvailable"]!.GetValue<int>().ShouldBeInRange(1, deployment["spec"]!["replicas"]!.GetValue<int>() - 1);
    }

    [Theory]
    [InlineData("minimumAvailable", "1")]
    [InlineData("minAvailable", "\"two\"")]
    [InlineData("minAvailable", "true")]
    [InlineData("minAvailable", "-1")]
    [InlineData("maxUnavailable", "1")]
    [InlineData("selector", """{"app":"kata-manager-api"}""")]
    [InlineData("selector", """{"matchLabels":{"app":1}}""")]
    [InlineData("unhealthyPodEvictionPolicy", "\"Always\"")]
    public void What_the_schema_does_not_allow_is_found(string field, string value)
    {
        var broken = Budget.DeepClone();
        broken["spec"]![field] = JsonNode.Parse(value);

        Faults(broken).ShouldNotBeEmpty();
    }

    private static IEnumerable<string> Faults(JsonNode budget)
    {
        if ($"{budget["apiVersion"]}/{budget["kind"]}" != "policy/v1/PodDisruptionBudget") yield return "apiVersion, kind";
        foreach (var field in Unknown(budget, "apiVersion", "kind", "metadata", "spec")) yield return field;
        foreach (var field in Unknown(budget["metadata"]!, "name", "namespace", "labels", "annotations")) yield return field;
        var spec = budget["spec"]!;
        foreach (var field in Unknown(spec, "minAvailable", "maxUnavailable", "selector", "unhealthyPodEvictionPolicy")) yield return field;
        if (spec["minAvailable"] is not null && spec["maxUnavailable"] is not null) yield return "minAvailable and maxUnavailable exclude each other";
        foreach (var field in (string[])["minAvailable", "maxUnavailable"])
        {
            if (spec[field] is { } value && !IsCountOrPercentage(value.AsValue())) yield return field;
        }

        if (spec["unhealthyPodEvictionPolicy"] is { } policy && $"{policy}" is not ("IfHealthyBudget" or "AlwaysAllow")) yield return "unhealthyPodEvictionPolicy";
        if (spec["selector"] is not JsonObject selector) yield break;
        foreach (var field in Unknown(selector, "matchLabels", "matchExpressions")) yield return field;
        if (selector["matchLabels"] is JsonObject labels && labels.Any(label => label.Value?.GetValueKind() != System.Text.Json.JsonValueKind.String)) yield return "matchLabels";
    }

    private static bool IsCountOrPercentage(JsonValue value) => value.GetValueKind() switch
    {
        System.Text.Json.JsonValueKind.Number => value.GetValue<int>() >= 0,
        System.Text.Json.JsonValueKind.String => $"{value}" is [.. var digits, '%'] && digits.Length > 0 && digits.All(char.IsAsciiDigit),
        _ => false,
    };

    private static IEnumerable<string> Unknown(JsonNode node, params string[] known) => node.AsObject().Select(field => field.Key).Except(known);
}
