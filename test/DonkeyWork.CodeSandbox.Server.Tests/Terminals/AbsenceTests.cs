using System.Net.WebSockets;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Terminals;
using DonkeyWork.CodeSandbox.Server.Tests.Running;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Server.Tests.Terminals;

/// <summary>Terminals whose person is gone, by a clock that stands still.</summary>
public sealed class AbsenceTests
{
    /// <summary>Answers what is typed, and notes a hang-up without ending for it.</summary>
    private static readonly string Stubborn =
        $"command={Uri.EscapeDataString($"trap 'echo >~/heard' HUP; echo ready; {TerminalClient.EchoLines}")}";

    [Fact]
    public async Task Who_does_not_come_back_for_60_s_has_hung_up_and_nothing_is_left()
    {
        await using var executor = await ClockedExecutor.StartAsync();
        var pid = await LeaveAsync(executor, "left", executor.Clock);

        executor.Clock.Advance(TerminalAttendance.Absence - TimeSpan.FromTicks(1));
        (await executor.Api.StateAsync("left")).Status.ShouldBe(ExecutionStatus.Running);
        File.Exists(executor.InDirectory("heard")).ShouldBeFalse();

        executor.Clock.Advance(TimeSpan.FromTicks(1));
        await Published.EventuallyAsync(() => File.Exists(executor.InDirectory("heard")), "nobody hangs up");
        IsThere(pid).ShouldBeTrue("it has a second to end by itself");
        await executor.Clock.TimerAsync(TimeSpan.FromSeconds(1));
        executor.Clock.Advance(TimeSpan.FromSeconds(1));

        await Published.EventuallyAsync(() => !IsThere(pid), "it is left");
        (await executor.Api.EventsAsync("left", Framing.Text).OutputAsync()).Exited.Signal.ShouldBe("SIGKILL");
        await Published.EventuallyAsync(() => !Terminals().Any(), "its terminal is left");
    }

    [Fact]
    public async Task Control_where_nobody_counts_the_60_s_it_is_left()
    {
        var stopped = new ManualClock();
        await using var executor = await ClockedExecutor.StartAsync(forAbsences: stopped);
        var pid = await LeaveAsync(executor, "left", stopped);

        executor.Clock.Advance(TimeSpan.FromHours(1));

        await using var found = await TerminalClient.ConnectAsync(executor, "execution=left");
        await found.TypeAsync("still here\r");
        await found.UntilAsync("[still here]");
        File.Exists(executor.InDirectory("heard")).ShouldBeFalse();
        await EndAsync(executor, "left", pid);
    }

    [Fact]
    public async Task Who_comes_back_in_time_has_60_s_again_the_next_time()
    {
        await using var executor = await ClockedExecutor.StartAsync();
        var pid = await LeaveAsync(executor, "kept", executor.Clock);
        for (var round = 0; round < 3; round++)
        {
            executor.Clock.Advance(TerminalAttendance.Absence - TimeSpan.FromTicks(1));
            await using (var back = await TerminalClient.ConnectAsync(executor, "execution=kept"))
            {
                await back.TypeAsync($"round {round}\r");
                await back.UntilAsync($"[round {round}]");
                // While somebody is there, nobody counts.
                executor.Clock.Advance(TimeSpan.FromHours(1));
                await back.TypeAsync($"later {round}\r");
                await back.UntilAsync($"[later {round}]");
            }

            await executor.Clock.TimerAsync(TerminalAttendance.Absence);
        }

        File.Exists(executor.InDirectory("heard")).ShouldBeFalse();
        await EndAsync(executor, "kept", pid);
    }

    [Fact]
    public async Task One_without_a_name_is_hung_up_at_once()
    {
        await using var executor = await ClockedExecutor.StartAsync();
        await using var terminal = await TerminalClient.ConnectAsync(executor, Stubborn);
        await terminal.UntilAsync("ready");

        terminal.Cut();

        await Published.EventuallyAsync(() => File.Exists(executor.InDirectory("heard")), "nobody hangs up");
        await executor.Clock.TimerAsync(TimeSpan.FromSeconds(1));
        executor.Clock.Advance(TimeSpan.FromSeconds(1));
        await Published.EventuallyAsync(() => !Terminals().Any(), "its terminal is left");
    }

    /// <summary>Starts one, and is cut off; the pid of what runs in it.</summary>
    private static async Task<int> LeaveAsync(ClockedExecutor executor, string id, ManualClock absences)
    {
        await using (var terminal = await TerminalClient.ConnectAsync(executor, $"execution={id}&{Stubborn}"))
        {
            await terminal.UntilAsync("ready");
            terminal.Cut();
        }

        await absences.TimerAsync(TerminalAttendance.Absence);
        return (await executor.Api.StateAsync(id)).Pid;
    }

    private static async Task EndAsync(ClockedExecutor executor, string id, int pid)
    {
        using var deleted = await executor.Api.DeleteAsync(id);
        await Published.EventuallyAsync(() => !IsThere(pid), "it is left");
    }

    private static bool IsThere(int pid) => Directory.Exists($"/proc/{pid}");

    /// <summary>Masters of terminals that this process has open.</summary>
    private static IEnumerable<string> Terminals() =>
        Directory.GetFileSystemEntries("/proc/self/fd").Where(path => new FileInfo(path).LinkTarget is "/dev/ptmx" or "/dev/pts/ptmx");
}
