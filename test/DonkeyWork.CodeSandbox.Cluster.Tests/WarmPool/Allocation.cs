using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace DonkeyWork.CodeSandbox.Cluster.Tests.WarmPool;

/// <summary>Claims over plain HTTP.</summary>
internal static class Allocation
{
    /// <summary>The answer to a claim.</summary>
    public static Task<HttpResponseMessage> AllocateAsync(this KubernetesManager manager, object request) => manager.Http.PostAsJsonAsync("/api/kata/allocate", request);

    /// <summary>Claims one, however long that takes; its name.</summary>
    public static async Task<string> AllocateNamedAsync(this KubernetesManager manager, string user = "somebody")
    {
        using var response = await manager.AllocateAsync(new { userId = user, waitSeconds = 60 });
        return await response.ReadNameAsync();
    }

    /// <summary>The name of the sandbox that a claim was answered with.</summary>
    public static async Task<string> ReadNameAsync(this HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync().WaitAsync(Patience.Limit);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, text);
        return JsonDocument.Parse(text).RootElement.GetProperty("name").GetString()!;
    }

    /// <summary>Waits until so many are warm, whatever else there is.</summary>
    public static async Task UntilWarmAsync(this SandboxNamespace place, int count)
    {
        IReadOnlyList<JsonElement> pods = [];
        await Patience.UntilAsync(
            async () => PodCounts.Of(pods = await place.ListPodsAsync()).Warm == count,
            () => $"There are not {count} warm: {PodCounts.Of(pods)}:\n{string.Join('\n', pods.Select(PodCounts.WordsOf))}");
    }
}
