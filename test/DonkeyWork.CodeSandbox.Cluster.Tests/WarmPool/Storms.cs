using System.Diagnostics;
using Xunit.Abstractions;

namespace DonkeyWork.CodeSandbox.Cluster.Tests.WarmPool;

/// <summary>A storm, and the judgement of it, on whichever cluster.</summary>
internal static class Storms
{
    public const int PoolSize = 20;

    private const int Kills = 6;

    /// <summary>What is never answered is to go soon.</summary>
    public static string[] Settings { get; } =
    [
        $"--KataContainerManager:WarmPoolSize={PoolSize}",
        "--KataContainerManager:PoolCreateConcurrency=8",
        "--KataContainerManager:MaxTotalContainers=90",
        "--KataContainerManager:IdleTimeoutMinutes=1",
        "--KataContainerManager:CleanupCheckIntervalMinutes=1",
        "--KataContainerManager:LeaderLeaseDurationSeconds=5",
    ];

    /// <summary>Everything that is promised holds; prints what was seen.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="place">The namespace, with a full pool.</param>
    /// <param name="fleet">The Managers.</param>
    /// <param name="claims">How many.</param>
    /// <param name="callers">By how many.</param>
    /// <param name="faultsFrom">After how many answers the faults begin; <see langword="null"/>: none.</param>
    public static async Task RunAsync(ITestOutputHelper output, SandboxNamespace place, ManagerFleet fleet, int claims, int callers, int? faultsFrom = null)
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}: {claims} claims by {callers} callers from {fleet.Count} Managers");
        var recording = await place.Audit.BeginAsync(place.User);
        using var storm = new ClaimStorm(fleet, claims, callers);
        var report = await storm.RunAsync(faultsFrom is { } from
            ? () => StormFaults.StrikeAsync(storm, fleet, new Random(seed), from..(claims * 9 / 10), Kills, () => place.Cluster.RestartApiServerAsync())
            : null);
        output.WriteLine($"{report}");

        var waited = Stopwatch.StartNew();
        await fleet.UntilOnlyThePoolIsThereAsync(place, PoolSize);
        var audit = new ClaimAudit(await recording.EndAsync());
        output.WriteLine($"{audit}");
        output.WriteLine($"{fleet.Killed} Managers killed; {audit.UnansweredOf(report)} claims written and not answered with, all gone {waited.Elapsed.TotalSeconds:0} s later; the pool is back at {PoolSize}");

        report.Answers.Count.ShouldBe(claims);
        audit.FaultsOf(report).ShouldBeEmpty();
        foreach (var never in (string[])[StormReport.Lost, StormReport.Traces, StormReport.Bare]) report.Counts.Keys.ShouldNotContain(never);
    }
}
