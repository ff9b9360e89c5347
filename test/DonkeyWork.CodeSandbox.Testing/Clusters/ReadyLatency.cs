using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Testing.Processes;

namespace DonkeyWork.CodeSandbox.Testing.Clusters;

/// <summary>
/// How long after the watch event that shows a pod Ready a caller is told <c>ready</c>. Both moments are taken outside of the
/// Manager, in one process and with one monotonic clock: the first when a relay hands the event to the Manager, the second when
/// the caller has read its line.
/// </summary>
/// <param name="Ready">That time.</param>
/// <param name="HealthCheck">What of it nobody can save: one health check through the API server, the way the Manager asks.</param>
public sealed record ReadyLatency(TimeSpan Ready, TimeSpan HealthCheck)
{
    /// <summary>One Manager, so many creates one after the other, on the cluster that is an API server alone.</summary>
    public static async Task<IReadOnlyList<ReadyLatency>> MeasureAsync(int count)
    {
        await using var control = await ControlPlane.StartAsync();
        await using var relay = await WatchRelay.StartAsync(control.Place.Api);
        var shown = new ConcurrentDictionary<string, long>(StringComparer.Ordinal);
        relay.OnWatchLine = line =>
        {
            if (NameIfReady(line) is { } name) shown.TryAdd(name, Stopwatch.GetTimestamp());
        };
        await using var manager = await KubernetesManager.StartAsync(control.Place, relay);
        using var direct = new HttpClient { BaseAddress = relay.Address };
        direct.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", control.Place.Token);

        var samples = new List<ReadyLatency>();
        for (var i = 0; i < count; i++)
        {
            using var response = await manager.CreateAsync(waitForReady: true);
            using var events = new StreamReader(await response.Content.ReadAsStreamAsync());
            var (name, told) = await ReadToReadyAsync(events);
            var asked = Stopwatch.GetTimestamp();
            await direct.GetStringAsync($"{control.Place.Pods}/{name}:8666/proxy/healthz");
            samples.Add(new ReadyLatency(Stopwatch.GetElapsedTime(shown[name], told), Stopwatch.GetElapsedTime(asked)));
            await manager.Client.DeleteAsync(name);
        }

        return samples;
    }

    /// <summary>The middle one.</summary>
    public static TimeSpan Median(IEnumerable<TimeSpan> of) => of.Order().ToList() is var sorted ? sorted[sorted.Count / 2] : default;

    private static async Task<(string Name, long Told)> ReadToReadyAsync(StreamReader events)
    {
        using var patience = new CancellationTokenSource(Patience.Limit);
        while (await events.ReadLineAsync(patience.Token) is { } line)
        {
            if (!line.Contains("\"eventType\":\"ready\"", StringComparison.Ordinal)) continue;
            var told = Stopwatch.GetTimestamp();
            return (JsonDocument.Parse(line[6..]).RootElement.GetProperty("podName").GetString()!, told);
        }

        throw new InvalidDataException("The sandbox did not become ready.");
    }

    private static string? NameIfReady(string line)
    {
        var pod = JsonDocument.Parse(line).RootElement.GetProperty("object");
        return pod.TryGetProperty("status", out var status) && status.TryGetProperty("conditions", out var conditions)
            && conditions.EnumerateArray().Any(condition => condition.GetProperty("type").ValueEquals("Ready") && condition.GetProperty("status").ValueEquals("True"))
            ? pod.GetProperty("metadata").GetProperty("name").GetString()
            : null;
    }
}
