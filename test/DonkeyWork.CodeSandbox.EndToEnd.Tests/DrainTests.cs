using System.Net;
using DonkeyWork.CodeSandbox.Client;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

/// <summary>How a Manager that is told to stop lets its callers finish, as processes and signals show it.</summary>
public sealed class DrainTests : IDisposable
{
    private readonly string _headers = Path.Combine(Path.GetTempPath(), $"codesandbox-headers-{Guid.NewGuid():N}");

    public void Dispose() => File.Delete(_headers);

    [Fact]
    public async Task A_command_that_streams_at_SIGTERM_completes_and_then_the_process_ends()
    {
        await using var manager = await ManagerProcess.StartAsync("--KataContainerManager:DrainSeconds=3600");
        await using var sandbox = await manager.Client.CreateAsync();
        await using var events = await StartedAsync(sandbox, "echo started; until [ -e ~/go ]; do sleep 0.05; done; echo done");

        await manager.SignalAsync("TERM");
        await IsStoppingAsync(manager);
        // A new connection is told so, by curl as by our client.
        var refused = await Tool.RunAsync("curl", "-s", "-d", "", "-w", "%{http_code}", new Uri(manager.Url, "/api/kata").ToString());
        refused.Output.ShouldContain("\"code\":\"stopping\"");
        refused.Output.ShouldEndWith("503");
        manager.HasExited.ShouldBeFalse();
        File.Create(InHomeOf(sandbox.Name, "go")).Dispose();

        (await events.MoveNextAsync().AsTask().WaitAsync(Patience.Limit)).ShouldBeTrue();
        events.Current.ShouldBeOfType<OutputEvent>().Data.ShouldBe("done");
        (await events.MoveNextAsync().AsTask().WaitAsync(Patience.Limit)).ShouldBeTrue();
        events.Current.ShouldBeOfType<CompletedEvent>().ExitCode.ShouldBe(0);
        (await manager.ExitAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task A_create_that_is_followed_at_SIGTERM_becomes_ready()
    {
        await using var manager = await ManagerProcess.StartAsync("--KataContainerManager:DrainSeconds=3600");
        await using var creation = manager.Client.CreateWithProgressAsync();
        await using var events = creation.GetAsyncEnumerator();
        (await events.MoveNextAsync()).ShouldBeTrue();

        await manager.SignalAsync("TERM");

        var last = events.Current;
        while (await events.MoveNextAsync().AsTask().WaitAsync(Patience.Limit)) last = events.Current;
        last.ShouldBeOfType<SandboxReady>();
        (await manager.ExitAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task A_command_that_outlasts_the_drain_is_cut_and_does_not_look_complete()
    {
        await using var manager = await ManagerProcess.StartAsync("--KataContainerManager:DrainSeconds=1");
        await using var sandbox = await manager.Client.CreateAsync();
        await using var events = await StartedAsync(sandbox, "echo started; sleep 3600");
        var raw = Tool.RunAsync("curl", "-sN", "-D", _headers, "-H", "Content-Type: application/json", "-d", """{"command":"sleep 3601"}""", new Uri(manager.Url, $"/api/kata/{sandbox.Name}/execute").ToString());
        // It has begun for curl too, which else would have nothing to call incomplete.
        await Patience.UntilAsync(
            () => File.Exists(_headers) && File.ReadAllText(_headers).Contains("text/event-stream", StringComparison.Ordinal),
            () => "The second command does not start.");

        await manager.SignalAsync("TERM");

        await Should.ThrowAsync<InterruptedException>(() => events.MoveNextAsync().AsTask().WaitAsync(Patience.Limit));
        var curl = await raw;
        // CURLE_PARTIAL_FILE or CURLE_RECV_ERROR: no last chunk.
        curl.ExitCode.ShouldBeOneOf(18, 56);
        curl.Output.ShouldNotContain("CompletedEvent");
        (await manager.ExitAsync()).ShouldBe(0);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task A_second_signal_ends_the_drain_at_once(string signal)
    {
        await using var manager = await ManagerProcess.StartAsync("--KataContainerManager:DrainSeconds=3600");
        await using var sandbox = await manager.Client.CreateAsync();
        await using var events = await StartedAsync(sandbox, "echo started; sleep 3600");
        await manager.SignalAsync("TERM");
        await IsStoppingAsync(manager);

        await manager.SignalAsync(signal);

        await Should.ThrowAsync<InterruptedException>(() => events.MoveNextAsync().AsTask().WaitAsync(Patience.Limit));
        (await manager.ExitAsync()).ShouldBe(0);
    }

    /// <summary>A command whose first line has come.</summary>
    private static async Task<IAsyncEnumerator<ExecutionEvent>> StartedAsync(Sandbox sandbox, string command)
    {
        var events = sandbox.ExecuteAsync(command).GetAsyncEnumerator();
        (await events.MoveNextAsync()).ShouldBeTrue();
        events.Current.ShouldBeOfType<OutputEvent>().Data.ShouldBe("started");
        return events;
    }

    /// <summary>It has heard the signal: it lives and is not healthy.</summary>
    private static async Task IsStoppingAsync(ManagerProcess manager)
    {
        await Patience.UntilAsync(
            async () => (await manager.Http.GetAsync("/healthz")).StatusCode == HttpStatusCode.ServiceUnavailable,
            () => "It does not stop.");
        (await manager.Http.GetStringAsync("/livez")).ShouldBe("Healthy");
    }

    /// <summary>A file of the sandbox's home, as the host reaches it.</summary>
    private static string InHomeOf(string sandbox, string file) => $"/proc/{HostProcesses.ExecutorOf(sandbox).Pid}/root/home/user/{file}";
}
