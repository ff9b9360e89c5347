using System.Globalization;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests.Posix;

/// <summary>What the executor knows of a process's end, and the signals it sends, in both kinds of tree.</summary>
public sealed class ProcessTests(BothKinds containers) : IClassFixture<BothKinds>
{
    private const string Mark = "5252.5252";

    [Theory]
    [InlineData(KillMode.Cgroup)]
    [InlineData(KillMode.Reaper)]
    public async Task Cpu_time_is_that_of_the_whole_tree(KillMode mode)
    {
        var container = containers[mode];
        // Its own, a child's that was waited for, and a grandchild's that nobody waited for; each burns by its own clock.
        const string burn = "import resource, sys\nwhile sum(resource.getrusage(resource.RUSAGE_SELF)[:2]) < 0.3: pass";
        var state = await RunAsync(container, $"cd $(mktemp -d); cat >burn.py <<'end'\n{burn}\nend\n(setsid bash -c 'python3 burn.py; touch burnt' & :); python3 burn.py; until [ -e burnt ]; do sleep 0.05; done; exec python3 burn.py");

        state.CpuMilliseconds.ShouldNotBeNull().ShouldBeInRange(850, 5000);
    }

    [Theory]
    [InlineData(KillMode.Cgroup)]
    [InlineData(KillMode.Reaper)]
    public async Task Peak_memory_is_that_of_the_largest_process(KillMode mode)
    {
        var container = containers[mode];
        var file = $"/tmp/peak-{mode}";
        var state = await RunAsync(
            container, $"python3 -c 'x = b\"x\" * 150000000; x = None'; python3 -c 'import resource; x = b\"x\" * 80000000; open(\"{file}\", \"w\").write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))'");

        var second = 1024 * long.Parse((await container.Api.RunAsync($"cat {file}; rm {file}")).Stdout, CultureInfo.InvariantCulture);
        second.ShouldBeGreaterThan(80_000_000);
        state.PeakMemoryBytes.ShouldNotBeNull().ShouldBeInRange(second + 60_000_000, second + 90_000_000);
    }

    [Fact]
    public async Task A_small_command_is_not_said_to_have_had_the_executors_memory()
    {
        (await RunAsync(containers[KillMode.Reaper], "true")).PeakMemoryBytes.ShouldNotBeNull().ShouldBeLessThan(10_000_000);
        (await RunAsync(containers[KillMode.Cgroup], "true")).PeakMemoryBytes.ShouldBeNull();
    }

    [Theory]
    [InlineData(KillMode.Cgroup)]
    [InlineData(KillMode.Reaper)]
    public async Task A_signal_reaches_the_whole_group_and_nobody_else(KillMode mode)
    {
        var container = containers[mode];
        var id = $"signalled-{mode}";
        await StartAsync(container, id, $"trap 'exit 5' USR1; setsid sleep {Mark} & sleep 1{Mark} & sleep 2{Mark} & while :; do sleep 0.05; done");
        await Published.EventuallyAsync(() => Sleeping(container).Count == 3, "they do not run");

        using var response = await container.Api.PostAsync($"/api/executions/{id}/signal", """{"signal":"SIGUSR1"}""");
        response.IsSuccessStatusCode.ShouldBeTrue(await response.Content.ReadAsStringAsync());

        (await EndOfAsync(container, id)).ExitCode.ShouldBe(5);
        Sleeping(container).Single().CommandLine.ShouldStartWith($"sleep {Mark}");
        using var late = await container.Api.PostAsync($"/api/executions/{id}/signal", """{"signal":"SIGKILL"}""");
        ((int)late.StatusCode).ShouldBe(409);
        using var deleted = await container.Api.SendAsync(HttpMethod.Delete, $"/api/executions/{id}");
        await Published.EventuallyAsync(() => container.Marked(Mark).Count == 0, "deleting leaves something");
    }

    [Theory]
    [InlineData(KillMode.Cgroup, "SIGKILL", 137)]
    [InlineData(KillMode.Reaper, "SIGKILL", 137)]
    [InlineData(KillMode.Cgroup, "SIGTERM", 143)]
    [InlineData(KillMode.Reaper, "SIGTERM", 143)]
    public async Task A_stopped_command_is_ended_by_a_signal_and_its_end_says_so(KillMode mode, string signal, int exitCode)
    {
        var container = containers[mode];
        var id = $"stopped-{mode}-{signal}";
        await StartAsync(container, id, $"exec sleep {Mark}");
        await Published.EventuallyAsync(() => Sleeping(container).Count == 1, "it does not run");
        foreach (var (name, state) in ((string, char)[])[("SIGSTOP", 'T'), (signal, signal == "SIGKILL" ? ' ' : 'T'), ("SIGCONT", ' ')])
        {
            using var response = await container.Api.PostAsync($"/api/executions/{id}/signal", $$"""{"signal":"{{name}}"}""");
            if (state != ' ')
                await Published.EventuallyAsync(() => Sleeping(container) is [{ State: var now }] && now == state, $"{name} does nothing");
        }

        var end = await EndOfAsync(container, id);
        (end.ExitCode, end.Signal, end.Reason).ShouldBe((exitCode, signal, ExitReason.Killed));
    }

    /// <summary>Not those whose arguments say so too.</summary>
    private static List<HostProcess> Sleeping(ExecutorContainer container) =>
        [.. container.Marked(Mark).Where(process => process.CommandLine.StartsWith("sleep ", StringComparison.Ordinal))];

    private static async Task<ExecutionState> RunAsync(ExecutorContainer container, string command)
    {
        var id = Guid.NewGuid().ToString("n");
        await StartAsync(container, id, command);
        return await EndOfAsync(container, id);
    }

    private static async Task StartAsync(ExecutorContainer container, string id, string command)
    {
        var request = JsonSerializer.Serialize(new StartExecutionRequest { Id = id, Command = command }, ContractsJsonContext.Default.StartExecutionRequest);
        using var response = await container.Api.PostAsync("/api/executions", request);
        ((int)response.StatusCode).ShouldBe(201, await response.Content.ReadAsStringAsync());
    }

    /// <summary>Its state, once its stream of events has ended.</summary>
    private static async Task<ExecutionState> EndOfAsync(ExecutorContainer container, string id)
    {
        using var events = await container.Api.SendAsync(HttpMethod.Get, $"/api/executions/{id}/events");
        var told = await events.Content.ReadAsStringAsync();
        told.ShouldContain("event: exited");
        using var response = await container.Api.SendAsync(HttpMethod.Get, $"/api/executions/{id}");
        return JsonSerializer.Deserialize(await response.Content.ReadAsStringAsync(), ContractsJsonContext.Default.ExecutionState)!;
    }
}
