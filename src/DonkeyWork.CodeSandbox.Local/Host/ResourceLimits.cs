using System.Globalization;

namespace DonkeyWork.CodeSandbox.Local.Host;

/// <summary>What this process may use itself (its hard limits, from <c>/proc/self/limits</c>), which bounds what it can give on.</summary>
internal static class ResourceLimits
{
    /// <summary>Open files per process.</summary>
    public static ulong OpenFiles(ulong atMost) => Math.Min(Hard("Max open files"), atMost);

    /// <summary>Queued signals.</summary>
    public static ulong PendingSignals(ulong atMost) => Math.Min(Hard("Max pending signals"), atMost);

    private static ulong Hard(string label)
    {
        var line = File.ReadLines("/proc/self/limits").First(line => line.StartsWith(label, StringComparison.Ordinal));
        var hard = line[label.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        return hard == "unlimited" ? ulong.MaxValue : ulong.Parse(hard, CultureInfo.InvariantCulture);
    }
}
