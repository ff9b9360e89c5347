using Xunit.Abstractions;

namespace DonkeyWork.CodeSandbox.Cluster.Tests;

/// <summary>How soon a caller hears of a sandbox that has become ready.</summary>
public sealed class ReadyLatencyTests(ITestOutputHelper output)
{
    /// <summary>
    /// Who looked every second, or half of one, would be tens of health checks late; how long one takes depends on the machine.
    /// </summary>
    private const int HealthChecks = 20;

    [Fact]
    public async Task Ready_is_told_as_soon_as_the_watch_shows_it_and_the_executor_has_answered()
    {
        var samples = await ReadyLatency.MeasureAsync(20);
        var ready = ReadyLatency.Median(samples.Select(sample => sample.Ready));
        var healthCheck = ReadyLatency.Median(samples.Select(sample => sample.HealthCheck));
        output.WriteLine($"ready after the watch event: median {ready.TotalMilliseconds:0.0} ms of {samples.Count}, a health check alone {healthCheck.TotalMilliseconds:0.0} ms");

        (ready / healthCheck).ShouldBeLessThan(HealthChecks);
    }
}
