using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Testing.Backends;

namespace DonkeyWork.CodeSandbox.Local.Tests;

/// <summary>Limits as the kernel has them, and that they bind.</summary>
public sealed class LimitTests
{
    [Fact]
    public async Task The_limits_of_the_request_are_the_kernels()
    {
        await using var machine = await LocalMachine.StartAsync(options: options => options with { PidsLimit = 100 });
        var sandbox = await machine.Backend.CreateReadyAsync(Specs.New(memoryMi: 96, cpuMillicores: 250));

        HostView.Limit(sandbox.Name, "memory.max", "memory.limit_in_bytes").ShouldBe($"{96 * 1024 * 1024}");
        HostView.Limit(sandbox.Name, "memory.swap.max", "memory.memsw.limit_in_bytes").ShouldBeOneOf("0", $"{96 * 1024 * 1024}");
        HostView.Limit(sandbox.Name, "cpu.max", "cpu.cfs_quota_us").ShouldBeOneOf("25000 100000", "25000");
        HostView.Limit(sandbox.Name, "pids.max").ShouldBe("100");
        HostView.Limit(sandbox.Name, "memory.events", "memory.oom_control").ShouldContain("oom_kill 0");
    }

    [Fact]
    public async Task A_thousandth_of_a_core_is_possible()
    {
        await using var machine = await LocalMachine.StartAsync();
        var spec = Specs.New(cpuMillicores: 1);
        var created = await machine.Backend.CreateAsync(spec, CancellationToken.None);
        var started = await machine.Backend.UntilAsync(created.Name, state => state is not { Phase: Sandboxes.SandboxPhase.Pending });

        started.ShouldNotBeNull().Phase.ShouldBe(Sandboxes.SandboxPhase.Running, started.Message);
        HostView.Limit(spec.Name, "cpu.max", "cpu.cfs_quota_us").ShouldBeOneOf("1000 1000000", "1000");
    }

    [Fact]
    public async Task What_needs_more_memory_is_killed_and_files_on_disk_are_not_counted()
    {
        await using var machine = await LocalMachine.StartAsync();
        var sandbox = await machine.Backend.CreateReadyAsync(Specs.New(memoryMi: 96));

        var hog = await machine.Backend.RunAsync(sandbox, "python3 -c '[bytearray(8 << 20) for _ in range(1280)]'; exit $?");
        var file = await machine.Backend.RunAsync(sandbox, "head -c 300M /dev/zero > ~/file && stat -c %s ~/file");

        hog.ExitCode.ShouldBe(137);
        hog.Reason.ShouldBe(CompletionReason.OomKilled);
        HostView.Limit(sandbox.Name, "memory.events", "memory.oom_control").ShouldNotContain("oom_kill 0");
        file.Output.ShouldBe($"{300 << 20}\n");
    }

    [Fact]
    public async Task Home_and_tmp_together_hold_no_more_than_configured()
    {
        await using var machine = await LocalMachine.StartAsync(options: options => options with { HomeSizeMi = 32 });
        var sandbox = await machine.Backend.CreateReadyAsync();

        var fits = await machine.Backend.RunAsync(sandbox, "head -c 15M /dev/zero > ~/file");
        var full = await machine.Backend.RunAsync(sandbox, "head -c 30M /dev/zero > /tmp/file");

        fits.ExitCode.ShouldBe(0, fits.Output);
        full.Output.ShouldContain("No space left on device");
        new FileInfo(Path.Combine(machine.Directory, "sandboxes", sandbox.Name, "disk.ext4")).Length.ShouldBe(32 << 20);
    }
}
