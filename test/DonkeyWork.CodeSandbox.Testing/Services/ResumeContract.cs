using System.Diagnostics;
using System.Text;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Testing.Processes;

namespace DonkeyWork.CodeSandbox.Testing.Services;

/// <summary>What a command prints survives its connections and the Managers that serve it.</summary>
public abstract class ResumeContract(TestService service)
{
    private static readonly TimeSpan BetweenCuts = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task With_curl_and_the_last_position_every_line_comes_once_while_connections_are_cut_and_the_Manager_is_killed_twice()
    {
        await using var sandbox = await service.CreateAsync();
        var lines = new NumberedLines(15);

        var curl = await CurlAsync(sandbox, lines, kills: 2);

        lines.FaultIn(curl.Output).ShouldBeNull(curl.Error);
        JsonDocument.Parse(curl.Error).RootElement.GetProperty("exitCode").GetInt32().ShouldBe(NumberedLines.ExitCode, "and nothing was truncated");
    }

    [Fact]
    public async Task Control__who_forgets_the_position_sees_lines_twice()
    {
        await using var sandbox = await service.CreateAsync();
        var lines = new NumberedLines(5);

        var curl = await CurlAsync(sandbox, lines, kills: 0, remembers: false);

        lines.FaultIn(curl.Output).ShouldNotBeNull();
    }

    private async Task<Tool> CurlAsync(TestSandbox sandbox, NumberedLines lines, int kills, bool remembers = true)
    {
        using var over = new CancellationTokenSource();
        var start = JsonSerializer.Serialize(new { id = "numbers", command = lines.Command, overflow = "wait" });
        var reading = CurlReader.RunAsync(service.Ways.Select(way => way.Address), sandbox.Name, start, remembers);
        var disturbing = DisturbAsync(lines, kills, over.Token);
        var curl = await reading;
        await over.CancelAsync();
        await disturbing;
        return curl;
    }

    /// <summary>Cuts every connection every two seconds, and kills the Manager that serves at even intervals.</summary>
    private async Task DisturbAsync(NumberedLines lines, int kills, CancellationToken over)
    {
        var cutting = service.Ways.Select(way => way.CutEveryAsync(BetweenCuts, over)).ToList();
        using var tick = new PeriodicTimer(TimeSpan.FromSeconds(lines.Seconds) / (kills + 1));
        for (var i = 0; i < kills; i++)
        {
            await tick.WaitForNextTickAsync(CancellationToken.None);
            await service.KillAsync(service.Ways.Where(way => way.Target is not null).MaxBy(way => way.BytesOfOpen)!);
        }

        await Task.WhenAll(cutting);
        service.Ways.Sum(way => way.Cuts).ShouldBeGreaterThan(0);
    }
}
