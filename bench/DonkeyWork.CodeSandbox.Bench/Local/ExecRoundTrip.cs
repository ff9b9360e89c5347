using System.Diagnostics;

namespace DonkeyWork.CodeSandbox.Bench.Local;

/// <summary>One command that does nothing, from the request to its exit code, beside <c>runc exec</c> into the same sandbox.</summary>
internal static class ExecRoundTrip
{
    private const int Runs = 200;

    public static async Task<IReadOnlyList<Row>> RunAsync(LocalBench bench)
    {
        await using var sandbox = await bench.Client.CreateAsync();
        var ours = new Samples();
        var exec = new Samples();
        var bash = new Samples();
        for (var i = 0; i < Runs; i++)
        {
            var started = Stopwatch.GetTimestamp();
            await sandbox.RunAsync("true");
            ours.Add(Stopwatch.GetElapsedTime(started));

            bash.Add((await Measure.RunAsync("/bin/bash", "-c", "true")).Time);
            if (i % 10 == 0)
            {
                exec.Add((await Measure.RunAsync("runc", "--root", Path.Combine(bench.StateDirectory, "runtime"), "exec", sandbox.Name, "/bin/bash", "-c", "true")).Time);
            }
        }

        return
        [
            Row.OfTimes("exec round trip of `true`", ours, "`runc exec`", exec, "below 1.00"),
            Row.OfTimes("exec round trip of `true`", ours, "`bash -c true` on the host", bash, "–"),
        ];
    }
}
