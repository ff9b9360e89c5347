using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Xunit.Abstractions;

namespace DonkeyWork.CodeSandbox.Cluster.Tests.WarmPool;

/// <summary>
/// The controls of the storms: claims that go to the API server without their <c>test</c> operations, from Managers whose
/// views are behind. What judges the storms must find that.
/// </summary>
public sealed class BrokenGuardTests(ITestOutputHelper output)
{
    private const int Claims = 60;
    private const int Callers = 12;

    private static readonly string[] Settings = ["--KataContainerManager:WarmPoolSize=3", "--KataContainerManager:PoolCreateConcurrency=3"];

    [Fact]
    public async Task Two_claims_of_one_sandbox_are_seen_in_the_audit_log()
    {
        await using var plane = await ExecutorPlane.StartAsync();

        var (report, audit) = await StormWithoutTestsAsync(plane.Place);

        audit.FaultsOf(report).ShouldContain(fault => fault.Contains("was claimed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_the_executors_own_refusal_two_callers_are_answered_with_one_sandbox()
    {
        await using var control = await ControlPlane.StartAsync();

        var (report, audit) = await StormWithoutTestsAsync(control.Place);

        report.NamedTwice.ShouldNotBeEmpty();
        audit.FaultsOf(report).ShouldContain(fault => fault.Contains("was answered twice", StringComparison.Ordinal));
    }

    private async Task<(StormReport Report, ClaimAudit Audit)> StormWithoutTestsAsync(SandboxNamespace place)
    {
        await using var relay = await WatchRelay.StartAsync(place.Api);
        relay.Intercept = StripAsync;
        await using var fleet = await ManagerFleet.StartAsync(3, place, relay, Settings);
        await place.UntilWarmAsync(3);
        relay.WatchDelay = TimeSpan.FromSeconds(1);
        relay.CutWatches();
        var recording = await place.Audit.BeginAsync(place.User);
        using var storm = new ClaimStorm(fleet, Claims, Callers);
        var report = await storm.RunAsync();
        var audit = new ClaimAudit(await recording.EndAsync());
        output.WriteLine($"{report}\n{audit}\n{string.Join('\n', audit.FaultsOf(report))}");
        return (report, audit);
    }

    /// <summary>Takes the <c>test</c> operations out of patches of pods.</summary>
    private static async Task<bool> StripAsync(HttpContext context)
    {
        if (context.Request.Method != HttpMethods.Patch || !context.Request.Path.Value!.Contains("/pods/", StringComparison.Ordinal)) return false;
        var operations = (await JsonNode.ParseAsync(context.Request.Body))!.AsArray();
        var rest = new JsonArray([.. operations.Where(operation => (string?)operation!["op"] != "test").Select(operation => operation!.DeepClone())]);
        var body = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(rest.ToJsonString()));
        (context.Request.Body, context.Request.ContentLength) = (body, body.Length);
        return false;
    }
}
