using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests;

public sealed class MemoryTests
{
    /// <summary>By the mebibyte: what is more than the machine has would be refused at once, and nobody killed (proc_sys_vm(5), overcommit_memory).</summary>
    private const string MoreAndMore = "perl -e '$x .= \"x\" x (1 << 20) while 1'";

    [Theory]
    [InlineData(KillMode.Cgroup, MoreAndMore)]
    [InlineData(KillMode.Reaper, MoreAndMore)]
    [InlineData(KillMode.Cgroup, MoreAndMore + "; exit $?")]
    [InlineData(KillMode.Reaper, MoreAndMore + "; exit $?")]
    public async Task A_command_that_takes_too_much_is_told_to_be_killed_for_memory(KillMode mode, string command)
    {
        await using var container = await ExecutorContainer.StartAsync(mode, new ContainerOptions { MemoryMi = 128 });

        (await container.Api.RunAsync(command)).Completed.ShouldSatisfy(137, CompletionReason.OomKilled);

        (await container.Api.RunAsync("exit 137")).Completed.ShouldSatisfy(137, null);
        (await container.Api.RunAsync("kill -KILL $$")).Completed.ShouldSatisfy(137, CompletionReason.Killed);
    }

    [Fact]
    public async Task Control_without_the_counter_nobody_knows_why_it_died()
    {
        await using var container = await ExecutorContainer.StartAsync(KillMode.Cgroup, new ContainerOptions { MemoryMi = 128, TellsOomEvents = false });

        (await container.Api.RunAsync(MoreAndMore)).Completed.ShouldSatisfy(137, CompletionReason.Killed);
    }

    [Theory]
    [InlineData(KillMode.Cgroup)]
    [InlineData(KillMode.Reaper)]
    public async Task Many_small_processes_that_fill_the_memory_do_not_end_the_executor(KillMode mode)
    {
        // Each holds less than the executor, which would be the largest if size alone counted.
        await using var container = await ExecutorContainer.StartAsync(mode, new ContainerOptions { MemoryMi = 128 });

        await container.Api.RunAsync("for i in $(seq 60); do perl -e '$x = \"x\" x (4 << 20); sleep 1000' & done; wait", timeoutSeconds: 3);

        (await container.Api.IsHealthyAsync()).ShouldBeTrue();
        (await container.Api.RunAsync("echo alive")).Stdout.ShouldBe("alive\n");
    }

    [Theory]
    [InlineData(KillMode.Cgroup)]
    [InlineData(KillMode.Reaper)]
    public async Task Readers_that_stall_do_not_make_the_executor_large(KillMode mode)
    {
        // Each line part of 1 MiB is 6 MiB escaped. Held once per reader beside the raw 1 MiB that is 280 MiB; the bound leaves
        // each its 1 MiB twice, and the executor itself the rest.
        const int readers = 40, lineBytes = 3_000_000, boundMi = 120;
        await using var container = await ExecutorContainer.StartAsync(mode);
        var responses = new List<HttpResponseMessage>();
        for (var reader = 0; reader < readers; reader++)
        {
            responses.Add(await container.Api.ExecuteAsync(
                new ExecuteRequest { Command = $"head -c {lineBytes} /dev/zero | tr '\\0' '\\001'" }));
        }

        await Published.EventuallyAsync(
            () => container.Marked("tr \\0 \\001").Count(process => process.State == 'S' && HostProcess.BytesWritten(process.Pid) >= 1 << 20) == readers,
            "they do not stall");
        foreach (var response in responses)
        {
            using (response)
            {
                var length = 0;
                await foreach (var item in ExecutorApi.ReadAsync(response))
                    length += (item.Event as OutputEvent)?.Data.Length ?? 0;
                length.ShouldBe(lineBytes);
            }
        }

        var peakKi = int.Parse(HostProcess.Status(container.Pid, "VmHWM").Split(' ')[0], null);
        (peakKi / 1024).ShouldBeLessThan(boundMi);
    }
}
