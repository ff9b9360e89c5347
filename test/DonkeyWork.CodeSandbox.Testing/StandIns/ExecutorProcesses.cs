using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Testing.Processes;

namespace DonkeyWork.CodeSandbox.Testing.StandIns;

/// <summary>
/// A real executor for each pod: the published program as PID 1 of a pid namespace of its own, with the pod's environment, a
/// home of its own, and an address of its own on loopback. A Manager reaches it by pod IP.
/// </summary>
public sealed class ExecutorProcesses : IPodProcesses, IAsyncDisposable
{
    private const int Port = 8666;

    private readonly ConcurrentDictionary<string, Lazy<Executor>> _executors = new(StringComparer.Ordinal);
    private readonly string _homes = Directory.CreateTempSubdirectory("codesandbox-executors-").FullName;
    // 127.64.0.0/10, from anywhere in it: others may do the same on this machine.
    private int _last = Random.Shared.Next(0x3F_FFFF);
    private int _most;

    public IReadOnlyCollection<string> Running => [.. _executors.Keys];

    /// <summary>How many there were at most.</summary>
    public int Most => Volatile.Read(ref _most);

    public Task<string> StartAsync(JsonElement pod)
    {
        var uid = pod.GetProperty("metadata").GetProperty("uid").GetString()!;
        var executor = _executors.GetOrAdd(uid, _ => new Lazy<Executor>(() => Start(uid, pod))).Value;
        // What is not exact here is only said, and bounds nothing.
        _most = Math.Max(_most, _executors.Count);
        return Task.FromResult(executor.Address);
    }

    public async Task EndAsync(string uid)
    {
        if (!_executors.TryRemove(uid, out var executor)) return;
        using var unshare = executor.Value.Process;
        // The first process of the namespace takes everything in it along; unshare follows it. Killed the other way round, at
        // its very start, unshare would leave a child behind that had no time yet to ask for its parent's death signal.
        await Patience.UntilAsync(() => unshare.HasExited || TryKillChildOf(unshare), () => $"unshare {unshare.Id} starts nothing.");
        await unshare.WaitForExitAsync().WaitAsync(Patience.Limit);
        Directory.Delete(HomeOf(uid), recursive: true);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var uid in _executors.Keys) await EndAsync(uid);
        Directory.Delete(_homes, recursive: true);
    }

    private static bool TryKillChildOf(Process parent)
    {
        if (HostProcesses.ChildrenOf(parent.Id) is not [var child]) return false;
        try
        {
            using var process = Process.GetProcessById(child);
            process.Kill();
            return true;
        }
        catch (ArgumentException)
        {
            // It has ended by itself, and so will its parent.
            return false;
        }
    }

    private string HomeOf(string uid) => Path.Combine(_homes, uid);

    private Executor Start(string uid, JsonElement pod)
    {
        var address = NextAddress();
        var start = new ProcessStartInfo("unshare") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Directory.CreateDirectory(HomeOf(uid)).FullName };
        foreach (var argument in (string[])["--pid", "--fork", "--mount-proc", Repository.Executor, "--listen", $"tcp:{address}:{Port}"])
            start.ArgumentList.Add(argument);
        start.Environment.Clear();
        start.Environment["PATH"] = Environment.GetEnvironmentVariable("PATH");
        start.Environment["HOME"] = HomeOf(uid);
        foreach (var variable in pod.GetProperty("spec").GetProperty("containers")[0].GetProperty("env").EnumerateArray())
            start.Environment[variable.GetProperty("name").GetString()!] = variable.GetProperty("value").GetString()!.Replace("$$", "$", StringComparison.Ordinal);
        var process = Process.Start(start)!;
        // Read, so that it never waits for a reader.
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new Executor(process, address);
    }

    private string NextAddress()
    {
        var number = Interlocked.Increment(ref _last) & 0x3F_FFFF;
        return $"{new IPAddress([127, (byte)(64 + (number >> 16)), (byte)(number >> 8), (byte)number])}";
    }

    private sealed record Executor(Process Process, string Address);
}
