using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests;

public sealed class ManyTests
{
    /// <summary>Tasks that are kept for the executor.</summary>
    private const int ReservedTasks = 24;

    [Theory]
    [InlineData(KillMode.Cgroup)]
    [InlineData(KillMode.Reaper)]
    public async Task A_thousand_in_a_row_leave_nothing_behind(KillMode mode)
    {
        await using var container = await ExecutorContainer.StartAsync(mode);
        await RunManyAsync(container, 5);
        var descriptors = HostProcess.CountDescriptors(container.Pid);

        await RunManyAsync(container, 1_000);

        await NothingIsLeftAsync(container, descriptors);
    }

    [Theory]
    [InlineData(KillMode.Cgroup)]
    [InlineData(KillMode.Reaper)]
    public async Task Sixty_four_at_once_are_all_complete_and_need_no_thread_each(KillMode mode)
    {
        await using var container = await ExecutorContainer.StartAsync(mode, new ContainerOptions { Tasks = 512 });
        await RunManyAsync(container, 5);
        var descriptors = HostProcess.CountDescriptors(container.Pid);
        var running = Enumerable.Range(0, 64)
            .Select(_ => container.Api.RunAsync("until [ -e /tmp/go ]; do sleep 0.1; done; seq 20000; seq 20000 >&2")).ToList();
        await Published.EventuallyAsync(() => container.Api.StatsAsync().GetAwaiter().GetResult().Running == 64, "they do not all run");

        int.Parse(HostProcess.Status(container.Pid, "Threads"), null).ShouldBeLessThan(ReservedTasks);
        await container.Api.RunAsync("touch /tmp/go");
        var expected = string.Concat(Enumerable.Range(1, 20_000).Select(number => $"{number}\n"));
        foreach (var outcome in await Task.WhenAll(running))
        {
            outcome.Stdout.ShouldBe(expected);
            outcome.Stderr.ShouldBe(expected);
            outcome.Completed.ShouldSatisfy(0, null);
        }

        int.Parse(HostProcess.Status(container.Pid, "Threads"), null).ShouldBeLessThan(ReservedTasks);
        container.Api.Dispose();
        await NothingIsLeftAsync(container, descriptors);
    }

    private static async Task RunManyAsync(ExecutorContainer container, int count)
    {
        for (var run = 1; run <= count; run++)
        {
            var outcome = await container.Api.RunAsync($"echo {run}; exit {run % 256}");
            outcome.Stdout.ShouldBe($"{run}\n");
            outcome.Completed.ShouldSatisfy(run % 256, null);
        }
    }

    private static async Task NothingIsLeftAsync(ExecutorContainer container, int descriptors)
    {
        await Published.EventuallyAsync(() => container.Processes().Count == 1, "processes or zombies are left");
        await Published.EventuallyAsync(() => HostProcess.CountDescriptors(container.Pid) <= descriptors, "descriptors are left");
        await Published.EventuallyAsync(() => Directory.GetDirectories(container.Cgroup).Length == 0, "cgroups are left");
    }
}
