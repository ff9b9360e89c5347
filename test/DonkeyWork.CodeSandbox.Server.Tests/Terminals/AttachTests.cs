using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests.Terminals;

/// <summary>Who comes to a terminal that is still being started.</summary>
public sealed class AttachTests
{
    [Fact]
    public async Task Whoever_asks_for_a_terminal_while_it_starts_gets_it_in_any_size()
    {
        await using var executor = await ClockedExecutor.StartAsync();
        var gate = new TaskCompletionSource();
        executor.Trees.Gate = gate.Task;
        string[] queries = ["command=cat&cols=80&rows=24", "command=cat&cols=100&rows=30", "cols=90&rows=20", ""];
        var connecting = new List<Task<TerminalClient>>();
        foreach (var query in queries)
        {
            connecting.Add(TerminalClient.ConnectAsync(executor, $"execution=shared&{query}"));
            await Published.EventuallyAsync(() => executor.Registry.Stats.OpenStreams == connecting.Count, "it does not arrive");
        }

        gate.SetResult();

        var terminals = await Task.WhenAll(connecting);
        await terminals[1].TypeAsync("everybody\r");
        foreach (var terminal in terminals)
            await terminal.UntilAsync("everybody");
        using var deleted = await executor.Api.DeleteAsync("shared");
        foreach (var terminal in terminals)
            await terminal.DisposeAsync();
    }

    [Fact]
    public async Task Another_command_than_the_one_that_starts_is_refused()
    {
        await using var executor = await ClockedExecutor.StartAsync();
        await using var first = await TerminalClient.ConnectAsync(executor, "execution=taken&command=cat");

        using var other = await executor.Api.UpgradeAsync("/api/terminal?execution=taken&command=bash");
        await RequestTests.ProblemAsync(other, System.Net.HttpStatusCode.Conflict, ErrorCodes.ExecutionExists);
        // A login shell has no command to compare with.
        await using var shell = await TerminalClient.ConnectAsync(executor, "execution=shell");
        using var another = await executor.Api.UpgradeAsync("/api/terminal?execution=shell&command=cat");
        await RequestTests.ProblemAsync(another, System.Net.HttpStatusCode.Conflict, ErrorCodes.ExecutionExists);
        foreach (var id in (string[])["taken", "shell"])
            (await executor.Api.DeleteAsync(id)).Dispose();
    }
}
