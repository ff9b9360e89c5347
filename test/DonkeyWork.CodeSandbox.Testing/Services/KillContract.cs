using System.Net.WebSockets;
using System.Text.Json;

namespace DonkeyWork.CodeSandbox.Testing.Services;

/// <summary>What executions and terminals leave behind when they are ended is nothing, as the host's /proc shows it, and the others are spared.</summary>
public abstract class KillContract(TestService service)
{
    private const int Many = 200;

    [Theory]
    [MemberData(nameof(Escapes.All), MemberType = typeof(Escapes))]
    public async Task A_deleted_execution_leaves_nothing(string command)
    {
        await using var sandbox = await service.CreateAsync();
        var spared = await BystanderAsync(sandbox);
        var execution = await StartedAsync(sandbox, spared, new { command });

        await execution.DeleteAsync();

        await sandbox.OnlyAsync(spared);
    }

    [Theory]
    [MemberData(nameof(Escapes.All), MemberType = typeof(Escapes))]
    public async Task A_background_execution_that_is_out_of_time_leaves_nothing(string command)
    {
        await using var sandbox = await service.CreateAsync();
        var spared = await BystanderAsync(sandbox);
        // Not waited for until it is under way: on a busy machine its time may be over before anybody has looked.
        var execution = await sandbox.StartAsync(new { command, timeoutSeconds = 1 });

        (await execution.WaitAsync()).GetProperty("reason").GetString().ShouldBe("timed_out");

        await sandbox.OnlyAsync(spared);
    }

    [Theory]
    [MemberData(nameof(Escapes.All), MemberType = typeof(Escapes))]
    public async Task A_terminal_that_is_closed_leaves_nothing(string command)
    {
        await using var sandbox = await service.CreateAsync();
        var spared = await BystanderAsync(sandbox);
        await using var terminal = await TestTerminal.OpenAsync(service.Way, sandbox, "execution=closed");
        await terminal.RunAsync(command);
        await RunningAsync(sandbox, spared);

        await terminal.CloseAsync(WebSocketCloseStatus.NormalClosure);

        await sandbox.OnlyAsync(spared);
    }

    [Theory]
    [MemberData(nameof(Escapes.All), MemberType = typeof(Escapes))]
    public async Task A_terminal_without_a_name_that_is_cut_off_leaves_nothing(string command)
    {
        await using var sandbox = await service.CreateAsync();
        var spared = await BystanderAsync(sandbox);
        await using var terminal = await TestTerminal.OpenAsync(service.Way, sandbox);
        await terminal.RunAsync(command);
        await RunningAsync(sandbox, spared);

        service.Way.CutAll();

        await sandbox.OnlyAsync(spared);
    }

    [Fact]
    public async Task A_process_that_ignores_SIGTERM_lives_on_until_its_execution_is_deleted()
    {
        await using var sandbox = await service.CreateAsync();
        var execution = await sandbox.StartAsync("trap 'echo ignored' TERM; echo up; while :; do sleep 0.05; done");
        await execution.UntilPrintedAsync("up\n");

        await execution.SignalAsync("SIGTERM");
        await execution.UntilPrintedAsync("ignored\n");

        await execution.DeleteAsync();
        await sandbox.OnlyAsync();
    }

    [Fact]
    public async Task Two_hundred_at_once_are_all_complete_and_leave_nothing()
    {
        await using var sandbox = await service.CreateAsync();
        var executions = await Task.WhenAll(Enumerable.Range(0, Many).Select(i => sandbox.StartAsync(new { id = $"number-{i}", command = $"read; echo {i}; exit {i % 7}", stdin = true })));
        (await sandbox.Http.GetStringAsync($"{sandbox.Address}executions")).Split("\"running\"").Length.ShouldBe(Many + 1);

        await Parallel.ForAsync(0, Many, async (i, stop) =>
        {
            using var end = await sandbox.Http.DeleteAsync($"{executions[i].Path}/stdin", stop);
            end.IsSuccessStatusCode.ShouldBeTrue(await end.Content.ReadAsStringAsync(stop));
            var (output, exited) = await executions[i].ReadTextAsync();
            output.ShouldBe($"{i}\n");
            exited.GetProperty("exitCode").GetInt32().ShouldBe(i % 7);
        });

        await sandbox.OnlyAsync();
    }

    [Fact]
    public async Task Two_hundred_that_are_deleted_while_they_run_leave_nothing()
    {
        await using var sandbox = await service.CreateAsync();
        var executions = await Task.WhenAll(Enumerable.Range(0, Many).Select(_ => sandbox.StartAsync(new { argv = (string[])["sleep", "3600"] })));

        await Task.WhenAll(executions.Select(execution => execution.DeleteAsync()));

        await sandbox.OnlyAsync();
    }

    /// <summary>Something that runs and must not be touched: its processes.</summary>
    private static async Task<HashSet<int>> BystanderAsync(TestSandbox sandbox)
    {
        await (await sandbox.StartAsync("echo up; exec sleep 3600")).UntilPrintedAsync("up\n");
        var pids = sandbox.Commands.Select(process => process.Pid).ToHashSet();
        pids.ShouldNotBeEmpty();
        return pids;
    }

    private static async Task<RawExecution> StartedAsync(TestSandbox sandbox, HashSet<int> spared, object start)
    {
        var execution = await sandbox.StartAsync(start);
        await RunningAsync(sandbox, spared);
        return execution;
    }

    /// <summary>Waits until the last thing that each of <see cref="Escapes"/> does is under way.</summary>
    private static Task RunningAsync(TestSandbox sandbox, HashSet<int> spared) => Patience.UntilAsync(
        () => sandbox.Commands.Any(process => !spared.Contains(process.Pid) && process.CommandLine.StartsWith("sleep 3600", StringComparison.Ordinal)),
        () => "It does not run.");
}
