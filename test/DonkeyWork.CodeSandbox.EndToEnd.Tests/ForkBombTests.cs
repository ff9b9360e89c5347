using DonkeyWork.CodeSandbox.Client;

namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

[Collection(SharedManagerCollection.Name)]
public sealed class ForkBombTests(SharedManager shared)
{
    /// <summary>Fills the sandbox to its limit and stays: each child lives, says when it is refused one of its own, and tries for more.</summary>
    private const string Bomb = """
        python3 -c '
        import os, time
        said = False
        while True:
            try: os.fork()
            except BlockingIOError:
                if not said: os.write(1, b"full\n")
                said = True
                time.sleep(0.01)
        '
        """;

    [Fact]
    public async Task A_full_sandbox_says_so_others_serve_and_a_caller_who_goes_away_empties_it()
    {
        await using var sandbox = await shared.Client.CreateAsync();
        await using var other = await shared.Client.CreateAsync();
        var executor = HostProcesses.ExecutorOf(sandbox.Name).Pid;

        using var gone = new CancellationTokenSource();
        // Without a time of its own: on a busy machine it would be over before anybody has been refused.
        var bomb = sandbox.RunAsync(Bomb, cancellationToken: gone.Token);
        await Patience.UntilAsync(() => HostProcesses.CommandsOf(sandbox.Name).Count > 150, () => "The bomb does not grow.");
        var full = await Refusal(sandbox, bomb);
        (await other.RunAsync("echo serving")).StandardOutput.ShouldBe("serving\n");
        (await shared.Manager.Http.GetStringAsync("/healthz")).ShouldBe("Healthy");

        full.Code.ShouldBe("start_failed");
        await gone.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(bomb);
        await IsEmptyAndServes(sandbox, executor);
    }

    [Fact]
    public async Task A_timeout_empties_a_full_sandbox()
    {
        await using var sandbox = await shared.Client.CreateAsync();
        var executor = HostProcesses.ExecutorOf(sandbox.Name).Pid;

        var result = await sandbox.RunAsync(Bomb, new RunOptions { TimeoutSeconds = 5 });

        result.StandardOutput.ShouldStartWith("full\n");
        result.TimedOut.ShouldBeTrue();
        await IsEmptyAndServes(sandbox, executor);
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

    private static async Task IsEmptyAndServes(Sandbox sandbox, int executor)
    {
        await Patience.UntilAsync(
            () => HostProcesses.CommandsOf(sandbox.Name).Count == 0, () => $"{HostProcesses.CommandsOf(sandbox.Name).Count} are left.");
        HostProcesses.ExecutorOf(sandbox.Name).Pid.ShouldBe(executor);
        (await sandbox.RunAsync("echo again")).StandardOutput.ShouldBe("again\n");
    }

    /// <summary>Asks until the sandbox refuses, which it does while it is full.</summary>
    private static async Task<CodeSandboxException> Refusal(Sandbox sandbox, Task bomb)
    {
        using var patience = new CancellationTokenSource(Patience.Limit);
        while (!bomb.IsCompleted)
        {
            try
            {
                await sandbox.RunAsync("true", cancellationToken: patience.Token);
            }
            catch (CodeSandboxException refused)
            {
                return refused;
            }
        }

        throw new InvalidOperationException("The sandbox was never full.");
    }
}
