using System.Diagnostics;
using System.Globalization;

namespace DonkeyWork.CodeSandbox.Bench;

/// <summary>What is measured of programs from outside.</summary>
internal static class Measure
{
    // USER_HZ (sysconf(_SC_CLK_TCK)): 100 on every Linux architecture that .NET runs on.
    private const double ClockTicksPerSecond = 100;

    /// <summary>Runs a program to its end, reads all of its output, and says how long that took and how much it was.</summary>
    public static async Task<(TimeSpan Time, long Bytes)> RunAsync(string program, params string[] arguments)
    {
        var started = Stopwatch.GetTimestamp();
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var bytes = await DrainAsync(process.StandardOutput.BaseStream);
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? (Stopwatch.GetElapsedTime(started), bytes)
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}.");
    }

    /// <summary>How long something takes.</summary>
    public static async Task<TimeSpan> TimeAsync(Func<Task> work)
    {
        var started = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(started);
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

    /// <summary>MB of memory that a process holds (VmRSS).</summary>
    public static double ResidentMegabytes(int pid)
    {
        var line = File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return int.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024.0;
    }

    /// <summary>Time on a CPU that a process has had so far, user and system.</summary>
    public static TimeSpan CpuTime(int pid)
    {
        // Fields 14 and 15 of proc_pid_stat(5), counted from behind the name, which may hold anything.
        var stat = File.ReadAllText($"/proc/{pid}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return TimeSpan.FromSeconds((long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / ClockTicksPerSecond);
    }
}
