using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Executions;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests.Executions;

/// <summary>What becomes of output when its execution has long ended, by a clock that stands still.</summary>
public sealed class ExpiryTests
{
    private const int Printed = 4_000_000;

    [Theory]
    [InlineData(Framing.Text)]
    [InlineData(Framing.Frames)]
    public async Task Ten_minutes_after_the_end_output_is_gone_from_the_disk_and_its_readers_are_told_how_much(Framing framing)
    {
        await using var executor = await ClockedExecutor.StartAsync();
        await executor.Api.StartAsync(new StartExecutionRequest { Id = "old", Command = $"head -c {Printed} /dev/zero; printf err >&2" });
        var slow = executor.Api.EventsAsync("old", framing).GetAsyncEnumerator();
        (await slow.MoveNextAsync()).ShouldBeTrue();
        slow.Current.Name.ShouldBe(ExecutionEventNames.Started);
        await executor.Clock.TimerAsync(Execution.KeepOutput);
        AllocatedBytes(executor).ShouldBeGreaterThan(Printed);

        executor.Clock.Advance(Execution.KeepOutput - TimeSpan.FromTicks(1));
        var (stdout, stderr, truncated, _) = await executor.Api.EventsAsync("old", framing).OutputAsync();
        (stdout.Length, stderr.Length, truncated).ShouldBe((Printed, 3, 0));

        executor.Clock.Advance(TimeSpan.FromTicks(1));
        executor.OpenFiles.ShouldBeEmpty();

        var items = await executor.Api.EventsAsync("old", framing).ToListAsync();
        items.Select(item => item.Name).ShouldBe([ExecutionEventNames.Started, ExecutionEventNames.Truncated, ExecutionEventNames.Truncated, ExecutionEventNames.Exited]);
        items.Sum(item => item.Channel == OutputChannel.Stdout ? item.Truncated : 0).ShouldBe(Printed);
        items.Sum(item => item.Channel == OutputChannel.Stderr ? item.Truncated : 0).ShouldBe(3);
        var state = items[^1].Exited.ShouldNotBeNull();
        (state.ExitCode, state.StdoutBytes, state.StderrBytes, state.TruncatedBytes).ShouldBe((0, Printed, 3, Printed + 3));

        // And one who was in the middle is told of the rest.
        long rest = 0, lost = 0;
        while (await slow.MoveNextAsync())
            (rest, lost) = (rest + slow.Current.Bytes.Length, lost + slow.Current.Truncated);
        (rest + lost).ShouldBe(Printed + 3);
        lost.ShouldBePositive();
    }

    /// <summary>What the kernel has allocated to all files that are open there.</summary>
    private static long AllocatedBytes(ClockedExecutor executor) =>
        executor.OpenFiles.Sum(path => 512 * long.Parse(Published.Succeed("stat", "-L", "-c", "%b", path.Replace("/self/", $"/{Environment.ProcessId}/", StringComparison.Ordinal)), null));
}
