using System.Net;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests.Executions;

public sealed class ExecutionTests(BothKinds containers) : IClassFixture<BothKinds>
{
    public static TheoryData<KillMode> Modes => new(Enum.GetValues<KillMode>());

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task One_id_is_one_process_however_often_it_is_started_at_once(KillMode mode)
    {
        var container = containers[mode];
        var request = new StartExecutionRequest { Id = "once", Command = "exec sleep 3131.3131", Environment = new Dictionary<string, string> { ["A"] = "1", ["B"] = "2" } };
        var same = request with { Environment = new Dictionary<string, string> { ["B"] = "2", ["A"] = "1" }, TimeoutSeconds = 5_000, KeepOutputBytes = 1, WorkingDirectory = "/home/user" };

        var responses = await Task.WhenAll(Enumerable.Range(0, 40).Select(number => container.Api.PostStartAsync(number % 2 == 0 ? request : same)));

        responses.Count(response => response.StatusCode == HttpStatusCode.Created).ShouldBe(1);
        responses.Count(response => response.StatusCode == HttpStatusCode.OK).ShouldBe(39);
        // Nothing forks here: a fork has the command line of its parent until it has become something else.
        container.Marked("3131.3131").Count(process => !process.CommandLine.Contains("codesandbox-reaper", StringComparison.Ordinal)).ShouldBe(1);
        using var other = await container.Api.PostStartAsync(request with { Command = "true" });
        await RequestTests.ProblemAsync(other, HttpStatusCode.Conflict, ErrorCodes.ExecutionExists);

        (await container.Api.DeleteAsync("once")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await Published.EventuallyAsync(() => container.Marked("3131.3131").Count == 0, "it was not killed");
        foreach (var again in (HttpResponseMessage[])[await container.Api.DeleteAsync("once"), await container.Api.PostStartAsync(request), await container.Api.GetEventsAsync("once", Framing.Text)])
            await RequestTests.ProblemAsync(again, HttpStatusCode.Gone, ErrorCodes.ExecutionDeleted);
        (await container.Api.ListAsync()).ShouldAllBe(state => state.Id != "once");
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task A_state_says_how_it_ended_and_what_it_took(KillMode mode)
    {
        var api = containers[mode].Api;
        var started = await api.StartAsync(new StartExecutionRequest
        {
            Id = "state", Command = "printf 12345; printf 123 >&2; i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; perl -e '$x = \"x\" x (64 << 20)'; exit 7",
        });
        started.Status.ShouldBe(ExecutionStatus.Running);

        var items = await api.EventsAsync("state", Framing.Text).ToListAsync();
        var exited = items[^1].Exited.ShouldNotBeNull();

        exited.ShouldBe(await api.StateAsync("state"));
        exited.ExitCode.ShouldBe(7);
        exited.Reason.ShouldBe(ExitReason.Exited);
        exited.Signal.ShouldBeNull();
        (exited.StdoutBytes, exited.StderrBytes, exited.TruncatedBytes).ShouldBe((5, 3, 0));
        exited.ExitedAt.ShouldNotBeNull().ShouldBeGreaterThan(exited.StartedAt);
        exited.CpuMilliseconds.ShouldNotBeNull().ShouldBeInRange(50, 60_000);
        exited.PeakMemoryBytes.ShouldNotBeNull().ShouldBeInRange(64 << 20, 200 << 20);
        items[0].Started.ShouldNotBeNull().Pid.ShouldBe(started.Pid);
        (await api.ListAsync()).Single(state => state.Id == "state").ExitCode.ShouldBe(7);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task The_reason_of_an_end_is_told(KillMode mode)
    {
        var api = containers[mode].Api;

        var timedOut = await api.EndAsync(new StartExecutionRequest { Command = "trap '' TERM; sleep 1000", TimeoutSeconds = 1 });
        (timedOut.Reason, timedOut.ExitCode, timedOut.Signal).ShouldBe((ExitReason.TimedOut, 137, "SIGKILL"));
        var silenced = await api.EndAsync(new StartExecutionRequest { Command = "exec >&- 2>&-; exec sleep 1000", TimeoutSeconds = 1 });
        (silenced.Reason, silenced.ExitCode).ShouldBe((ExitReason.TimedOut, 137), "its output was closed");
        var killed = await api.EndAsync(new StartExecutionRequest { Command = "kill -SEGV $$" });
        (killed.Reason, killed.ExitCode, killed.Signal).ShouldBe((ExitReason.Killed, 139, "SIGSEGV"));
        var outOfMemory = await api.EndAsync(new StartExecutionRequest { Argv = ["perl", "-e", "$x .= 'x' x (1 << 20) while 1"] });
        (outOfMemory.Reason, outOfMemory.ExitCode, outOfMemory.Signal).ShouldBe((ExitReason.OomKilled, 137, "SIGKILL"));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Arguments_arrive_without_a_shell(KillMode mode)
    {
        var api = containers[mode].Api;
        await api.StartAsync(new StartExecutionRequest { Id = "argv", Argv = ["printf", "%s|", "a b", "$HOME", "", "*"] });

        (await api.EventsAsync("argv", Framing.Frames).OutputAsync()).Stdout.ShouldBe("a b|$HOME||*|"u8.ToArray());
    }

    [Fact]
    public async Task A_start_that_fails_leaves_its_id_free()
    {
        var api = containers[KillMode.Cgroup].Api;
        using var failed = await api.PostStartAsync(new StartExecutionRequest { Id = "retry", Argv = ["/nowhere"] });
        await RequestTests.ProblemAsync(failed, HttpStatusCode.UnprocessableEntity, ErrorCodes.StartFailed);

        (await api.StartAsync(new StartExecutionRequest { Id = "retry", Command = "true" })).Id.ShouldBe("retry");
    }

    [Theory]
    [InlineData("""{}""", "command")]
    [InlineData("""{"command":"true","argv":["true"]}""", "command")]
    [InlineData("""{"command":"a\u0000b"}""", "command")]
    [InlineData("""{"argv":[]}""", "argv")]
    [InlineData("""{"argv":["true",null]}""", "argv")]
    [InlineData("""{"command":"","id":"-x"}""", "id")]
    [InlineData("""{"command":"","id":"../x"}""", "id")]
    [InlineData("""{"command":"","id":""}""", "id")]
    [InlineData("""{"command":"","timeoutSeconds":0}""", "timeoutSeconds")]
    [InlineData("""{"command":"","keepOutputBytes":268435457}""", "keepOutputBytes")]
    [InlineData("""{"command":"","overflow":"hold"}""", "overflow")]
    [InlineData("""{"command":"","overflow":7}""", "overflow")]
    [InlineData("""{"command":"","pty":{"cols":0,"rows":1}}""", "pty")]
    [InlineData("""{"command":"","environment":{"A=B":"c"}}""", "environment")]
    public async Task A_wrong_field_is_named(string body, string field)
    {
        using var response = await containers[KillMode.Cgroup].Api.PostAsync("/api/executions", body);

        (await RequestTests.ProblemAsync(response, HttpStatusCode.BadRequest, ErrorCodes.InvalidRequest)).Errors.ShouldNotBeNull().Keys.ShouldBe([field]);
    }

    [Theory]
    [InlineData("GET", "/api/executions/nobody", 404, ErrorCodes.ExecutionNotFound)]
    [InlineData("GET", "/api/executions/nobody/events", 404, ErrorCodes.ExecutionNotFound)]
    [InlineData("DELETE", "/api/executions/nobody", 404, ErrorCodes.ExecutionNotFound)]
    [InlineData("DELETE", "/api/executions/nobody/stdin", 404, ErrorCodes.ExecutionNotFound)]
    [InlineData("GET", "/api/executions/known/events?after=-1", 400, ErrorCodes.InvalidRequest)]
    [InlineData("GET", "/api/executions/known/events?after=x", 400, ErrorCodes.InvalidRequest)]
    [InlineData("GET", "/api/executions/known/events?after=99", 400, ErrorCodes.InvalidRequest)]
    [InlineData("GET", "/api/executions/known/events?output=maybe", 400, ErrorCodes.InvalidRequest)]
    [InlineData("POST", "/api/executions/known/stdin?offset=x", 400, ErrorCodes.InvalidRequest)]
    [InlineData("POST", "/api/executions/known/stdin", 409, ErrorCodes.StdinClosed)]
    [InlineData("PUT", "/api/executions/known", 405, ErrorCodes.MethodNotAllowed)]
    public async Task What_cannot_be_done_is_a_problem(string method, string path, int status, string code)
    {
        var api = containers[KillMode.Cgroup].Api;
        await api.StartAsync(new StartExecutionRequest { Id = "known", Command = "sleep 1000" });

        using var response = await api.SendAsync(new HttpMethod(method), path);

        await RequestTests.ProblemAsync(response, (HttpStatusCode)status, code);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task A_signal_reaches_the_group_and_an_ended_one_takes_none(KillMode mode)
    {
        var api = containers[mode].Api;
        await api.StartAsync(new StartExecutionRequest { Id = "signal", Command = "trap 'echo got; exit 5' INT; echo ready; while :; do sleep 0.05; done" });
        await using var events = api.EventsAsync("signal", Framing.Frames).GetAsyncEnumerator();
        while (await events.MoveNextAsync() && events.Current.Channel is null)
        {
        }

        (await api.SignalAsync("signal", "SIGINT")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        ExecutionState? exited = null;
        while (await events.MoveNextAsync())
            exited = events.Current.Exited ?? exited;

        exited.ShouldNotBeNull().ExitCode.ShouldBe(5);
        await RequestTests.ProblemAsync(await api.SignalAsync("signal", "SIGINT"), HttpStatusCode.Conflict, ErrorCodes.ExecutionExited);
        await RequestTests.ProblemAsync(await api.SignalAsync("signal", "INT"), HttpStatusCode.BadRequest, ErrorCodes.InvalidRequest);
        await RequestTests.ProblemAsync(await api.PostAsync("/api/executions/signal/resize", """{"cols":1,"rows":1}"""), HttpStatusCode.Conflict, ErrorCodes.NotATerminal);
    }

    [Fact]
    public async Task The_startup_command_is_an_execution()
    {
        await using var container = await ExecutorContainer.StartAsync(KillMode.Cgroup, new ContainerOptions
        {
            Environment = new Dictionary<string, string> { ["CODESANDBOX_START"] = """{"argv":["bash","-c","echo up; exit 4"]}""" },
        });
        await Published.EventuallyAsync(() => container.Api.ListAsync().GetAwaiter().GetResult().Count == 1, "it does not start");

        var output = await container.Api.EventsAsync("startup", Framing.Text).OutputAsync();

        output.Stdout.ShouldBe("up\n"u8.ToArray());
        output.Exited.ExitCode.ShouldBe(4);
    }
}
