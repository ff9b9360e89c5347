using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Testing.Services;

namespace DonkeyWork.CodeSandbox.Bench.Local;

/// <summary>Executions as resources: what one more costs, how fast bytes come, and how soon a reader that was cut off has the next.</summary>
internal static class Executions
{
    private const int RoundTrips = 200;
    private const int Transfers = 3;
    private const int Cuts = 50;
    private const string Gibibyte = "head -c 1073741824 /dev/zero";

    public static async Task<IReadOnlyList<Row>> RunAsync(LocalBench bench)
    {
        await using var sandbox = await bench.Client.CreateAsync();
        var path = $"/api/kata/{sandbox.Name}/";
        return [.. await RoundTripsAsync(bench, sandbox.Name, path), await TransfersAsync(bench, sandbox.Name, path), await ResumesAsync(bench, sandbox.Name)];
    }

    private static async Task<IReadOnlyList<Row>> RoundTripsAsync(LocalBench bench, string sandbox, string path)
    {
        var (ours, lines, exec) = (new Samples(), new Samples(), new Samples());
        for (var i = 0; i < RoundTrips; i++)
        {
            ours.Add(await Measure.TimeAsync(() => StreamAsync(bench, $"{path}executions", "true")));
            lines.Add(await Measure.TimeAsync(() => StreamAsync(bench, $"{path}execute", "true")));
            if (i % 10 == 0) exec.Add((await Measure.RunAsync("runc", [.. bench.ExecIn(sandbox), "/bin/bash", "-c", "true"])).Time);
        }

        return
        [
            Row.OfTimes("start of an execution with its stream, `true`", ours, "`/execute`", lines, "–"),
            Row.OfTimes("start of an execution with its stream, `true`", ours, "`runc exec`", exec, "below 1.00"),
        ];
    }

    private static async Task<Row> TransfersAsync(LocalBench bench, string sandbox, string path)
    {
        var (ours, exec) = (new Samples(), new Samples());
        for (var i = 0; i < Transfers; i++)
        {
            ours.Add(await Measure.TimeAsync(() => StreamAsync(bench, $"{path}executions", Gibibyte)));
            exec.Add((await Measure.RunAsync("runc", [.. bench.ExecIn(sandbox), "/bin/bash", "-c", Gibibyte])).Time);
        }

        return Row.OfTimes($"1 GiB through standard output in frames, {Row.Number((1L << 30) / 1e6 / (ours.Median / 1e3))} MB/s", ours, "`runc exec`", exec, "–");
    }

    /// <summary>From the moment of the cut to the first byte that was not there before, with a connection, a request and a reader of its own.</summary>
    private static async Task<Row> ResumesAsync(LocalBench bench, string sandbox)
    {
        await using var relay = new CuttingRelay { Target = bench.Http.BaseAddress };
        using var http = new HttpClient { BaseAddress = relay.Address, Timeout = Timeout.InfiniteTimeSpan };
        var execution = await RawExecution.StartAsync(http, sandbox, new { command = "while :; do echo tick; sleep 0.001; done", timeoutSeconds = 600 });
        var (ours, plain) = (new Samples(), new Samples());
        var position = 0L;
        for (var i = 0; i < Cuts; i++)
        {
            var cut = 0L;
            try
            {
                await foreach (var item in execution.ReadAsync(after: position))
                {
                    position = item.Position;
                    if (item.Bytes.Length == 0) continue;
                    cut = Stopwatch.GetTimestamp();
                    relay.CutAll();
                }
            }
            catch (Exception broken) when (broken is IOException or HttpRequestException)
            {
                await foreach (var item in execution.ReadAsync(after: position))
                    if (item.Bytes.Length > 0) break;
                ours.Add(Stopwatch.GetElapsedTime(cut));
            }

            relay.CutAll();
            plain.Add(await Measure.TimeAsync(() => http.GetStringAsync(new Uri("/livez", UriKind.Relative))));
        }

        await execution.DeleteAsync();
        return Row.OfTimes("a cut connection to the next byte", ours, "`GET /livez` by a new connection", plain, "–");
    }

    private static async Task StreamAsync(LocalBench bench, string path, string command)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(new { command }) };
        if (path.EndsWith("/executions", StringComparison.Ordinal)) request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(ExecutionEventNames.FramesMediaType));
        using var response = await bench.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        response.EnsureSuccessStatusCode();
        await Measure.DrainAsync(await response.Content.ReadAsStreamAsync());
    }
}
