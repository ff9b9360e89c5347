using DonkeyWork.CodeSandbox.Testing.Clusters;

namespace DonkeyWork.CodeSandbox.Bench.Cluster;

/// <summary>
/// How long after the watch has shown a pod Ready the caller is told so, beside the one question to its executor that is in it.
/// </summary>
internal static class Readiness
{
    private const int Creations = 20;

    public static async Task<IReadOnlyList<Row>> RunAsync()
    {
        var ready = new Samples();
        var question = new Samples();
        foreach (var measured in await ReadyLatency.MeasureAsync(Creations))
        {
            ready.Add(measured.Ready);
            question.Add(measured.HealthCheck);
        }

        return [Row.OfTimes("watch event of a Ready pod until `ready`", ready, "one health check through the API server", question, "at most 100 ms")];
    }
}
