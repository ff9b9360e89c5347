using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

/// <summary>What a command leaves behind when it is ended is nothing, as the host's /proc shows it.</summary>
[Collection(SharedManagerCollection.Name)]
public sealed class KilledCompletelyTests(SharedManager shared)
{
    private const string Bystander = "echo up; sleep 3600";

    [Theory]
    [MemberData(nameof(Escapes.All), MemberType = typeof(Escapes))]
    public async Task A_timeout_leaves_nothing_and_spares_the_others(string command)
    {
        await using var sandbox = await shared.Client.CreateAsync();
        await using var bystander = await Started(sandbox, Bystander);
        var spared = HostProcesses.CommandsOf(sandbox.Name).Select(p => p.Pid).ToHashSet();

        var result = await sandbox.RunAsync(command, new Client.RunOptions { TimeoutSeconds = 1 });

        result.TimedOut.ShouldBeTrue();
        result.Reason.ShouldBe(CompletionReason.TimedOut);
        await Only(sandbox.Name, spared);
        spared.ShouldNotBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Escapes.All), MemberType = typeof(Escapes))]
    public async Task A_caller_who_goes_away_leaves_nothing_and_spares_the_others(string command)
    {
        await using var sandbox = await shared.Client.CreateAsync();
        await using var bystander = await Started(sandbox, Bystander);
        var spared = HostProcesses.CommandsOf(sandbox.Name).Select(p => p.Pid).ToHashSet();

        await using (await Started(sandbox, $"echo up\n{command}"))
        {
            await Patience.UntilAsync(() => HostProcesses.CommandsOf(sandbox.Name).Count > spared.Count, () => "It does not run.");
        }

        await Only(sandbox.Name, spared);
    }

    [Theory]
    [MemberData(nameof(Escapes.All), MemberType = typeof(Escapes))]
    public async Task A_delete_leaves_nothing_at_all(string command)
    {
        var sandbox = await shared.Client.CreateAsync();
        await using var running = await Started(sandbox, $"echo up\n{command}");

        await sandbox.DisposeAsync();

        await Patience.UntilAsync(
            () => Remains.OfSandbox(sandbox.Name).Count == 0,
            () => string.Join('\n', Remains.OfSandbox(sandbox.Name)));
    }

    [Fact]
    public async Task Control__a_process_group_kill_does_leave_something()
    {
        await using var sandbox = await shared.Client.CreateAsync();

        // With job control a job is a process group. It is killed once what gets away has done so.
        var result = await sandbox.RunAsync("""
            set -m
            { setsid bash -c 'touch ~/away; exec sleep 3600' >/dev/null 2>&1 & sleep 3600; } &
            until [ -e ~/away ]; do sleep 0.05; done
            kill -KILL -- -$!
            """);

        result.TimedOut.ShouldBeFalse();
        await Patience.UntilAsync(
            () => HostProcesses.CommandsOf(sandbox.Name) is [{ IsZombie: false } only] && only.CommandLine.StartsWith("sleep 3600", StringComparison.Ordinal),
            () => $"Not it alone is left: {string.Join('\n', HostProcesses.CommandsOf(sandbox.Name))}");
    }

    /// <summary>Runs a command whose first line is "up" and comes back when that was printed; disposing ends it.</summary>
    private static async Task<IAsyncDisposable> Started(Client.Sandbox sandbox, string command)
    {
        var events = sandbox.ExecuteAsync(command).GetAsyncEnumerator();
        (await events.MoveNextAsync()).ShouldBeTrue();
        events.Current.ShouldBeOfType<OutputEvent>().Data.ShouldBe("up");
        return events;
    }

    private static Task Only(string sandbox, HashSet<int> pids) => Patience.UntilAsync(
        () => HostProcesses.CommandsOf(sandbox).Select(p => p.Pid).ToHashSet().SetEquals(pids),
        () => $"Expected {string.Join(' ', pids)}, found:\n{string.Join('\n', HostProcesses.CommandsOf(sandbox))}");
}
