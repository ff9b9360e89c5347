using System.Text.Json;

namespace DonkeyWork.CodeSandbox.Cluster.Tests.WarmPool;

/// <summary>The pods of a namespace by what they are, as the API server shows them.</summary>
/// <param name="Warm">Of the pool, Ready, and not being deleted.</param>
/// <param name="Others">All others.</param>
internal sealed record PodCounts(int Warm, int Others)
{
    public static PodCounts Of(IReadOnlyList<JsonElement> pods)
    {
        var warm = pods.Count(IsWarm);
        return new PodCounts(warm, pods.Count - warm);
    }

    /// <summary>What there is to say of one that should not be, or should be warm.</summary>
    public static string WordsOf(JsonElement pod)
    {
        var (metadata, status) = (pod.GetProperty("metadata"), pod.GetProperty("status"));
        return $"{metadata.GetProperty("name")} made {metadata.GetProperty("creationTimestamp")}, deleted {Of(metadata, "deletionTimestamp")}, labels {Of(metadata, "labels")}, "
            + $"{Of(status, "phase")} {Of(status, "reason")} {Of(status, "message")} at {Of(status, "podIP")}, conditions {Of(status, "conditions")}";

        static string Of(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value.GetRawText() : "-";
    }

    private static bool IsWarm(JsonElement pod)
    {
        var metadata = pod.GetProperty("metadata");
        return !metadata.TryGetProperty("deletionTimestamp", out _)
            && metadata.GetProperty("labels").GetProperty("pool-status").GetString() == "warm"
            && pod.GetProperty("status").TryGetProperty("conditions", out var conditions)
            && conditions.EnumerateArray().Any(condition => condition.GetProperty("type").GetString() == "Ready" && condition.GetProperty("status").GetString() == "True");
    }
}
