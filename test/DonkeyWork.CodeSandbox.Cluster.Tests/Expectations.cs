using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;

namespace DonkeyWork.CodeSandbox.Cluster.Tests;

/// <summary>What several tests expect in the same words.</summary>
internal static class Expectations
{
    /// <summary>How long after the API server shows something a Manager may not know it yet. This one time is a promise.</summary>
    private static readonly TimeSpan ViewLimit = TimeSpan.FromSeconds(5);

    /// <summary>Both list the same, in time: nothing is missed, and nothing is there that no Manager knows.</summary>
    public static Task ShouldSoonAgreeWithAsync(this KubernetesManager manager, SandboxNamespace place) => SoonAsync(
        async () => (await manager.ListAsync()).SequenceEqual(await place.ListLivePodsAsync()),
        async () => $"The Manager lists {string.Join(' ', await manager.ListAsync())}; there are {string.Join(' ', await place.ListLivePodsAsync())}.\n{manager.Log}");

    /// <summary>Waits as long as a Manager may be behind.</summary>
    public static async Task SoonAsync(Func<Task<bool>> condition, Func<Task<string>> otherwise)
    {
        var waited = Stopwatch.StartNew();
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await condition())
        {
            if (waited.Elapsed > ViewLimit) throw new TimeoutException(await otherwise());
            await tick.WaitForNextTickAsync();
        }
    }

    /// <summary>RFC 9457, with our code.</summary>
    public static async Task ShouldBeProblemAsync(this HttpResponseMessage response, HttpStatusCode status, string code)
    {
        var text = await response.Content.ReadAsStringAsync().WaitAsync(Patience.Limit);
        response.StatusCode.ShouldBe(status, text);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json", text);
        JsonDocument.Parse(text).RootElement.GetProperty("code").GetString().ShouldBe(code, text);
    }

    /// <summary>The first line of output, once it is there.</summary>
    public static async Task<StreamReader> ReadFirstEventAsync(this HttpResponseMessage response)
    {
        response.StatusCode.ShouldBe(HttpStatusCode.OK, response.IsSuccessStatusCode ? "" : await response.Content.ReadAsStringAsync().WaitAsync(Patience.Limit));
        var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        using var patience = new CancellationTokenSource(Patience.Limit);
        while (await reader.ReadLineAsync(patience.Token) is { } line)
            if (line.Contains("\"OutputEvent\"", StringComparison.Ordinal)) return reader;
        throw new InvalidDataException("The stream ended before its first event.");
    }

    /// <summary>The stream breaks: it neither goes on for ever, nor ends as a complete one does.</summary>
    public static async Task ShouldBreakAsync(this StreamReader stream)
    {
        var rest = new StringBuilder();
        using var patience = new CancellationTokenSource(Patience.Limit);
        var broke = false;
        try
        {
            while (await stream.ReadLineAsync(patience.Token) is { } line) rest.AppendLine(line);
        }
        catch (IOException)
        {
            broke = true;
        }

        broke.ShouldBeTrue($"{rest}");
        $"{rest}".ShouldNotContain("CompletedEvent");
    }
}
