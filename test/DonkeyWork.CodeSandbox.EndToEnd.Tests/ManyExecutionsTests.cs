namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

[Collection(SharedManagerCollection.Name)]
public sealed class ManyExecutionsTests(SharedManager shared)
{
    [Fact]
    public async Task A_thousand_in_a_row_leave_no_zombie_and_no_descriptor()
    {
        await using var sandbox = await shared.Client.CreateAsync();
        await RunNumbered(sandbox, 0);
        var before = await SettledDescriptors(sandbox.Name);

        for (var i = 0; i < 1000; i++)
        {
            await RunNumbered(sandbox, i);
        }

        await NothingLeft(sandbox.Name, before);
    }

    [Fact]
    public async Task Sixty_four_at_once_are_all_complete()
    {
        await using var sandbox = await shared.Client.CreateAsync();
        await RunNumbered(sandbox, 0);
        var before = await SettledDescriptors(sandbox.Name);

        // Each waits for the last to have started, so that all 64 do run at once.
        var all = Enumerable.Range(0, 64).Select(async i =>
        {
            var result = await sandbox.RunAsync($"touch ~/started.{i}; until [ -e ~/go ]; do read -t 0.05 < <(:); done; seq {i * 1000} {(i * 1000) + 999}");
            result.ExitCode.ShouldBe(0, result.StandardError);
            result.StandardOutput.ShouldBe(string.Concat(Enumerable.Range(i * 1000, 1000).Select(n => $"{n}\n")));
        }).ToList();
        await RunUntil(sandbox, "ls ~ | grep -c started", "64\n");
        (await sandbox.RunAsync("touch ~/go")).ExitCode.ShouldBe(0);
        await Task.WhenAll(all);

        await NothingLeft(sandbox.Name, before);
    }

    private static async Task RunNumbered(Client.Sandbox sandbox, int i)
    {
        var result = await sandbox.RunAsync($"echo out {i}; echo err {i} >&2; exit {i % 7}");
        result.StandardOutput.ShouldBe($"out {i}\n");
        result.StandardError.ShouldBe($"err {i}\n");
        result.ExitCode.ShouldBe(i % 7);
    }

    private static async Task RunUntil(Client.Sandbox sandbox, string command, string expected)
    {
        using var patience = new CancellationTokenSource(Patience.Limit);
        while ((await sandbox.RunAsync(command, cancellationToken: patience.Token)).StandardOutput != expected)
        {
        }
    }

    /// <summary>The number once the streams of what has ended are closed: the same twice.</summary>
    private static async Task<int> SettledDescriptors(string name)
    {
        var executor = HostProcesses.ExecutorOf(name);
        var last = -1;
        await Patience.UntilAsync(
            () =>
            {
                var now = executor.OpenDescriptors;
                var settled = now == last;
                last = now;
                return settled;
            },
            () => "The executor's descriptors do not settle.");
        return last;
    }

    private static async Task NothingLeft(string name, int descriptorsBefore)
    {
        await Patience.UntilAsync(
            () => HostProcesses.CommandsOf(name).Count == 0,
            () => $"Left: {string.Join('\n', HostProcesses.CommandsOf(name))}");
        // Connections of the Manager's pool to the executor may differ by those that are idle; they are bounded by those in use at once.
        await Patience.UntilAsync(
            () => SocketFree(name) <= descriptorsBefore,
            () => $"Descriptors before {descriptorsBefore}, now {SocketFree(name)}");
    }

    private static int SocketFree(string name) => HostProcesses.ExecutorOf(name).OpenDescriptors;
}
