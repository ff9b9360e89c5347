using System.Diagnostics;
using System.Net.Sockets;
using System.Net;

namespace DonkeyWork.CodeSandbox.Testing.Processes;

/// <summary>The published Manager as a process of its own, and what it has printed.</summary>
public sealed class PublishedManager : IDisposable
{
    private readonly Process _process;
    private readonly List<string> _log = [];

    private PublishedManager(Process process, Uri url)
    {
        _process = process;
        Url = url;
        _process.OutputDataReceived += Keep;
        _process.ErrorDataReceived += Keep;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public Uri Url { get; }

    public int Pid => _process.Id;

    public bool HasExited => _process.HasExited;

    public string Log
    {
        get { lock (_log) return string.Join('\n', _log); }
    }

    /// <summary>Starts it on a free port of loopback and waits until it is healthy.</summary>
    /// <param name="before">A program that starts it in its stead, such as <c>ip netns exec NAME</c>, and its arguments.</param>
    /// <param name="settings">Arguments such as <c>--Section:Key=value</c>.</param>
    /// <param name="http">How the Manager is asked whether it is healthy; <see langword="null"/>: directly.</param>
    /// <exception cref="InvalidOperationException">It ended; the message has all that it printed.</exception>
    public static async Task<PublishedManager> StartAsync(IReadOnlyList<string> before, IReadOnlyList<string> settings, HttpMessageHandler? http = null)
    {
        var url = new Uri($"http://127.0.0.1:{FreePort()}");
        string[] line = [.. before, Repository.Manager, $"--urls={url}", .. settings];
        var start = new ProcessStartInfo(line[0]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in line[1..]) start.ArgumentList.Add(argument);

        var manager = new PublishedManager(Process.Start(start)!, url);
        using var probe = new HttpClient(http ?? new SocketsHttpHandler(), disposeHandler: http is null) { Timeout = TimeSpan.FromSeconds(2) };
        await Patience.UntilAsync(
            () => manager.HasExited || manager.IsHealthy(probe),
            () => $"The Manager does not answer:\n{manager.Log}");
        if (!manager.HasExited) return manager;
        // With the streams' end, so that the message is whole.
        await manager._process.WaitForExitAsync();
        throw new InvalidOperationException($"The Manager ended with {manager._process.ExitCode}:\n{manager.Log}");
    }

    /// <summary>SIGKILL: no goodbye.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGINT, as Ctrl+C sends it; the exit code.</summary>
    public async Task<int> InterruptAsync()
    {
        await SignalAsync("INT");
        return await WaitForExitAsync();
    }

    /// <summary>Sends a signal, by its name without SIG; nothing where it has ended.</summary>
    public async Task SignalAsync(string name)
    {
        if (!_process.HasExited) await Tool.RunAsync("/bin/kill", $"-{name}", $"{_process.Id}");
    }

    /// <summary>Waits for its end; the exit code.</summary>
    public async Task<int> WaitForExitAsync()
    {
        using var patience = new CancellationTokenSource(Patience.Limit);
        await _process.WaitForExitAsync(patience.Token);
        return _process.ExitCode;
    }

    public void Dispose() => _process.Dispose();

    /// <summary>A TCP port of loopback that nobody listens on.</summary>
    public static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private bool IsHealthy(HttpClient probe)
    {
        try
        {
            using var response = probe.GetAsync(new Uri(Url, "/healthz")).GetAwaiter().GetResult();
            return response.IsSuccessStatusCode;
        }
        catch (Exception notYet) when (notYet is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is not { } text) return;
        lock (_log) _log.Add(text);
    }
}
