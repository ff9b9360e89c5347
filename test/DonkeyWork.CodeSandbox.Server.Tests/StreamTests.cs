using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests;

public sealed class StreamTests(BothKinds containers) : IClassFixture<BothKinds>
{
    [Theory]
    [InlineData(KillMode.Cgroup)]
    [InlineData(KillMode.Reaper)]
    public async Task A_silent_command_is_kept_alive_by_comments(KillMode mode)
    {
        await using var stream = containers[mode].Api.StreamAsync(new ExecuteRequest { Command = "sleep 1000" }).GetAsyncEnumerator();

        (await stream.MoveNextAsync()).ShouldBeTrue();

        stream.Current.Comment.ShouldBe("keepalive");
    }

    [Theory]
    [InlineData(KillMode.Cgroup)]
    [InlineData(KillMode.Reaper)]
    public async Task The_headers_of_a_silent_command_come_while_it_runs(KillMode mode)
    {
        var api = containers[mode].Api;

        // Had they waited for the first output, that would be a keep-alive.
        using var response = await api.ExecuteAsync(new ExecuteRequest { Command = "until [ -e /tmp/headers ]; do sleep 0.05; done; rm /tmp/headers" });
        await api.RunAsync("touch /tmp/headers");

        var items = new List<StreamItem>();
        await foreach (var item in ExecutorApi.ReadAsync(response))
            items.Add(item);
        items.ShouldHaveSingleItem().Event.ShouldBeOfType<CompletedEvent>().ExitCode.ShouldBe(0);
    }

    [Theory]
    [InlineData(KillMode.Cgroup)]
    [InlineData(KillMode.Reaper)]
    public async Task Output_comes_while_the_command_runs(KillMode mode)
    {
        var api = containers[mode].Api;
        await using var stream = api.StreamAsync(
            new ExecuteRequest { Command = "echo first; until [ -e /tmp/seen ]; do sleep 0.05; done; echo second; rm /tmp/seen" }).GetAsyncEnumerator();

        (await stream.MoveNextAsync()).ShouldBeTrue();
        stream.Current.Event.ShouldBeOfType<OutputEvent>().Data.ShouldBe("first");
        await api.RunAsync("touch /tmp/seen");

        (await stream.MoveNextAsync()).ShouldBeTrue();
        stream.Current.Event.ShouldBeOfType<OutputEvent>().Data.ShouldBe("second");
    }

    [Theory]
    [InlineData(KillMode.Cgroup)]
    [InlineData(KillMode.Reaper)]
    public async Task A_stream_completes_with_its_shell_and_background_children_live_on(KillMode mode)
    {
        var container = containers[mode];

        // It would take a reader for the child to write more than a pipe holds, and SIGPIPE would end it.
        var outcome = await container.Api.RunAsync(
            "{ until [ -e /tmp/completed ]; do sleep 0.05; done; seq 200000; touch /tmp/written; exec sleep 6161.6161; } & echo done");

        outcome.Stdout.ShouldBe("done\n");
        outcome.Completed.ShouldSatisfy(0, null);
        await container.Api.RunAsync("touch /tmp/completed");
        (await container.Api.RunAsync("until [ -e /tmp/written ]; do sleep 0.05; done; rm /tmp/written /tmp/completed", 30)).Completed.ExitCode.ShouldBe(0);
        await Published.EventuallyAsync(() => container.Processes().Any(process => process.CommandLine.StartsWith("sleep 6161.6161", StringComparison.Ordinal)), "the child does not live on");
        (await container.Api.RunAsync("pkill -f 'sleep [6]161.6161'")).Completed.ExitCode.ShouldBe(0);
        await Published.EventuallyAsync(() => container.Processes().Count == 1, "something is left");
        await container.Api.RunAsync("true");
        if (mode == KillMode.Cgroup)
            await Published.EventuallyAsync(() => Directory.GetDirectories(container.Cgroup).Length == 0, "its cgroup is left");
    }

    [Theory]
    [InlineData(KillMode.Cgroup)]
    [InlineData(KillMode.Reaper)]
    public async Task A_late_reader_gets_everything_of_a_command_that_has_long_ended(KillMode mode)
    {
        var container = containers[mode];
        using var response = await container.Api.ExecuteAsync(new ExecuteRequest { Command = "seq 12000; sleep 7171.7171 &" });
        await Published.EventuallyAsync(
            () => !container.Processes().Any(process => process.CommandLine.StartsWith("bash -c seq", StringComparison.Ordinal)), "it does not end");
        await container.Api.RunAsync("sleep 0.5");

        var lines = new List<string>();
        await foreach (var item in ExecutorApi.ReadAsync(response))
        {
            if (item.Event is OutputEvent line)
                lines.Add(line.Data);
        }

        lines.ShouldBe(Enumerable.Range(1, 12_000).Select(number => $"{number}"));
        await container.Api.RunAsync("pkill -f 'sleep [7]171.7171'");
    }
}
