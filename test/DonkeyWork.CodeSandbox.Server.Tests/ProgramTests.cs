using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests;

public sealed class ProgramTests
{
    [Fact]
    public void Help_and_version_are_printed()
    {
        Published.Succeed(Published.Executor, "--help").ShouldStartWith("Usage: codesandbox-executor");
        Published.Succeed(Published.Executor, "--version").ShouldMatch(@"^codesandbox-executor \S+ \(native-aot net(9|10)\.0\)\n$");
    }

    [Theory]
    [InlineData("--nonsense")]
    [InlineData("--listen")]
    [InlineData("--listen", "8666")]
    [InlineData("--cgroup", "/nowhere")]
    [InlineData("--cgroup", "fd:77")]
    [InlineData("--oom-events", "/nowhere")]
    public void What_cannot_be_understood_ends_it_with_2_and_a_reason(params string[] arguments)
    {
        var (exitCode, output, error) = Published.Run(Published.Executor, arguments);

        exitCode.ShouldBe(2);
        output.ShouldBeEmpty();
        error.ShouldContain(arguments[0]);
    }

    [Fact]
    public void It_refuses_to_run_where_it_could_not_kill_for_certain()
    {
        var (exitCode, _, error) = Published.Run(Published.Executor, "--listen", "tcp:127.0.0.1:0");

        exitCode.ShouldBe(2);
        error.ShouldContain("PID 1");
    }

    [Fact]
    public void An_address_that_is_taken_ends_it_with_1_and_a_reason()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();

        var (exitCode, _, error) = Published.Run(
            "unshare", "--pid", "--fork", "--mount-proc", Published.Executor, "--listen", $"tcp:{listener.LocalEndpoint}");

        exitCode.ShouldBe(1);
        error.ShouldContain($"tcp:{listener.LocalEndpoint}");
    }

    [Theory]
    [InlineData(KillMode.Cgroup)]
    [InlineData(KillMode.Reaper)]
    public async Task Asked_from_outside_it_ends_and_takes_everything_along(KillMode mode)
    {
        await using var container = await ExecutorContainer.StartAsync(mode);
        await using var command = container.Api.StreamAsync(new ExecuteRequest { Command = "setsid sleep 1212.1212 & echo started; wait" }).GetAsyncEnumerator();
        // The process alone says nothing of the stream, which may not have begun yet.
        (await command.MoveNextAsync()).ShouldBeTrue();
        await Published.EventuallyAsync(() => container.Marked("sleep 1212.1212").Count > 0, "it does not run");
        var members = container.Processes();

        Published.Succeed("kill", "-TERM", $"{container.Pid}");

        await Published.EventuallyAsync(() => members.All(member => !Directory.Exists($"/proc/{member.Pid}")), "processes are left");
        // The sandbox is lost: its stream breaks off, and does not end as that of a command which was killed.
        await Should.ThrowAsync<IOException>(async () =>
        {
            while (await command.MoveNextAsync())
            {
            }
        });
    }
}
