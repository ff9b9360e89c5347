using System.Text;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Client;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Testing.Processes;

namespace DonkeyWork.CodeSandbox.Testing.Services;

/// <summary>What a command prints survives its connections and the Managers that serve it.</summary>
public abstract class ResumeContract(TestService service)
{
    private static readonly TimeSpan BetweenCuts = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task With_the_client_every_line_comes_once_for_a_minute_while_connections_are_cut_and_the_Manager_is_killed_twice()
    {
        await using var sandbox = await service.CreateAsync();
        await using var client = new CodeSandboxClient([.. service.Ways.Select(way => way.Address)]);
        var lines = new NumberedLines(60);

        await using var execution = await client.Attach(sandbox.Name).StartAsync(lines.Command, new StartOptions { Overflow = OverflowPolicy.Wait });
        var reading = DuringAsync(lines, kills: 2, async () =>
        {
            using var reader = new StreamReader(execution.StandardOutput);
            return await reader.ReadToEndAsync();
        });
        // And once more, by the events, which are a reader of their own.
        var (text, exits) = (new StringBuilder(), 0);
        await foreach (var next in execution.ReadEventsAsync())
        {
            if (next is ProcessOutput output) text.Append(output.Text);
            if (next is ProcessExited) exits++;
        }

        lines.FaultIn(await reading).ShouldBeNull();
        lines.FaultIn($"{text}").ShouldBeNull();
        exits.ShouldBe(1);
        (await execution.WaitAsync()).ExitCode.ShouldBe(NumberedLines.ExitCode);
    }

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

    private Task<Tool> CurlAsync(TestSandbox sandbox, NumberedLines lines, int kills, bool remembers = true)
    {
        var start = JsonSerializer.Serialize(new { id = "numbers", command = lines.Command, overflow = "wait" });
        return DuringAsync(lines, kills, () => CurlReader.RunAsync(service.Ways.Select(way => way.Address), sandbox.Name, start, remembers));
    }

    private async Task<T> DuringAsync<T>(NumberedLines lines, int kills, Func<Task<T>> read)
    {
        using var over = new CancellationTokenSource();
        var disturbing = DisturbAsync(lines, kills, over.Token);
        try
        {
            return await read();
        }
        finally
        {
            await over.CancelAsync();
            await disturbing;
        }
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
