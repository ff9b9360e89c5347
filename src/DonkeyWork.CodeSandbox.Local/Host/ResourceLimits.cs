using System.Globalization;

namespace DonkeyWork.CodeSandbox.Local.Host;

/// <summary>What this process may use itself, which bounds what it can give on.</summary>
internal static class ResourceLimits
{
    /// <summary>The hard limit of open files, from <c>/proc/self/limits</c>.</summary>
    public static ulong OpenFiles()
    {
        const string Label = "Max open files";
        var line = File.ReadLines("/proc/self/limits").First(line => line.StartsWith(Label, StringComparison.Ordinal));
        var hard = line[Label.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        return hard == "unlimited" ? ulong.MaxValue : ulong.Parse(hard, CultureInfo.InvariantCulture);
    }
}
