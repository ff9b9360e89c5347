using System.Text.Json.Nodes;

namespace DonkeyWork.CodeSandbox.Bench.Cluster;

/// <summary>What a pod was created from, as far as a pod that lives tells it, to be created again under other names.</summary>
internal sealed class PodManifest
{
    private readonly JsonObject pod;

    private PodManifest(JsonObject pod) => this.pod = pod;

    /// <summary>Of a pod as <c>kubectl get --output=json</c> shows it. Its labels and annotations stay behind: it is nobody's sandbox.</summary>
    public static PodManifest Of(string json)
    {
        var pod = JsonNode.Parse(json)!.AsObject();
        pod.Remove("status");
        pod["metadata"] = new JsonObject();
        pod["spec"]!.AsObject().Remove("nodeName");
        return new PodManifest(pod);
    }

    public string Named(string name)
    {
        var named = pod.DeepClone();
        named["metadata"]!["name"] = name;
        named["spec"]!.AsObject().Remove("hostname");
        return named.ToJsonString();
    }
}
