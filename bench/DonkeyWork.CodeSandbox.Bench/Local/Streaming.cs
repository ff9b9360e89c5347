using System.Diagnostics;
using System.Net.Http.Json;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Bench.Local;

/// <summary>Many lines through executor and Manager as events, beside the same bytes through <c>runc exec</c>'s pipe.</summary>
internal static class Streaming
{
    private const int Runs = 5;

    public static async Task<IReadOnlyList<Row>> RunAsync(LocalBench bench)
    {
        await using var sandbox = await bench.Client.CreateAsync();
        return
        [
            await MeasureAsync(bench, sandbox.Name, "2 million short lines (`seq`)", "seq 2000000"),
            await MeasureAsync(bench, sandbox.Name, "64 MiB in lines of 79 characters", "head -c 67108864 /dev/zero | tr '\\0' x | fold -w 79"),
        ];
    }

    private static async Task<Row> MeasureAsync(LocalBench bench, string sandbox, string what, string command)
    {
        var ours = new Samples();
        var pipe = new Samples();
        long bytes = 0;
        for (var i = 0; i < Runs; i++)
        {
            var started = Stopwatch.GetTimestamp();
            using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/kata/{sandbox}/execute")
            {
                Content = JsonContent.Create(new ExecuteRequest { Command = command }, ContractsJsonContext.Default.ExecuteRequest),
            };
            using var response = await bench.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            response.EnsureSuccessStatusCode();
            await Measure.DrainAsync(await response.Content.ReadAsStreamAsync());
            ours.Add(Stopwatch.GetElapsedTime(started));

            var exec = await Measure.RunAsync("runc", "--root", Path.Combine(bench.StateDirectory, "runtime"), "exec", sandbox, "/bin/bash", "-c", command);
            pipe.Add(exec.Time);
            bytes = exec.Bytes;
        }

        var rate = bytes / 1e6 / (ours.Median / 1e3);
        return Row.OfTimes($"{what}, {Row.Number(rate)} MB/s of output", ours, "`runc exec`", pipe, "–");
    }
}
