using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests;

public sealed class KillTests(BothKinds containers) : IClassFixture<BothKinds>
{
    private const string Mark = "4242.4242";

    /// <summary>Commands that try to leave something behind. Each says <c>ready</c> when it is at it.</summary>
    private static readonly Dictionary<string, string> Adversaries = new()
    {
        ["plain"] = $"echo ready; sleep {Mark}",
        ["setsid"] = $"setsid sleep {Mark} & setsid setsid bash -c 'sleep {Mark}; :' & echo ready; sleep {Mark}",
        ["double fork"] = $"( ( sleep {Mark} & ) & ); ( setsid sleep {Mark} & ); echo ready; sleep {Mark}",
        ["nohup"] = $"nohup sleep {Mark} >/dev/null 2>&1 & echo ready; sleep {Mark}",
        ["env -i"] = $"env -i setsid nohup sleep {Mark} >/dev/null 2>&1 & echo ready; sleep {Mark}",
        ["deaf"] = $"trap '' TERM HUP INT QUIT; echo ready; setsid sleep {Mark} & sleep {Mark}; sleep {Mark}",
        ["forking loop"] = $"echo ready; f() {{ sleep {Mark} & f & f; }}; f",
        ["comets"] = $$"""
            for i in 1 2 3; do setsid perl -e 'while (1) { my $child = fork; exit if $child } # {{Mark}}' & done; echo ready; sleep {{Mark}}
            """,
        // A leader that is dead to /proc while its other thread goes on: pthread_exit(3) on the main thread.
        ["dead leader"] = $$"""
            exec -a {{Mark}} python3 -u -c '
            import ctypes, platform, threading, time
            def live_on():
                while open("/proc/self/stat").read().rsplit(")")[-1].split()[0] != "Z": time.sleep(0.01)
                print("ready")
                while True: time.sleep(0.01)
            threading.Thread(target=live_on).start()
            ctypes.CDLL(None).syscall(60 if platform.machine() == "x86_64" else 93, 0)' & wait
            """,
        // After its start was told: one that stops its own reaper before that is refused as start_failed.
        ["stopping everybody"] = $"sleep 0.3; echo ready; while kill -STOP -1; do :; done; : {Mark}",
    };

    public static TheoryData<KillMode, string> All
    {
        get
        {
            var data = new TheoryData<KillMode, string>();
            foreach (var mode in Enum.GetValues<KillMode>())
            {
                foreach (var adversary in Adversaries.Keys)
                    data.Add(mode, adversary);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_timed_out_command_leaves_no_process_behind(KillMode mode, string adversary)
    {
        var container = containers[mode];

        var outcome = await container.Api.RunAsync(Adversaries[adversary], timeoutSeconds: 1);

        outcome.Completed.ShouldSatisfy(137, CompletionReason.TimedOut);
        await NothingIsLeftAsync(container);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_disconnected_command_leaves_no_process_behind(KillMode mode, string adversary)
    {
        var container = containers[mode];
        await foreach (var item in container.Api.StreamAsync(new ExecuteRequest { Command = Adversaries[adversary] }))
        {
            if (item.Event is OutputEvent { Data: "ready" })
                break;
        }

        await NothingIsLeftAsync(container);
    }

    [Theory]
    [InlineData(KillMode.Cgroup, "setsid")]
    [InlineData(KillMode.Cgroup, "forking loop")]
    [InlineData(KillMode.Cgroup, "comets")]
    [InlineData(KillMode.Reaper, "setsid")]
    [InlineData(KillMode.Reaper, "double fork")]
    [InlineData(KillMode.Reaper, "forking loop")]
    [InlineData(KillMode.Reaper, "comets")]
    public async Task Another_command_survives_the_kill(KillMode mode, string adversary)
    {
        var container = containers[mode];
        // It forks no more once it says tick: a full sandbox must not end it.
        var enough = $"/tmp/{Guid.NewGuid():n}";
        await using var survivor = container.Api.StreamAsync(new ExecuteRequest
        {
            Command = $"sleep 5151.5151 & exec 3<> <(:); until [ -e {enough} ]; do echo tick; read -t 0.05 -u 3; done; kill $!; echo end",
        }).GetAsyncEnumerator();
        (await survivor.MoveNextAsync()).ShouldBeTrue();

        (await container.Api.RunAsync(Adversaries[adversary], timeoutSeconds: 1)).Completed.TimedOut.ShouldBeTrue();

        await NothingIsLeftAsync(container);
        container.Marked("sleep 5151.5151").ShouldNotBeEmpty();
        await container.Api.RunAsync($"touch {enough}");
        var last = survivor.Current;
        var lines = new List<string>();
        while (await survivor.MoveNextAsync())
        {
            last = survivor.Current;
            if (last.Event is OutputEvent line)
                lines.Add(line.Data);
        }

        lines[^1].ShouldBe("end");
        last.Event.ShouldBeOfType<CompletedEvent>().ExitCode.ShouldBe(0);
    }

    [Theory]
    [InlineData(KillMode.Cgroup)]
    [InlineData(KillMode.Reaper)]
    public async Task What_another_user_has_left_inside_holds_up_no_kill(KillMode mode)
    {
        await using var container = await ExecutorContainer.StartAsync(mode);
        container.Exec(userId: 1001, "sleep 6161.6161 </dev/null >/dev/null 2>&1 &");

        (await container.Api.RunAsync($"setsid sleep {Mark} & sleep {Mark}", timeoutSeconds: 1)).Completed.TimedOut.ShouldBeTrue();

        await NothingIsLeftAsync(container);
        container.Marked("6161.6161").ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData("setsid")]
    [InlineData("double fork")]
    public async Task Control_killing_the_process_group_alone_leaves_processes_behind(string adversary)
    {
        await using var container = await ExecutorContainer.StartAsync(KillMode.Cgroup);
        await using var stream = container.Api.StreamAsync(new ExecuteRequest { Command = Adversaries[adversary] }).GetAsyncEnumerator();
        (await stream.MoveNextAsync()).ShouldBeTrue();
        // Of both: until setsid(1) has become what it starts it is of the group still, and dies with it.
        await Published.EventuallyAsync(
            () => container.Marked(Mark).Count(process => process.CommandLine.StartsWith($"sleep {Mark}", StringComparison.Ordinal)) == 3, "they do not run");
        // As a command, under the same uid, because the pid is the sandbox's.
        await container.Api.RunAsync($"kill -KILL -- -{stream.Current.Event!.Pid}");
        while (await stream.MoveNextAsync())
        {
        }

        container.Marked($"sleep {Mark}").ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData(KillMode.Cgroup)]
    [InlineData(KillMode.Reaper)]
    public async Task A_command_is_killed_while_its_reader_reads_nothing(KillMode mode)
    {
        var container = containers[mode];
        var response = await container.Api.ExecuteAsync(new ExecuteRequest { Command = $"exec -a {Mark} yes" });
        // The pipe and all buffers are full when it sleeps in the kernel's write to the pipe.
        await Published.EventuallyAsync(
            () => container.Processes().FirstOrDefault(process => process.CommandLine.StartsWith(Mark, StringComparison.Ordinal)) is { } yes && File.ReadAllText($"/proc/{yes.Pid}/wchan").Contains("pipe", StringComparison.Ordinal),
            "the slow reader does not hold the command");

        response.Dispose();

        await NothingIsLeftAsync(container);
    }

    [Theory]
    [InlineData(KillMode.Cgroup)]
    [InlineData(KillMode.Reaper)]
    public async Task A_held_command_times_out_and_its_reader_still_gets_the_end(KillMode mode)
    {
        var container = containers[mode];
        using var response = await container.Api.ExecuteAsync(new ExecuteRequest { Command = $"exec -a {Mark} yes", TimeoutSeconds = 1 });
        await NothingIsLeftAsync(container);

        StreamItem? last = null;
        await foreach (var item in ExecutorApi.ReadAsync(response))
            last = item;
        last!.Event.ShouldBeOfType<CompletedEvent>().ShouldSatisfy(137, CompletionReason.TimedOut);
    }

    private static async Task NothingIsLeftAsync(ExecutorContainer container)
    {
        await Published.EventuallyAsync(() => container.Marked(Mark).Count == 0, "processes are left");
        await Published.EventuallyAsync(() => container.Processes().All(process => process.State != 'Z'), "zombies are left");
        (await container.Api.RunAsync("echo still here")).Stdout.ShouldBe("still here\n");
    }
}
