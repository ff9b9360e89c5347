using System.Text.Json;
using DonkeyWork.CodeSandbox.Client;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Testing.Processes;

namespace DonkeyWork.CodeSandbox.Bench.Local;

/// <summary>The published Manager on this machine, started for the run with a state directory of its own and ended after it.</summary>
internal sealed class LocalBench : IAsyncDisposable
{
    private readonly PublishedManager manager;

    private LocalBench(PublishedManager manager, string stateDirectory)
    {
        this.manager = manager;
        StateDirectory = stateDirectory;
        Client = new CodeSandboxClient(manager.Url);
        Http = new HttpClient { BaseAddress = manager.Url, Timeout = Timeout.InfiniteTimeSpan };
    }

    public string StateDirectory { get; }

    public CodeSandboxClient Client { get; }

    public HttpClient Http { get; }

    /// <summary>The arguments of runc that run a command in a sandbox; the sandbox's name is the last.</summary>
    public string[] ExecIn(string sandbox) => ["--root", Path.Combine(StateDirectory, "runtime"), "exec", sandbox];

    /// <summary>The socket of a sandbox's executor, and the token that it asks for.</summary>
    public (string Socket, string Token) ExecutorOf(string sandbox)
    {
        var directory = Path.Combine(StateDirectory, "sandboxes", sandbox);
        using var record = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(directory, "sandbox.json")));
        var tokens = new SandboxTokens(File.ReadAllBytes(Path.Combine(StateDirectory, "secret")));
        return (Path.Combine(directory, "executor.sock"), tokens.TokenOf(sandbox, record.RootElement.GetProperty("sandbox").GetProperty("nonce").GetString()!));
    }

    /// <param name="poolSize">How many sandboxes wait for a claim.</param>
    public static async Task<LocalBench> StartAsync(int poolSize)
    {
        var state = Path.Combine(Path.GetTempPath(), $"codesandbox-bench-{Environment.ProcessId}");
        return new LocalBench(await PublishedManager.StartAsync([], [$"--Local:StateDirectory={state}", $"--KataContainerManager:WarmPoolSize={poolSize}", "--KataContainerManager:MaxTotalContainers=200"]), state);
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        Http.Dispose();
        await manager.InterruptAsync();
        manager.Dispose();
        Directory.Delete(StateDirectory, recursive: true);
    }
}
