using System.Diagnostics;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Testing.Backends;

namespace DonkeyWork.CodeSandbox.Local.Tests;

/// <summary>What a sandbox, or another user, does to keep the next Manager from starting.</summary>
public sealed class HostileNeighbourTests : IAsyncLifetime
{
    private readonly string _directory = LocalMachine.NewDirectory();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => LocalMachine.CleanAsync(_directory);

    [Fact]
    public async Task A_lock_on_a_shared_file_stops_nobody()
    {
        await using var first = await LocalMachine.StartAsync(_directory);
        var sandbox = await first.Backend.CreateReadyAsync();
        var locks = await first.Backend.RunAsync(sandbox, "for f in /etc/passwd /etc/hosts /etc/ld.so.cache; do setsid flock -x $f sleep 1000 >/dev/null 2>&1 & done; until flock -xn /etc/passwd true; [ $? = 1 ]; do :; done");
        locks.ExitCode.ShouldBe(0, locks.Output);
        (await HostView.RunAsync("flock", "-xn", Path.Combine(_directory, "rootfs", "etc", "passwd"), "true")).ExitCode.ShouldBe(1, "the control: it is locked on the host too");
        await first.AbandonAsync();

        await using var second = await LocalMachine.StartAsync(_directory);

        (await second.Backend.RunAsync(sandbox, "id -un")).Output.ShouldBe("user\n");
        await second.DisposeAsync();
    }

    [Fact]
    public async Task What_only_looks_like_a_runtime_at_work_is_left_alone()
    {
        await using var first = await LocalMachine.StartAsync(_directory);
        var sandbox = await first.Backend.CreateReadyAsync();
        await first.Backend.RunAsync(sandbox, $"setsid bash -c 'read < <(sleep 1000)' run {_directory}/runtime >/dev/null 2>&1 &");
        await first.AbandonAsync();
        using var other = Process.Start("bash", ["-c", "read < <(sleep 1000)", "run", $"{_directory}/runtime"]);
        try
        {
            await using var second = await LocalMachine.StartAsync(_directory);

            other.HasExited.ShouldBeFalse();
            other.Kill(entireProcessTree: true);
            await other.WaitForExitAsync();
            (await second.Backend.RunAsync(sandbox, "ps -e -o args= | grep -q '^[b]ash.* run ' && echo alive")).Output.ShouldBe("alive\n");
            await second.DisposeAsync();
        }
        finally
        {
            other.Kill(entireProcessTree: true);
            await other.WaitForExitAsync();
        }
    }
}
