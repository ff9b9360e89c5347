using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests.Executions;

/// <summary>Kills that the kernel refuses at first.</summary>
public sealed class FailedKillTests
{
    private const string Mark = "9393.9393";
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task A_time_limit_that_could_not_be_kept_is_kept_later()
    {
        await using var executor = await ClockedExecutor.StartAsync();
        executor.Trees.FailingKills = 2;
        var pid = (await StartAsync(executor, "exec sleep 3600")).Pid;
        executor.Clock.Advance(Second * 5);
        Directory.Exists($"/proc/{pid}").ShouldBeTrue("the kill is refused");

        for (var refused = 0; refused < executor.Trees.FailingKills; refused++)
        {
            await executor.Clock.TimerAsync(Second);
            executor.Clock.Advance(Second);
        }

        var end = (await executor.Api.EventsAsync("limited", Framing.Text).OutputAsync()).Exited;
        (end.ExitCode, end.Signal, end.Reason).ShouldBe((137, "SIGKILL", ExitReason.TimedOut));
    }

    [Fact]
    public async Task A_command_that_ends_by_itself_after_its_kill_was_refused_is_not_told_as_timed_out()
    {
        await using var executor = await ClockedExecutor.StartAsync();
        executor.Trees.FailingKills = 1;
        await StartAsync(executor, $"until [ -e {executor.InDirectory("enough")} ]; do sleep 0.01; done; exit 6");
        executor.Clock.Advance(Second * 5);
        await executor.Clock.TimerAsync(Second);

        await File.WriteAllTextAsync(executor.InDirectory("enough"), "");

        var end = (await executor.Api.EventsAsync("limited", Framing.Text).OutputAsync()).Exited;
        (end.ExitCode, end.Reason).ShouldBe((6, ExitReason.Exited));
        executor.Clock.Advance(Second);
    }

    [Theory]
    [InlineData(KillMode.Cgroup)]
    [InlineData(KillMode.Reaper)]
    public async Task A_kill_outlasts_a_want_of_descriptors_and_nobody_else_stays_stopped(KillMode mode)
    {
        await using var container = await ExecutorContainer.StartAsync(mode);
        var other = await container.Api.StartAsync("while :; do sleep 0.01; done");
        // Time enough for a busy machine to take the descriptors away before.
        await container.Api.StartAsync(new StartExecutionRequest { Id = "limited", Command = $"sleep {Mark}", TimeoutSeconds = 5 });
        // The limit is that of the numbers that are given out: from here on there are none.
        Published.Succeed("prlimit", "--pid", $"{container.Pid}", "--nofile=3:");

        if (mode == KillMode.Reaper)
        {
            await Published.EventuallyAsync(() => container.Log.Contains("could not be killed", StringComparison.Ordinal), "the kill does not fail");
            container.Marked(Mark).ShouldNotBeEmpty();
            // It is tried again each second, and then everybody is stopped for a moment.
            await Published.EventuallyAsync(() => container.Processes().All(process => process.State != 'T'), "somebody stays stopped");
            Published.Succeed("prlimit", "--pid", $"{container.Pid}", "--nofile=1024:");
        }

        await Published.EventuallyAsync(() => container.Marked(Mark).Count == 0, "the time limit is not kept");
        Published.Succeed("prlimit", "--pid", $"{container.Pid}", "--nofile=1024:");
        (await container.Api.EventsAsync("limited", Framing.Text).OutputAsync()).Exited.Reason.ShouldBe(ExitReason.TimedOut);
        (await container.Api.StateAsync(other.Id)).Status.ShouldBe(ExecutionStatus.Running);
    }

    /// <summary>Starts one with a limit of 5 s, which is counted already: the answer may come before that.</summary>
    private static async Task<ExecutionState> StartAsync(ClockedExecutor executor, string command)
    {
        var started = await executor.Api.StartAsync(new StartExecutionRequest { Id = "limited", Command = command, TimeoutSeconds = 5 });
        await executor.Clock.TimerAsync(Second * 5);
        return started;
    }
}
