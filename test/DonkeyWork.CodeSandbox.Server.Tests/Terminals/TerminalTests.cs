using System.Globalization;
using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.RegularExpressions;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests.Terminals;

/// <summary>Terminals of the published executor, used as a person does.</summary>
public sealed class TerminalTests(BothKinds containers) : IClassFixture<BothKinds>
{
    private const string Mark = "6363.6363";

    [Theory]
    [InlineData(KillMode.Cgroup)]
    [InlineData(KillMode.Reaper)]
    public async Task A_login_shell_at_home_has_job_control(KillMode mode)
    {
        var container = containers[mode];
        await using var terminal = await TerminalClient.ConnectAsync(container, columns: 100, rows: 30);
        await terminal.TypeAsync("shopt -q login_shell && echo $TERM-$PWD-$(stty size)-$(tty)-é\r");
        await terminal.UntilAsync("xterm-256color-/home/user-30 100-/dev/pts/");
        await terminal.UntilAsync("-é\n");
        terminal.Screen.Text.ShouldNotContain("no job control");

        await terminal.TypeAsync($"sleep {Mark}\r");
        await RunsAsync(container, $"sleep {Mark}");
        await terminal.TypeAsync("\u001a");
        await terminal.UntilAsync("Stopped");
        container.Marked(Mark).Single().State.ShouldBe('T');
        await terminal.TypeAsync("clear; jobs; bg\r");
        await terminal.UntilAsync($"[1]+ sleep {Mark} &");
        await Published.EventuallyAsync(() => container.Marked(Mark).Single().State == 'S', "bg does not continue it");
        await terminal.TypeAsync($"sleep 7{Mark} &\r");
        await terminal.UntilAsync("[2] ");
        await terminal.TypeAsync("clear; fg %1\r");
        await terminal.UntilAsync(screen => screen.Line(0) == $"sleep {Mark}", "fg says nothing");
        // It says so before it does it: until then Ctrl-C is the shell's.
        await Published.EventuallyAsync(() => HasTerminal(container.Marked($"sleep {Mark}").Single()), "fg gives it no terminal");
        await terminal.TypeAsync("\u0003");
        await Published.EventuallyAsync(() => container.Marked($"sleep {Mark}").Count == 0, "Ctrl-C does not end it");
        await terminal.TypeAsync("echo status=$?; kill %2; wait; echo all\" \"gone; exit 7\r");
        await terminal.UntilAsync("status=130");
        await terminal.UntilAsync("all gone");

        await terminal.Ended.WaitAsync(Published.Patience);
        terminal.CloseStatus.ShouldBe(WebSocketCloseStatus.NormalClosure);
        terminal.CloseReason.ShouldBe("7");
        await NothingIsLeftAsync(container);
    }

    [Theory]
    [InlineData(KillMode.Cgroup)]
    [InlineData(KillMode.Reaper)]
    public async Task What_is_killed_beside_a_terminal_does_not_suspend_its_foreground_job(KillMode mode)
    {
        var container = containers[mode];
        await using var terminal = await TerminalClient.ConnectAsync(container);
        await terminal.TypeAsync($"sleep {Mark}\r");
        await RunsAsync(container, $"sleep {Mark}");

        for (var round = 0; round < 20; round++)
        {
            var beside = await container.Api.StartAsync("sleep 3600");
            using var deleted = await container.Api.DeleteAsync(beside.Id);
            ((int)deleted.StatusCode).ShouldBe(204);
        }

        // What is typed reaches the job, which still has the terminal.
        await terminal.TypeAsync("\u0003");
        await terminal.TypeAsync("echo status=$?\r");
        await terminal.UntilAsync("status=130");
        terminal.Screen.Text.ShouldNotContain("Stopped");
        await NothingIsLeftAsync(container);
    }

    [Fact]
    public async Task A_python_prompt_edits_lines_and_takes_an_end_of_file()
    {
        await using var terminal = await TerminalClient.ConnectAsync(containers[KillMode.Cgroup], "command=" + Uri.EscapeDataString("exec python3"));
        await terminal.UntilAsync(">>>");
        await terminal.TypeAsync("x = 'größer' * 3\rprint(x.upper)\u001b[D()\r");
        await terminal.UntilAsync("GRÖSSERGRÖSSERGRÖSSER");
        await terminal.TypeAsync("input()\r");
        await terminal.TypeAsync("\u0003");
        await terminal.UntilAsync("KeyboardInterrupt");
        await terminal.TypeAsync("print('cook''ed'); print('read', repr(__import__('sys').stdin.read()))\r");
        await terminal.UntilAsync("\ncooked");
        await terminal.TypeAsync("ab\r\u0004");
        await terminal.UntilAsync("read 'ab\\n'");
        await terminal.TypeAsync("exit(4)\r");
        await terminal.Ended.WaitAsync(Published.Patience);
        terminal.CloseReason.ShouldBe("4");
    }

    [Fact]
    public async Task Top_redraws_itself_to_the_size_of_the_screen()
    {
        await using var terminal = await TerminalClient.ConnectAsync(
            containers[KillMode.Reaper], "command=" + Uri.EscapeDataString("exec top -d 0.2"), columns: 50, rows: 10);
        await terminal.UntilAsync(screen => screen.Line(0).StartsWith("top - ", StringComparison.Ordinal) && screen.Text.Contains("PID USER", StringComparison.Ordinal), "top does not start");
        terminal.Screen.Text.ShouldNotContain("COMMAND");

        await terminal.ResizeAsync(120, 30);

        await terminal.UntilAsync(screen => screen.Line(0).StartsWith("top - ", StringComparison.Ordinal) && screen.Line(6).EndsWith("TIME+ COMMAND", StringComparison.Ordinal), "top does not use the new size");
        await terminal.TypeAsync("q");
        await terminal.Ended.WaitAsync(Published.Patience);
        terminal.CloseReason.ShouldBe("0");
    }

    [Theory]
    [InlineData(KillMode.Cgroup)]
    [InlineData(KillMode.Reaper)]
    public async Task Vim_edits_a_file_through_a_resize_and_a_cut(KillMode mode)
    {
        var container = containers[mode];
        var name = $"edit-{mode}";
        var file = $"/tmp/{name}.txt";
        await container.Api.RunAsync($"seq -f 'line %g' 100 >{file}");
        var first = await TerminalClient.ConnectAsync(container, $"execution={name}&command=" + Uri.EscapeDataString($"exec {Vim} -u NONE -i NONE -n {file}"));
        await first.UntilAsync(screen => screen.Line(0) == "line 1" && screen.Line(22) == "line 23", "the file is not shown");
        first.Screen.Text.ShouldNotContain("line 24");

        await first.ResizeAsync(100, 40);
        await first.UntilAsync(screen => screen.Line(0) == "line 1" && screen.Line(38) == "line 39", "the screen does not grow");
        await first.ResizeAsync(70, 12);
        await first.UntilAsync(screen => screen.Line(0) == "line 1" && screen.Line(10) == "line 11", "the screen does not shrink");
        await first.TypeAsync("ohéllo wörld\u001b");
        await first.UntilAsync(screen => screen.Line(1) == "héllo wörld", "what was typed is not shown");
        first.Cut();
        await first.DisposeAsync();

        await using var second = await TerminalClient.ConnectAsync(container, $"execution={name}", 70, 12);
        await second.UntilAsync(screen => screen.Line(0) == "line 1" && screen.Line(1) == "héllo wörld" && screen.Line(2) == "line 2", "the screen does not come back");
        await second.TypeAsync("G");
        await second.UntilAsync(screen => screen.Line(10) == "line 100", "the end is not shown");
        await second.TypeAsync(":1d\r");
        await second.UntilAsync(screen => screen.Line(0) == "héllo wörld", "nothing is deleted");
        await second.TypeAsync(":wq\r");
        await second.Ended.WaitAsync(Published.Patience);

        second.CloseStatus.ShouldBe(WebSocketCloseStatus.NormalClosure);
        second.CloseReason.ShouldBe("0");
        (await container.Api.RunAsync($"head -n 2 {file}; wc -l <{file}; rm {file}")).Stdout.ShouldBe("héllo wörld\nline 2\n100\n");
    }

    [Fact]
    public async Task A_new_size_is_heard_in_every_form_and_anything_else_is_typed()
    {
        await using var terminal = await TerminalClient.ConnectAsync(
            containers[KillMode.Cgroup], "command=" + Uri.EscapeDataString("trap 'echo size $(stty size)' WINCH; echo ready; " + TerminalClient.EchoLines));
        await terminal.UntilAsync("ready");
        await terminal.SendTextAsync("""{"type":"resize","payload":{"cols":91,"rows":31}}""");
        await terminal.UntilAsync("size 31 91");
        await terminal.SendTextAsync("""  { "Type": "resize", "cols": 92, "rows": 32 }""");
        await terminal.UntilAsync("size 32 92");
        // Sizes that there are not change nothing, and are not typed.
        await terminal.SendTextAsync("""{"type":"resize","cols":0,"rows":70000}""");
        foreach (var typed in (string[])["""{"type":"other"}""", """{"type":"resize","cols":"many"}""", "{", "plain", """["resize"]"""])
        {
            await terminal.SendTextAsync(typed + "\r");
            await terminal.UntilAsync($"[{typed}]");
        }

        terminal.Screen.Text.ShouldNotContain("70000");
    }

    [Theory]
    [InlineData(KillMode.Cgroup, WebSocketCloseStatus.NormalClosure, true)]
    [InlineData(KillMode.Reaper, WebSocketCloseStatus.NormalClosure, true)]
    [InlineData(KillMode.Cgroup, WebSocketCloseStatus.EndpointUnavailable, true)]
    [InlineData(KillMode.Reaper, WebSocketCloseStatus.EndpointUnavailable, false)]
    [InlineData(KillMode.Cgroup, null, false)]
    [InlineData(KillMode.Reaper, null, false)]
    public async Task Hanging_up_leaves_no_process_behind(KillMode mode, WebSocketCloseStatus? status, bool isNamed)
    {
        var container = containers[mode];
        var file = $"/tmp/{Guid.NewGuid():n}";
        await using var terminal = await TerminalClient.ConnectAsync(container, isNamed ? $"execution=hangup-{mode}-{status}" : "");
        await terminal.TypeAsync($"trap 'echo heard >{file}' EXIT; setsid sleep {Mark} & (setsid nohup sleep {Mark} &) ; nohup sleep {Mark} & cd /; echo ready''\r");
        await terminal.UntilAsync("ready\n");
        await Published.EventuallyAsync(() => container.Marked($"sleep {Mark}").Count == 3, "they do not run");

        if (status is { } code)
            await terminal.CloseAsync(code);
        else
            terminal.Cut();

        await NothingIsLeftAsync(container);
        (await container.Api.RunAsync($"cat {file}; rm {file}")).Stdout.ShouldBe("heard\n");
    }

    [Fact]
    public async Task Somebody_who_is_cut_off_or_leaves_otherwise_finds_everything_running_still()
    {
        var container = containers[KillMode.Cgroup];
        for (var round = 0; round < 5; round++)
        {
            await using var terminal = await TerminalClient.ConnectAsync(container, "execution=resumed");
            if (round > 0)
                await terminal.UntilAsync($"round {round - 1} done");
            await terminal.TypeAsync($"echo round {round} d''one\r");
            await terminal.UntilAsync($"round {round} done");
            if (round % 2 == 0)
                terminal.Cut();
            else
                await terminal.CloseAsync((WebSocketCloseStatus)4000);
        }

        await using var last = await TerminalClient.ConnectAsync(container, "execution=resumed");
        await last.UntilAsync("round 4 done");
        await last.CloseAsync(WebSocketCloseStatus.NormalClosure);
    }

    [Fact]
    public async Task The_last_256_KiB_are_sent_again_and_then_the_exit_code()
    {
        var container = containers[KillMode.Reaper];
        const string command = "stty raw; head -c 400000 /dev/zero | tr '\\0' x; seq 20000; exit 9";
        var query = "execution=replayed&command=" + Uri.EscapeDataString(command);
        await using var first = await TerminalClient.ConnectAsync(container, query);
        await first.Ended.WaitAsync(Published.Patience);
        first.CloseReason.ShouldBe("9");

        await using var second = await TerminalClient.ConnectAsync(container, query);
        await second.Ended.WaitAsync(Published.Patience);

        second.CloseReason.ShouldBe("9");
        var all = first.Received;
        all.Length.ShouldBe(400_000 + Enumerable.Range(1, 20_000).Sum(number => number.ToString(CultureInfo.InvariantCulture).Length + 1));
        second.Received.ShouldBe(all[^(256 * 1024)..]);
    }

    [Fact]
    public async Task Several_see_the_same_and_may_type()
    {
        var container = containers[KillMode.Cgroup];
        await using var first = await TerminalClient.ConnectAsync(container, "execution=shared");
        await first.TypeAsync("echo fi''rst\r");
        await first.UntilAsync("first");
        await using var second = await TerminalClient.ConnectAsync(container, "execution=shared");
        await using var third = await TerminalClient.ConnectAsync(container, "execution=shared");

        await second.TypeAsync("echo sec''ond\r");
        foreach (var terminal in (TerminalClient[])[first, second, third])
        {
            await terminal.UntilAsync("first");
            await terminal.UntilAsync("second");
        }

        third.Cut();
        await first.TypeAsync("exit 3\r");
        await first.Ended.WaitAsync(Published.Patience);
        await second.Ended.WaitAsync(Published.Patience);
        (first.CloseReason, second.CloseReason).ShouldBe(("3", "3"));
        second.Received.ShouldBe(first.Received);
    }

    [Fact]
    public async Task What_runs_on_in_the_background_outlives_a_shell_that_was_left_with_exit()
    {
        var container = containers[KillMode.Cgroup];
        await using var terminal = await TerminalClient.ConnectAsync(container);
        await terminal.TypeAsync($"setsid sleep {Mark} & disown; sleep 0.1; exit\r");
        await terminal.Ended.WaitAsync(Published.Patience);

        terminal.CloseReason.ShouldBe("0");
        container.Marked($"sleep {Mark}").ShouldNotBeEmpty();
        await container.Api.RunAsync($"pkill -f 'sleep {Mark}'");
        await NothingIsLeftAsync(container);
    }

    [Theory]
    [InlineData(KillMode.Cgroup)]
    [InlineData(KillMode.Reaper)]
    public async Task Twenty_at_once_are_twenty(KillMode mode)
    {
        await using var container = await ExecutorContainer.StartAsync(mode);
        var threads = Directory.GetDirectories($"/proc/{container.Pid}/task").Length;
        var terminals = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => TerminalClient.ConnectAsync(container)));
        await Task.WhenAll(terminals.Select(async (terminal, i) =>
        {
            await terminal.TypeAsync($"echo I am $(({i} * 1001)) at $(tty)\r");
            await terminal.UntilAsync($"I am {i * 1001} at /dev/pts/");
        }));

        var names = terminals.Select(terminal => Regex.Match(terminal.Screen.Text, @"at (/dev/pts/\d+)").Value).ToList();
        names.Distinct().Count().ShouldBe(20);
        // None is needed per terminal: what there is at most is reserved (8 of the pool, and a handful beside it).
        Directory.GetDirectories($"/proc/{container.Pid}/task").Length.ShouldBeLessThanOrEqualTo(Math.Max(threads, 16));
        (await container.Api.StatsAsync()).OpenStreams.ShouldBe(20);

        await Task.WhenAll(terminals.Select(terminal => terminal.CloseAsync(WebSocketCloseStatus.NormalClosure)));
        await Published.EventuallyAsync(() => container.Processes().Count == 1, "processes are left");
        await Published.EventuallyAsync(() => container.Api.StatsAsync().GetAwaiter().GetResult() is { OpenStreams: 0, Running: 0 }, "streams are left");
    }

    [Theory]
    [InlineData("cols=abc", "cols")]
    [InlineData("cols=0", "cols")]
    [InlineData("rows=-1", "rows")]
    [InlineData("rows=65536", "rows")]
    [InlineData("rows=", "rows")]
    [InlineData("cols=80&cols=90", "cols")]
    [InlineData("execution=a/b", "id")]
    [InlineData("execution=", "id")]
    [InlineData("command=a%00b", "command")]
    public async Task A_wrong_parameter_is_a_problem_before_the_upgrade(string query, string field)
    {
        using var response = await UpgradeAsync(containers[KillMode.Cgroup], query);
        (await RequestTests.ProblemAsync(response, HttpStatusCode.BadRequest, ErrorCodes.InvalidRequest)).Errors.ShouldNotBeNull().Keys.ShouldContain(field);
    }

    [Fact]
    public async Task What_cannot_be_attached_to_is_a_problem_before_the_upgrade()
    {
        var container = containers[KillMode.Cgroup];
        using var plain = await container.Api.SendAsync(HttpMethod.Get, "/api/terminal");
        await RequestTests.ProblemAsync(plain, HttpStatusCode.BadRequest, ErrorCodes.InvalidRequest);

        using var started = await container.Api.PostAsync("/api/executions", """{"id":"pipes","command":"true"}""");
        using var pipes = await UpgradeAsync(container, "execution=pipes");
        await RequestTests.ProblemAsync(pipes, HttpStatusCode.Conflict, ErrorCodes.NotATerminal);

        await using (var terminal = await TerminalClient.ConnectAsync(container, "execution=taken&command=cat"))
        {
            using var other = await UpgradeAsync(container, "execution=taken&command=bash");
            await RequestTests.ProblemAsync(other, HttpStatusCode.Conflict, ErrorCodes.ExecutionExists);
            using var deleted = await container.Api.SendAsync(HttpMethod.Delete, "/api/executions/taken");
            ((int)deleted.StatusCode).ShouldBe(204);
            await terminal.Ended.WaitAsync(Published.Patience);
            terminal.CloseStatus.ShouldBeNull();
        }

        using var gone = await UpgradeAsync(container, "execution=taken");
        await RequestTests.ProblemAsync(gone, HttpStatusCode.Gone, ErrorCodes.ExecutionDeleted);
        await NothingIsLeftAsync(container);
    }

    private static string Vim { get; } = Published.Succeed("bash", "-c", "readlink -f \"$(command -v vi)\"").Trim();

    /// <summary>Whether its group is the foreground one, by the 5th and the 8th field of its stat: proc_pid_stat(5).</summary>
    private static bool HasTerminal(HostProcess process)
    {
        var stat = File.ReadAllText($"/proc/{process.Pid}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return fields[5 - 3] == fields[8 - 3];
    }

    private static Task RunsAsync(ExecutorContainer container, string commandLine) =>
        Published.EventuallyAsync(() => container.Marked(commandLine).Count > 0, $"'{commandLine}' does not run");

    private static async Task NothingIsLeftAsync(ExecutorContainer container)
    {
        await Published.EventuallyAsync(() => container.Marked(Mark).Count == 0, "processes are left");
        await Published.EventuallyAsync(() => container.Processes().All(process => process.State != 'Z'), "zombies are left");
    }

    private static Task<HttpResponseMessage> UpgradeAsync(ExecutorContainer container, string query) =>
        container.Api.UpgradeAsync($"/api/terminal?{query}");
}
