using System.Diagnostics;
using System.Text.Json.Nodes;

namespace DonkeyWork.CodeSandbox.Bench.Local;

/// <summary>A create until <c>ready</c>, beside <c>runc run</c> of <c>true</c> with the very configuration that a sandbox has.</summary>
internal static class ColdCreate
{
    private const int Runs = 20;

    public static async Task<IReadOnlyList<Row>> RunAsync(LocalBench bench)
    {
        await using var model = await bench.Client.CreateAsync();
        var bundle = WriteBareBundle(bench, model.Name);
        var ours = new Samples();
        var bare = new Samples();
        for (var i = 0; i < Runs; i++)
        {
            var started = Stopwatch.GetTimestamp();
            var sandbox = await bench.Client.CreateAsync();
            ours.Add(Stopwatch.GetElapsedTime(started));
            await sandbox.DisposeAsync();

            bare.Add((await Measure.RunAsync(
                "runc", "--root", Path.Combine(bundle, "state"), "run", "--bundle", bundle, $"bare-{i}")).Time);
        }

        return [Row.OfTimes("cold create to `ready`", ours, "bare `runc run true`", bare, "at most 3.00")];
    }

    private static string WriteBareBundle(LocalBench bench, string sandbox)
    {
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(bench.StateDirectory, "sandboxes", sandbox, "config.json")))!;
        config["process"]!["args"] = new JsonArray("/bin/true");
        config["linux"]!["cgroupsPath"] = $"/codesandbox-bench-{Environment.ProcessId}";
        var bundle = Directory.CreateDirectory(Path.Combine(bench.StateDirectory, "bare")).FullName;
        File.WriteAllText(Path.Combine(bundle, "config.json"), config.ToJsonString());
        return bundle;
    }
}
