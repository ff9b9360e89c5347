using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using DonkeyWork.CodeSandbox.Client;

namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

/// <summary>
/// The published Manager as a process of its own, with a state directory of its own. Disposing ends it as Ctrl+C would and
/// fails if anything of it is left on the host.
/// </summary>
internal sealed class ManagerProcess : IAsyncDisposable
{
    private readonly Process process;
    private readonly List<string> log = [];
    private readonly bool ownsStateDirectory;

    private ManagerProcess(Process process, Uri url, string stateDirectory, bool ownsStateDirectory)
    {
        this.process = process;
        this.ownsStateDirectory = ownsStateDirectory;
        Url = url;
        StateDirectory = stateDirectory;
        Http = new HttpClient { BaseAddress = url, Timeout = Timeout.InfiniteTimeSpan };
        Client = new CodeSandboxClient(url);
    }

    public Uri Url { get; }

    public string StateDirectory { get; }

    public HttpClient Http { get; }

    public CodeSandboxClient Client { get; }

    public int Pid => process.Id;

    public string Log
    {
        get
        {
            lock (log)
            {
                return string.Join('\n', log);
            }
        }
    }

    /// <summary>With a state directory of its own, which must be clean at the end.</summary>
    public static Task<ManagerProcess> StartAsync(params string[] settings) => StartOnAsync(null, settings);

    /// <summary>With a state directory that the caller cleans up.</summary>
    public static async Task<ManagerProcess> StartOnAsync(string? stateDirectory, params string[] settings)
    {
        // Not below a home: the sandboxes' users must be able to reach their root file system.
        var directory = stateDirectory ?? Path.Combine(Path.GetTempPath(), $"codesandbox-e2e-{Guid.NewGuid():N}"[..30]);
        var url = new Uri($"http://127.0.0.1:{FreePort()}");
        var start = new ProcessStartInfo(Repository.Manager) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])[$"--urls={url}", $"--Local:StateDirectory={directory}", .. settings])
        {
            start.ArgumentList.Add(argument);
        }

        var manager = new ManagerProcess(Process.Start(start)!, url, directory, stateDirectory is null);
        manager.process.OutputDataReceived += manager.Keep;
        manager.process.ErrorDataReceived += manager.Keep;
        manager.process.BeginOutputReadLine();
        manager.process.BeginErrorReadLine();
        await Patience.UntilAsync(
            () => manager.process.HasExited || manager.Answers(),
            () => $"The Manager does not answer:\n{manager.Log}");
        return manager.process.HasExited
            ? throw new InvalidOperationException($"The Manager ended with {manager.process.ExitCode}:\n{manager.Log}")
            : manager;
    }

    /// <summary>SIGKILL: no goodbye.</summary>
    public async Task KillAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
    }

    /// <summary>SIGINT, as Ctrl+C sends it; the exit code.</summary>
    public async Task<int> InterruptAsync()
    {
        if (!process.HasExited)
        {
            await Tool.RunAsync("/bin/kill", "-INT", $"{process.Id}");
        }

        using var patience = new CancellationTokenSource(Patience.Limit);
        await process.WaitForExitAsync(patience.Token);
        return process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        Http.Dispose();
        var exitCode = await InterruptAsync();
        process.Dispose();
        if (ownsStateDirectory)
        {
            Remains.Of(StateDirectory).ShouldBeEmpty($"exit code {exitCode}, log:\n{Log}");
            Directory.Delete(StateDirectory, recursive: true);
        }
    }

    internal static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private bool Answers()
    {
        using var probe = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        try
        {
            using var response = probe.Send(new HttpRequestMessage(HttpMethod.Get, new Uri(Url, "/healthz")));
            return response.IsSuccessStatusCode;
        }
        catch (Exception notYet) when (notYet is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        lock (log)
        {
            if (line.Data is { } text)
            {
                log.Add(text);
            }
        }
    }
}
