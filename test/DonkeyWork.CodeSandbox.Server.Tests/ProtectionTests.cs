using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests;

public sealed class ProtectionTests
{
    private const string GuardsOff = "CODESANDBOX_DISABLE_GUARDS";
    private const string Secret = "4f3e2d1c";

    public static TheoryData<KillMode, string> Routes
    {
        get
        {
            var data = new TheoryData<KillMode, string>();
            foreach (var mode in Enum.GetValues<KillMode>())
            {
                foreach (var route in (string[])["kill", "tgkill", "tkill", "sigqueue", "tgsigqueue", "pidfd", "owner"])
                    data.Add(mode, route);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task No_signal_changes_anything(KillMode mode, string route)
    {
        await using var container = await ExecutorContainer.StartAsync(mode);
        var before = HostProcess.Status(container.Pid, "SigCgt") + HostProcess.Status(container.Pid, "SigIgn");

        // While it is busy: a fault's handler does other things in managed code than in an idle wait.
        var outcome = await container.Api.RunAsync(
            $"seq 100000000 & for signal in $(seq 64); do /opt/attack/attack {route} $signal || exit 1; done; kill $!; wait; echo sent");

        outcome.Stdout.ShouldEndWith("sent\n");
        outcome.Completed.ExitCode.ShouldBe(0);
        (HostProcess.Status(container.Pid, "SigCgt") + HostProcess.Status(container.Pid, "SigIgn")).ShouldBe(before);
        (await container.Api.RunAsync("echo alive")).Stdout.ShouldBe("alive\n");
    }

    [Fact]
    public async Task Control_without_the_guard_signals_take_the_runtimes_handlers_away()
    {
        await using var container = await ExecutorContainer.StartAsync(KillMode.Reaper, WithoutGuard("signals"));
        var before = HostProcess.Status(container.Pid, "SigCgt");

        await container.Api.RunAsync("for signal in $(seq 64); do /opt/attack/attack tgkill $signal; done");

        var after = Directory.Exists($"/proc/{container.Pid}") ? HostProcess.Status(container.Pid, "SigCgt") : "dead";
        after.ShouldNotBe(before);
    }

    [Theory]
    [InlineData(KillMode.Cgroup)]
    [InlineData(KillMode.Reaper)]
    public async Task Nobody_can_take_the_executors_limits_away(KillMode mode)
    {
        await using var container = await ExecutorContainer.StartAsync(mode);
        var before = await File.ReadAllTextAsync($"/proc/{container.Pid}/limits");

        var outcome = await container.Api.RunAsync("for limit in $(seq 0 15); do /opt/attack/attack prlimit $limit; done; echo sent; ulimit -n 100; ulimit -n");

        outcome.Stdout.ShouldBe("sent\n100\n");
        (await File.ReadAllTextAsync($"/proc/{container.Pid}/limits")).ShouldBe(before);
        (await container.Api.RunAsync("echo alive")).Stdout.ShouldBe("alive\n");
    }

    [Fact]
    public async Task Control_a_process_that_was_not_started_by_it_takes_them_away()
    {
        await using var container = await ExecutorContainer.StartAsync(KillMode.Reaper);
        var before = await File.ReadAllTextAsync($"/proc/{container.Pid}/limits");

        Published.Succeed(
            "nsenter", "--target", $"{container.Pid}", "--user", "--pid", "--mount", "--setuid", "1000", "--setgid", "1000",
            "/opt/attack/attack", "prlimit", "1");

        (await File.ReadAllTextAsync($"/proc/{container.Pid}/limits")).ShouldNotBe(before);
    }

    [Theory]
    [InlineData(KillMode.Cgroup)]
    [InlineData(KillMode.Reaper)]
    public async Task Nobody_can_take_the_executors_turn_away(KillMode mode)
    {
        await using var container = await ExecutorContainer.StartAsync(mode);
        var before = HostProcess.Scheduling(container.Pid);
        before.Distinct().ShouldHaveSingleItem();

        var outcome = await container.Api.RunAsync("for way in $(seq 0 12); do /opt/attack/attack scheduling $way; done; echo sent");

        outcome.Stdout.ShouldBe("sent\n");
        // One more, as the CPUs that it may run on come back with the next start.
        (await container.Api.RunAsync("grep Cpus_allowed: /proc/self/status")).Stdout
            .ShouldBe($"Cpus_allowed:\t{HostProcess.Status(Environment.ProcessId, "Cpus_allowed")}\n");
        HostProcess.Scheduling(container.Pid).Distinct().ShouldBe(before.Distinct());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    public async Task Control_a_process_that_was_not_started_by_it_takes_it_away(int way)
    {
        await using var container = await ExecutorContainer.StartAsync(KillMode.Reaper);
        var before = HostProcess.Scheduling(container.Pid);

        Published.Succeed(
            "nsenter", "--target", $"{container.Pid}", "--user", "--pid", "--mount", "--setuid", "1000", "--setgid", "1000",
            "/opt/attack/attack", "scheduling", $"{way}");

        HostProcess.Scheduling(container.Pid).Distinct().ShouldNotBe(before.Distinct());
    }

    [Fact]
    public async Task Commands_schedule_themselves_as_they_like()
    {
        await using var container = await ExecutorContainer.StartAsync(KillMode.Cgroup);

        var outcome = await container.Api.RunAsync(
            "nice -n 5 nice; ionice -c 3 ionice; chrt --idle 0 chrt --pid 0 | grep -o SCHED_IDLE; taskset 1 sh -c 'taskset -p $$ >/dev/null && taskset -p 1 $$ >/dev/null && echo pinned'");

        outcome.Stderr.ShouldBe("");
        outcome.Stdout.ShouldBe("5\nidle\nSCHED_IDLE\npinned\n");
    }

    [Theory]
    [InlineData(KillMode.Cgroup)]
    [InlineData(KillMode.Reaper)]
    public async Task Nothing_of_the_executor_can_be_read(KillMode mode)
    {
        await using var container = await ExecutorContainer.StartAsync(mode, new ContainerOptions
        {
            Environment = new Dictionary<string, string> { ["CODESANDBOX_SECRET"] = Secret },
        });

        var outcome = await container.Api.RunAsync(ReadEverything);

        outcome.Stdout.ShouldNotContain(Secret);
        outcome.Stdout.ShouldNotContain("readable");
    }

    [Fact]
    public async Task Control_without_the_guard_all_of_it_can_be_read()
    {
        var options = WithoutGuard("dumpable");
        await using var container = await ExecutorContainer.StartAsync(KillMode.Reaper, options with
        {
            Environment = new Dictionary<string, string>(options.Environment) { ["CODESANDBOX_SECRET"] = Secret },
        });

        var outcome = await container.Api.RunAsync(ReadEverything);

        outcome.Stdout.ShouldContain(Secret);
        outcome.Stdout.ShouldContain("fd readable");
        outcome.Stdout.ShouldContain("mem readable");
        outcome.Stdout.ShouldContain("cwd readable");
    }

    private const string ReadEverything = """
        tr '\0' '\n' </proc/1/environ
        ls /proc/1/fd >/dev/null && echo fd readable
        exec 3</proc/1/mem && echo mem readable
        readlink /proc/1/cwd && echo cwd readable
        readlink /proc/1/exe && echo exe readable
        cat /proc/1/task/*/environ | tr '\0' '\n'
        true
        """;

    private static ContainerOptions WithoutGuard(string guard) =>
        new() { Environment = new Dictionary<string, string> { [GuardsOff] = guard } };
}
