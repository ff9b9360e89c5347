using System.Net.Http.Json;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Bench.Local;

/// <summary>A claim of a warm sandbox by HTTP, its executor a real one, beside a create until <c>ready</c>.</summary>
internal static class Allocation
{
    public const int PoolSize = 5;

    private const int Runs = 60;

    // A Manager's first requests compile what they meet.
    private const int Unmeasured = 30;

    private static readonly TimeSpan Settling = TimeSpan.FromMilliseconds(200);
    private static readonly Uri Allocate = new("/api/kata/allocate", UriKind.Relative);
    private static readonly Uri PoolStatus = new("/api/kata/pool/status", UriKind.Relative);

    public static async Task<IReadOnlyList<Row>> RunAsync(LocalBench bench)
    {
        var claims = new Samples();
        var health = new Samples();
        var creates = new Samples();
        var claimed = new List<string>();
        for (var i = 0; i < Unmeasured; i++)
        {
            await UntilPoolIsFullAsync(bench);
            claimed.Add((await ClaimAsync(bench)).GetProperty("name").GetString()!);
        }

        for (var i = 0; i < Runs; i++)
        {
            await UntilPoolIsFullAsync(bench);
            JsonElement info = default;
            claims.Add(await Measure.TimeAsync(async () => info = await ClaimAsync(bench)));
            claimed.Add(info.GetProperty("name").GetString()!);
            health.Add(await Measure.TimeAsync(() => bench.Http.GetStringAsync(PoolStatus)));
            if (i % 3 != 0) continue;
            await UntilPoolIsFullAsync(bench);
            CodeSandbox.Client.Sandbox? sandbox = null;
            creates.Add(await Measure.TimeAsync(async () => sandbox = await bench.Client.CreateAsync()));
            claimed.Add(sandbox!.Name);
        }

        // Only now, so that no claim is measured while a sandbox is taken apart.
        foreach (var name in claimed) await bench.Client.DeleteAsync(name);
        return
        [
            Row.OfTimes("claim of a warm sandbox", claims, "cold create to `ready`", creates, "at most 3 ms"),
            Row.OfTimes("claim of a warm sandbox", claims, "`GET /api/kata/pool/status`", health, "–"),
        ];
    }

    private static async Task<JsonElement> ClaimAsync(LocalBench bench)
    {
        using var response = await bench.Http.PostAsJsonAsync(Allocate, new { userId = "user@example.org" });
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }

    // What refills costs is in no claim that is measured: the last one's executor is up a moment after its container.
    private static async Task UntilPoolIsFullAsync(LocalBench bench)
    {
        await Patience.UntilAsync(
            async () =>
            {
                var status = await bench.Http.GetFromJsonAsync<JsonElement>(PoolStatus);
                return status.GetProperty("warm").GetInt32() == status.GetProperty("targetSize").GetInt32() && status.GetProperty("creating").GetInt32() == 0;
            },
            () => "The pool does not fill.");
        await Task.Delay(Settling, TimeProvider.System);
    }
}
