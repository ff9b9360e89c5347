using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using DonkeyWork.CodeSandbox.Client;

namespace DonkeyWork.CodeSandbox.Bench;

/// <summary>The published Manager, started for the run with a state directory of its own and ended after it.</summary>
internal sealed class Bench : IAsyncDisposable
{
    private static readonly string Root = FindRoot();
    private readonly Process manager;

    private Bench(Process manager, Uri url, string stateDirectory)
    {
        this.manager = manager;
        StateDirectory = stateDirectory;
        Client = new CodeSandboxClient(url);
        Http = new HttpClient { BaseAddress = url, Timeout = Timeout.InfiniteTimeSpan };
    }

    public string StateDirectory { get; }

    public CodeSandboxClient Client { get; }

    public HttpClient Http { get; }

    public static string Executor => Path.Combine(Root, "artifacts/executor/codesandbox-executor");

    public static async Task<Bench> StartAsync()
    {
        var state = Path.Combine(Path.GetTempPath(), $"codesandbox-bench-{Environment.ProcessId}");
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        var url = new Uri($"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}");
        probe.Stop();
        var start = new ProcessStartInfo(Path.Combine(Root, "artifacts/manager/codesandbox-manager")) { RedirectStandardOutput = true };
        start.ArgumentList.Add($"--urls={url}");
        start.ArgumentList.Add($"--Local:StateDirectory={state}");
        var manager = Process.Start(start)!;
        manager.OutputDataReceived += (_, _) => { };
        manager.BeginOutputReadLine();
        var bench = new Bench(manager, url, state);
        await bench.UntilHealthyAsync();
        return bench;
    }

    public static string Kernel() => $"Linux {File.ReadAllText("/proc/sys/kernel/osrelease").Trim()}";

    public static async Task<string> FlavourAsync()
    {
        using var version = Process.Start(new ProcessStartInfo(Executor, ["--version"]) { RedirectStandardOutput = true })!;
        return (await version.StandardOutput.ReadToEndAsync()).Trim();
    }

    /// <summary>Runs a program to its end, reads all of its output, and says how long that took and how much it was.</summary>
    public static async Task<(TimeSpan Time, long Bytes)> TimeAsync(string program, params string[] arguments)
    {
        var started = Stopwatch.GetTimestamp();
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var bytes = await DrainAsync(process.StandardOutput.BaseStream);
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? (Stopwatch.GetElapsedTime(started), bytes)
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}.");
    }

    public static async Task<long> DrainAsync(Stream stream)
    {
        var buffer = new byte[1 << 17];
        long total = 0;
        int read;
        while ((read = await stream.ReadAsync(buffer)) > 0)
        {
            total += read;
        }

        return total;
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        Http.Dispose();
        using (var interrupt = Process.Start(new ProcessStartInfo("/bin/kill", ["-INT", $"{manager.Id}"]))!)
        {
            await interrupt.WaitForExitAsync();
        }

        await manager.WaitForExitAsync();
        manager.Dispose();
        Directory.Delete(StateDirectory, recursive: true);
    }

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "bench.sh")))
        {
            directory = directory.Parent;
        }

        return directory?.FullName ?? throw new DirectoryNotFoundException("The benchmarks do not run from within the checkout.");
    }

    private async Task UntilHealthyAsync()
    {
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (await tick.WaitForNextTickAsync())
        {
            if (manager.HasExited)
            {
                throw new InvalidOperationException($"The Manager ended with {manager.ExitCode}.");
            }

            try
            {
                using var answer = await Http.GetAsync("/healthz");
                return;
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }
        }
    }
}
