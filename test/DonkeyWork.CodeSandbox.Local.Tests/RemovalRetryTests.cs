using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Testing;
using DonkeyWork.CodeSandbox.Testing.Backends;

namespace DonkeyWork.CodeSandbox.Local.Tests;

public sealed class RemovalRetryTests
{
    [Fact]
    public async Task A_removal_that_cannot_succeed_yet_does_so_when_it_can()
    {
        await using var machine = await LocalMachine.StartAsync();
        var sandbox = await machine.Backend.CreateReadyAsync();
        // Nobody can remove what something is mounted on.
        var busy = Directory.CreateDirectory(Path.Combine(machine.Directory, "sandboxes", sandbox.Name, "busy")).FullName;
        (await HostView.RunAsync("mount", "-t", "tmpfs", "busy", busy)).ExitCode.ShouldBe(0);
        try
        {
            await machine.Backend.DeleteAsync(sandbox, DeleteCondition.SameUid, CancellationToken.None);
            // The last step before the one that cannot succeed.
            using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
            using var limit = new CancellationTokenSource(Patience.Limit);
            while (HostView.Cgroups(sandbox.Name).Count > 0)
                await tick.WaitForNextTickAsync(limit.Token);
            (await machine.Backend.ReadAsync(sandbox.Name, CancellationToken.None)).ShouldNotBeNull().IsDeleting.ShouldBeTrue();
        }
        finally
        {
            (await HostView.RunAsync("umount", busy)).ExitCode.ShouldBe(0);
        }

        (await machine.Backend.UntilAsync(sandbox.Name, state => state is null)).ShouldBeNull();
    }
}
