using System.Diagnostics;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Local.Tests;

/// <summary>Sandboxes as the host shows them: its own tables and tools, nothing of the code under test.</summary>
internal static class HostView
{
    private static readonly EnumerationOptions ThreeDeep = new() { RecurseSubdirectories = true, MaxRecursionDepth = 3 };

    /// <summary>Everything that is left of a backend's sandboxes: mounts, loop devices, directories, containers, groups, processes.</summary>
    public static async Task<IReadOnlyList<string>> RemainsAsync(string stateDirectory)
    {
        // The kernel frees a loop device when the last unmount of its file system is through, a moment after the call.
        var limit = Stopwatch.StartNew();
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (LoopDevices(stateDirectory).Count > 0 && limit.Elapsed < Patience.Limit)
            await tick.WaitForNextTickAsync();
        return
        [
            .. Mounts(stateDirectory).Select(line => $"mount {line}"),
            .. LoopDevices(stateDirectory).Select(file => $"loop device {file}"),
            .. EntriesOf(Path.Combine(stateDirectory, "sandboxes")).Select(path => $"directory {path}"),
            .. EntriesOf(Path.Combine(stateDirectory, "runtime")).Select(path => $"container {path}"),
            .. Processes(stateDirectory).Select(pid => $"process {pid}"),
        ];
    }

    public static IReadOnlyList<string> Mounts(string directory) =>
        [.. File.ReadLines("/proc/self/mountinfo").Where(line => line.Contains(directory, StringComparison.Ordinal))];

    public static IReadOnlyList<string> LoopDevices(string directory) =>
    [
        .. Directory.EnumerateDirectories("/sys/block", "loop*").Select(device => Path.Combine(device, "loop", "backing_file"))
            .Where(file => ReadIfThere(file).Contains(directory, StringComparison.Ordinal)),
    ];

    /// <summary>Groups of one sandbox, in every hierarchy.</summary>
    public static IReadOnlyList<string> Cgroups(string sandbox) =>
        [.. Directory.EnumerateDirectories("/sys/fs/cgroup", sandbox, ThreeDeep)];

    /// <summary>Processes of one sandbox, by its host name in their namespace: what runs below its executor.</summary>
    public static IReadOnlyList<int> ProcessesOf(string sandbox) =>
        [.. Cgroups(sandbox).SelectMany(group => Directory.EnumerateFiles(group, "cgroup.procs", ThreeDeep)).SelectMany(LinesIfThere).Select(int.Parse).Distinct()];

    /// <summary>The executor's process on the host.</summary>
    public static int ExecutorOf(string sandbox) =>
        ProcessesOf(sandbox).Single(pid => LinesIfThere($"/proc/{pid}/status").Any(line => line.StartsWith("NSpid:", StringComparison.Ordinal) && line.EndsWith("\t1", StringComparison.Ordinal)));

    /// <summary>Whether a process runs; one that only waits for the machine's init to take note of its end does not.</summary>
    public static bool IsAlive(int pid) =>
        LinesIfThere($"/proc/{pid}/status").Any(line => line.StartsWith("State:", StringComparison.Ordinal) && !line.Contains('Z', StringComparison.Ordinal));

    /// <summary>A line of <c>/proc/PID/status</c> without its name.</summary>
    public static string Status(int pid, string name) =>
        File.ReadLines($"/proc/{pid}/status").Single(line => line.StartsWith(name + ":", StringComparison.Ordinal))[(name.Length + 1)..].Trim();

    /// <summary>A value in one of a sandbox's groups, of whichever hierarchy has it.</summary>
    public static string Limit(string sandbox, params string[] names) =>
        File.ReadAllText(Cgroups(sandbox).SelectMany(group => names.Select(name => Path.Combine(group, name))).First(File.Exists)).Trim();

    /// <summary>Runs a tool of the host.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(Patience.Limit);
        var (output, error) = (process.StandardOutput.ReadToEndAsync(limit.Token), process.StandardError.ReadToEndAsync(limit.Token));
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await output + await error);
    }

    // A runtime at work, or the process of a container, has its directories on the command line or in its mounts.
    private static IEnumerable<string> Processes(string stateDirectory) =>
        Directory.EnumerateDirectories("/proc").Where(path => int.TryParse(Path.GetFileName(path), out _))
            .Where(path => Path.GetFileName(path) != $"{Environment.ProcessId}")
            .Where(path => ReadIfThere(Path.Combine(path, "cmdline")).Contains(stateDirectory, StringComparison.Ordinal)
                || ReadIfThere(Path.Combine(path, "mountinfo")).Contains(stateDirectory, StringComparison.Ordinal));

    private static string[] EntriesOf(string directory) => Directory.Exists(directory) ? Directory.GetFileSystemEntries(directory) : [];

    private static IEnumerable<string> LinesIfThere(string file) => ReadIfThere(file).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static string ReadIfThere(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return ""; // It ended, or was let go of, since it was listed.
        }
    }
}
