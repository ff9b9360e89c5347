using DonkeyWork.CodeSandbox.Client;

namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

/// <summary>
/// The published Manager with a state directory of its own. Disposing ends it as Ctrl+C would and fails if anything of it is
/// left on the host.
/// </summary>
internal sealed class ManagerProcess : IAsyncDisposable
{
    // Tests count sandboxes, and end what they leave: those that are about the pool or the drain say so.
    private static readonly string[] Defaults = ["--KataContainerManager:WarmPoolSize=0", "--KataContainerManager:DrainSeconds=0"];

    private readonly PublishedManager process;
    private readonly bool ownsStateDirectory;

    private ManagerProcess(PublishedManager process, string stateDirectory, bool ownsStateDirectory)
    {
        this.process = process;
        this.ownsStateDirectory = ownsStateDirectory;
        StateDirectory = stateDirectory;
        Http = new HttpClient { BaseAddress = Url, Timeout = Patience.Limit };
        Client = new CodeSandboxClient(Url);
    }

    public Uri Url => process.Url;

    public string StateDirectory { get; }

    public HttpClient Http { get; }

    public CodeSandboxClient Client { get; }

    public int Pid => process.Pid;

    public bool HasExited => process.HasExited;

    public string Log => process.Log;

    /// <summary>With a state directory of its own, which must be clean at the end.</summary>
    public static Task<ManagerProcess> StartAsync(params string[] settings) => StartOnAsync(null, settings);

    /// <summary>With a state directory that the caller cleans up.</summary>
    public static async Task<ManagerProcess> StartOnAsync(string? stateDirectory, params string[] settings)
    {
        // Not below a home: the sandboxes' users must be able to reach their root file system.
        var directory = stateDirectory ?? Path.Combine(Path.GetTempPath(), $"codesandbox-e2e-{Guid.NewGuid():N}"[..30]);
        var process = await PublishedManager.StartAsync([], [.. Defaults, $"--Local:StateDirectory={directory}", .. settings]);
        return new ManagerProcess(process, directory, stateDirectory is null);
    }

    /// <summary>SIGKILL: no goodbye.</summary>
    public Task KillAsync() => process.KillAsync();

    /// <summary>SIGINT, as Ctrl+C sends it; the exit code.</summary>
    public Task<int> InterruptAsync() => process.InterruptAsync();

    /// <summary>Sends a signal, such as <c>TERM</c>.</summary>
    public Task SignalAsync(string name) => process.SignalAsync(name);

    /// <summary>Waits for its end; the exit code.</summary>
    public Task<int> ExitAsync() => process.WaitForExitAsync();

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        Http.Dispose();
        var exitCode = await InterruptAsync();
        process.Dispose();
        if (ownsStateDirectory)
        {
            await Remains.NothingOfAsync(StateDirectory, () => $"exit code {exitCode}, log:\n{Log}");
            Directory.Delete(StateDirectory, recursive: true);
        }
    }
}
