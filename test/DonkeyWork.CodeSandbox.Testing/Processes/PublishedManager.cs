using System.Diagnostics;

namespace DonkeyWork.CodeSandbox.Testing.Processes;

/// <summary>The published Manager as a process of its own, and what it has printed.</summary>
public sealed class PublishedManager : IDisposable
{
    // What Kestrel says, once for each address.
    private const string Listening = "Now listening on: ";

    private readonly Process _process;
    private readonly List<string> _log = [];
    private Uri? _url;

    private PublishedManager(Process process)
    {
        _process = process;
        _process.OutputDataReceived += Keep;
        _process.ErrorDataReceived += Keep;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public Uri Url => _url ?? throw new InvalidOperationException("The Manager has not said where it listens.");

    public int Pid => _process.Id;

    public bool HasExited => _process.HasExited;

    public string Log
    {
        get { lock (_log) return string.Join('\n', _log); }
    }

    /// <summary>
    /// Starts it on loopback and waits until it is healthy. The kernel chooses the port, and it says which: one that was free
    /// before it started may be another connection's by then.
    /// </summary>
    /// <param name="before">A program that starts it in its stead, such as <c>ip netns exec NAME</c>, and its arguments.</param>
    /// <param name="settings">Arguments such as <c>--Section:Key=value</c>.</param>
    /// <param name="http">How the Manager is asked whether it is healthy; <see langword="null"/>: directly.</param>
    /// <exception cref="InvalidOperationException">It ended; the message has all that it printed.</exception>
    public static async Task<PublishedManager> StartAsync(IReadOnlyList<string> before, IReadOnlyList<string> settings, HttpMessageHandler? http = null)
    {
        string[] line = [.. before, Repository.Manager, "--urls=http://127.0.0.1:0", .. settings];
        var start = new ProcessStartInfo(line[0]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in line[1..]) start.ArgumentList.Add(argument);

        var manager = new PublishedManager(Process.Start(start)!);
        using var probe = new HttpClient(http ?? new SocketsHttpHandler(), disposeHandler: http is null) { Timeout = TimeSpan.FromSeconds(2) };
        try
        {
            await Patience.UntilAsync(
                async () => manager.HasExited || await manager.IsHealthyAsync(probe),
                () => $"The Manager does not answer:\n{manager.Log}");
        }
        catch (TimeoutException)
        {
            await manager.KillAsync();
            throw;
        }

        if (!manager.HasExited) return manager;
        // With the streams' end, so that the message is whole.
        throw new InvalidOperationException($"The Manager ended with {await manager.WaitForExitAsync()}:\n{manager.Log}");
    }

    /// <summary>SIGKILL: no goodbye.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await WaitForExitAsync();
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

    /// <summary>Waits for its end and its output's, which whoever has inherited it could keep open; the exit code.</summary>
    public async Task<int> WaitForExitAsync()
    {
        try
        {
            await _process.WaitForExitAsync().WaitAsync(Patience.Limit);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"The Manager has {(HasExited ? "ended, and somebody holds its output" : "not ended")}:\n{Log}");
        }

        return _process.ExitCode;
    }

    public void Dispose() => _process.Dispose();

    private async Task<bool> IsHealthyAsync(HttpClient probe)
    {
        if (Volatile.Read(ref _url) is not { } url) return false;
        try
        {
            using var response = await probe.GetAsync(new Uri(url, "/healthz"));
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
        // Behind the time, the level and who says it.
        if (text.IndexOf(Listening, StringComparison.Ordinal) is >= 0 and var at) Volatile.Write(ref _url, new Uri(text[(at + Listening.Length)..]));
    }
}
