using DonkeyWork.CodeSandbox.Client;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

/// <summary>The same with gVisor between the sandbox and the host's kernel.</summary>
public sealed class GvisorTests : IAsyncLifetime
{
    private ManagerProcess manager = null!;

    public async Task InitializeAsync() => manager = await ManagerProcess.StartAsync("--Local:Runtime=runsc");

    public async Task DisposeAsync() => await manager.DisposeAsync();

    [Fact]
    public async Task Commands_run_and_a_timeout_leaves_nothing_of_them()
    {
        await using var sandbox = await manager.Client.CreateAsync();
        (await sandbox.GetInfoAsync()).RuntimeClass.ShouldBe("runsc");
        (await sandbox.RunAsync("python3 -c 'print(6*7)'; node -p 6*7; git --version | cut -c1-3; dmesg | grep -o gVisor | head -n 1")).StandardOutput
            .ShouldBe("42\n42\ngit\ngVisor\n");

        await using var bystander = sandbox.ExecuteAsync("echo up; sleep 3600").GetAsyncEnumerator();
        (await bystander.MoveNextAsync()).ShouldBeTrue();

        var result = await sandbox.RunAsync(
            "(setsid nohup sleep 3600 >/dev/null 2>&1 &); env -i setsid sleep 3600 & trap '' TERM; sleep 3600", new RunOptions { TimeoutSeconds = 2 });

        result.TimedOut.ShouldBeTrue();
        // gVisor's processes are its own: the host cannot see them, its /proc inside can. The bystander's is left.
        var left = "";
        await Patience.UntilAsync(
            async () => (left = (await sandbox.RunAsync("grep -lx sleep /proc/[0-9]*/comm | wc -l")).StandardOutput) == "1\n", () => $"{left} are left and not 1");
    }

    [Fact]
    public async Task A_delete_leaves_nothing()
    {
        var sandbox = await manager.Client.CreateAsync();
        HostProcesses.Of(sandbox.Name).ShouldNotBeEmpty();
        await sandbox.DisposeAsync();
        await Patience.UntilAsync(() => Remains.OfSandbox(sandbox.Name).Count == 0, () => string.Join('\n', Remains.OfSandbox(sandbox.Name)));
    }

    [Fact]
    public async Task A_command_without_end_of_memory_ends_or_takes_its_sandbox_along_and_that_is_told()
    {
        await using var sandbox = await manager.Client.CreateAsync();
        try
        {
            var result = await sandbox.RunAsync("python3 -c 'b = [bytearray(8 << 20) for _ in range(1280)]'");
            (result.Reason, result.ExitCode).ShouldNotBe((null, 0));
            result.StandardOutput.ShouldBe("");
        }
        catch (SandboxLostException lost)
        {
            lost.SandboxName.ShouldBe(sandbox.Name);
        }
        catch (CodeSandboxException cut)
        {
            // The stream broke; the Manager learns of the end in its own time, and then says why.
            cut.Code.ShouldNotBeNullOrEmpty();
            await Patience.UntilAsync(
                () => manager.Client.ListAsync().Result.Count == 0, () => "It is still listed.");
            var gone = await Should.ThrowAsync<SandboxNotFoundException>(sandbox.GetInfoAsync());
            gone.Message.ShouldContain("has ended");
        }
    }
}
