using DonkeyWork.CodeSandbox.Client;

namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

[Collection(SharedManagerCollection.Name)]
public sealed class ForkBombTests(SharedManager shared)
{
    /// <summary>Fills the sandbox to its limit and stays: each child lives, and tries for more.</summary>
    private const string Bomb = """
        python3 -c '
        import os, time
        while True:
            try: os.fork()
            except BlockingIOError: time.sleep(0.01)
        '
        """;

    [Fact]
    public async Task A_full_sandbox_says_so_others_serve_and_a_timeout_empties_it()
    {
        await using var sandbox = await shared.Client.CreateAsync();
        await using var other = await shared.Client.CreateAsync();
        var executor = HostProcesses.ExecutorOf(sandbox.Name).Pid;

        var bomb = sandbox.RunAsync(Bomb, new RunOptions { TimeoutSeconds = 5 });
        await Patience.UntilAsync(() => HostProcesses.CommandsOf(sandbox.Name).Count > 150, () => "The bomb does not grow.");
        var full = await Refusal(sandbox, bomb);
        (await other.RunAsync("echo serving")).StandardOutput.ShouldBe("serving\n");
        (await shared.Manager.Http.GetStringAsync("/healthz")).ShouldBe("Healthy");

        full.Code.ShouldBe("start_failed");
        (await bomb).TimedOut.ShouldBeTrue();
        await Patience.UntilAsync(
            () => HostProcesses.CommandsOf(sandbox.Name).Count == 0, () => $"{HostProcesses.CommandsOf(sandbox.Name).Count} are left.");
        HostProcesses.ExecutorOf(sandbox.Name).Pid.ShouldBe(executor);
        (await sandbox.RunAsync("echo again")).StandardOutput.ShouldBe("again\n");
    }

    [Fact]
    public async Task A_delete_ends_a_fork_bomb()
    {
        var sandbox = await shared.Client.CreateAsync();
        var bomb = sandbox.RunAsync(Bomb);
        await Patience.UntilAsync(() => HostProcesses.CommandsOf(sandbox.Name).Count > 150, () => "The bomb does not grow.");

        await sandbox.DisposeAsync();

        await Should.ThrowAsync<CodeSandboxException>(bomb);
        await Patience.UntilAsync(
            () => Remains.OfSandbox(sandbox.Name).Count == 0, () => string.Join('\n', Remains.OfSandbox(sandbox.Name)));
    }

    /// <summary>Asks until the sandbox refuses, which it does while it is full.</summary>
    private static async Task<CodeSandboxException> Refusal(Sandbox sandbox, Task bomb)
    {
        while (!bomb.IsCompleted)
        {
            try
            {
                await sandbox.RunAsync("true");
            }
            catch (CodeSandboxException refused)
            {
                return refused;
            }
        }

        throw new InvalidOperationException("The sandbox was never full.");
    }
}
