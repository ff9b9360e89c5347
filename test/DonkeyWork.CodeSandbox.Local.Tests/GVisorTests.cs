using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Testing.Backends;

namespace DonkeyWork.CodeSandbox.Local.Tests;

/// <summary>What differs where the runtime is runsc: a kernel of its own, and a socket that the sandbox makes.</summary>
public sealed class GVisorTests : IAsyncLifetime
{
    private readonly string _directory = LocalMachine.NewDirectory();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await (await StartAsync()).DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_sandbox_runs_is_adopted_and_leaves_nothing()
    {
        await using var first = await StartAsync();
        var sandbox = await first.Backend.CreateReadyAsync();
        var processes = HostView.ProcessesOf(sandbox.Name);
        await first.AbandonAsync();

        await using var second = await StartAsync();

        processes.Select(pid => HostView.Status(pid, "Name")).ShouldContain(name => name.StartsWith("runsc", StringComparison.Ordinal) || name == "exe");
        sandbox.RuntimeClass.ShouldBe("runsc");
        HostView.Limit(sandbox.Name, "memory.max", "memory.limit_in_bytes").ShouldBe($"{256 << 20}");
        (await second.Backend.AskAsync(sandbox, HttpMethod.Get, "api/stats")).Status.ShouldBe(200);
        (await second.Backend.ReadAsync(sandbox.Name, CancellationToken.None)).ShouldNotBeNull().Uid.ShouldBe(sandbox.Uid);
        await second.DisposeAsync();
        HostView.Cgroups(sandbox.Name).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_sandbox_that_has_died_inside_is_noticed()
    {
        await using var machine = await StartAsync();
        var sandbox = await machine.Backend.CreateReadyAsync();

        foreach (var pid in HostView.ProcessesOf(sandbox.Name))
            await HostView.RunAsync("kill", "-KILL", $"{pid}");

        (await machine.Backend.UntilAsync(sandbox.Name, state => state is { Phase: SandboxPhase.Failed })).ShouldNotBeNull().IsReady.ShouldBeFalse();
        await machine.DisposeAsync();
    }

    [Fact]
    public async Task A_link_in_place_of_the_executors_socket_is_not_followed()
    {
        await using var machine = await StartAsync();
        var sandbox = await machine.Backend.CreateReadyAsync();
        var target = Path.Combine(_directory, "target.sock");
        using var host = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
        host.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(target));
        host.Listen();

        // As a command could: it shares the directory of the socket with the executor.
        var shared = Path.Combine(_directory, "sandboxes", sandbox.Name, "disk", "run");
        File.Delete(Path.Combine(shared, "executor.sock"));
        File.CreateSymbolicLink(Path.Combine(shared, "executor.sock"), target);
        var connection = new Executors.ExecutorConnection(shared);
        await Should.ThrowAsync<IOException>(async () => await connection.ConnectAsync(CancellationToken.None));

        connection.Dispose();
        await machine.DisposeAsync();
    }

    private Task<LocalMachine> StartAsync() => LocalMachine.StartAsync(_directory, options => options with { Runtime = "runsc" });
}
