using System.Net;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests.Executions;

public sealed class LeftoverTests
{
    private const string Mark = "5353.5353";

    public static TheoryData<KillMode, string> Adversaries
    {
        get
        {
            var data = new TheoryData<KillMode, string>();
            foreach (var mode in Enum.GetValues<KillMode>())
            {
                data.Add(mode, $"trap '' TERM HUP; setsid sleep {Mark} & ( ( sleep {Mark} & ) & ); echo ready; sleep {Mark}; sleep {Mark}");
                data.Add(mode, $"setsid bash -c 'trap \"\" TERM; sleep {Mark}; :' & ( setsid sleep {Mark} & ); echo ready");
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Adversaries))]
    public async Task A_deleted_execution_leaves_nothing_behind_even_long_after_its_end(KillMode mode, string command)
    {
        await using var container = await ExecutorContainer.StartAsync(mode);
        await container.Api.RunAsync("true");
        var descriptors = HostProcess.CountDescriptors(container.Pid);
        await container.Api.StartAsync(new StartExecutionRequest { Id = "left", Command = command });
        await container.Api.StartAsync(new StartExecutionRequest { Id = "bystander", Command = "sleep 6464.6464" });
        await foreach (var item in container.Api.EventsAsync("left", Framing.Text))
        {
            if (item.Channel is not null)
                break;
        }

        if (!command.EndsWith(Mark, StringComparison.Ordinal))
            await Published.EventuallyAsync(() => container.Api.StateAsync("left").GetAwaiter().GetResult().Status == ExecutionStatus.Exited, "it does not end");
        container.Marked(Mark).ShouldNotBeEmpty();

        (await container.Api.DeleteAsync("left")).StatusCode.ShouldBe(HttpStatusCode.NoContent);

        await Published.EventuallyAsync(() => container.Marked(Mark).Count == 0, "processes are left");
        container.Marked("sleep 6464.6464").ShouldNotBeEmpty();
        await container.Api.DeleteAsync("bystander");
        await Published.EventuallyAsync(() => container.Processes().Count == 1, "the bystander is left");
        await container.Api.RunAsync("true");
        container.Api.Dispose();
        await Published.EventuallyAsync(() => HostProcess.CountDescriptors(container.Pid) <= descriptors, "descriptors are left");
        if (mode == KillMode.Cgroup)
            await Published.EventuallyAsync(() => Directory.GetDirectories(container.Cgroup).Length == 0, "its cgroup is left");
    }

    [Theory]
    [InlineData(KillMode.Cgroup)]
    [InlineData(KillMode.Reaper)]
    public async Task SIGKILL_takes_what_left_the_group_and_leaves_the_output(KillMode mode)
    {
        await using var container = await ExecutorContainer.StartAsync(mode);
        await container.Api.StartAsync(new StartExecutionRequest { Id = "left", Command = $"setsid sleep {Mark} & echo ready; sleep {Mark}; :" });
        await foreach (var item in container.Api.EventsAsync("left", Framing.Text))
        {
            if (item.Channel is not null)
                break;
        }

        (await container.Api.SignalAsync("left", "SIGKILL")).StatusCode.ShouldBe(HttpStatusCode.NoContent);

        var read = await container.Api.EventsAsync("left", Framing.Text).OutputAsync();
        (read.Exited.Reason, read.Exited.Signal).ShouldBe((ExitReason.Killed, "SIGKILL"));
        read.Stdout.ShouldBe("ready\n"u8.ToArray());
        await Published.EventuallyAsync(() => container.Marked(Mark).Count == 0, "processes are left");
    }

    [Theory]
    [InlineData(KillMode.Cgroup)]
    [InlineData(KillMode.Reaper)]
    public async Task Two_hundred_at_once_are_all_whole_and_small(KillMode mode)
    {
        await using var container = await ExecutorContainer.StartAsync(mode, new ContainerOptions { Tasks = 900, MemoryMi = 1024 });
        var expected = string.Concat(Enumerable.Range(1, 20_000).Select(number => $"{number}\n"));

        var ids = Enumerable.Range(0, 200).Select(number => $"many-{number}").ToList();
        await Task.WhenAll(ids.Select(id => container.Api.StartAsync(
            new StartExecutionRequest { Id = id, Command = "seq 20000; until [ -e /tmp/go ]; do sleep 0.5; done; seq 20000 >&2" })));
        (await container.Api.StatsAsync()).Running.ShouldBe(200);
        await container.Api.RunAsync("touch /tmp/go");
        var outputs = await Task.WhenAll(ids.Select(id => container.Api.EventsAsync(id, Framing.Frames).OutputAsync()));

        foreach (var read in outputs)
        {
            System.Text.Encoding.ASCII.GetString(read.Stdout).ShouldBe(expected);
            System.Text.Encoding.ASCII.GetString(read.Stderr).ShouldBe(expected);
            read.Exited.ExitCode.ShouldBe(0);
        }

        PeakMi(container).ShouldBeLessThan(64);
        (await container.Api.ListAsync()).Count.ShouldBe(200);
        await Published.EventuallyAsync(() => container.Processes().Count == 1, "processes are left");
    }

    internal static int PeakMi(ExecutorContainer container) =>
        int.Parse(HostProcess.Status(container.Pid, "VmHWM").Split(' ')[0], null) / 1024;
}
