namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

/// <summary>What a Manager left on the host, as the host shows it: mounts, loop devices, sandboxes' directories.</summary>
internal static class Remains
{
    public static IReadOnlyList<string> Of(string stateDirectory) =>
    [
        .. File.ReadLines("/proc/self/mountinfo").Where(line => line.Contains(stateDirectory, StringComparison.Ordinal)).Select(line => $"mount {line}"),
        .. Directory.EnumerateFiles("/sys/block", "backing_file", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 2 })
            .Where(file => ReadIfThere(file).Contains(stateDirectory, StringComparison.Ordinal)).Select(file => $"loop device {file}"),
        .. Sandboxes(stateDirectory).Select(directory => $"directory {directory}"),
    ];

    /// <summary>
    /// Waits until nothing is left. A loop device goes with its last mount, and of those the kernel lets go in its own time: a container
    /// that somebody else starts at that moment has a copy of them. What else a Manager that has ended leaves stays, and is told.
    /// </summary>
    public static Task NothingOfAsync(string stateDirectory, Func<string> whatElse) => Patience.UntilAsync(
        () => Of(stateDirectory).Count == 0, () => $"{string.Join('\n', Of(stateDirectory))}\n{whatElse()}");

    /// <summary>Cgroup directories and processes of one sandbox.</summary>
    public static IReadOnlyList<string> OfSandbox(string name) =>
    [
        // A zombie holds nothing any more: it waits for the parent it was given to, which is the host's affair.
        .. HostProcesses.Of(name).Where(process => !process.IsZombie).Select(process => $"process {process.Pid} {process.CommandLine}"),
        .. Directory.EnumerateDirectories("/sys/fs/cgroup", $"*{name}*", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 6 })
            .Select(directory => $"cgroup {directory}"),
    ];

    /// <summary>The cgroup directories of all Managers of this machine.</summary>
    public static IReadOnlyList<string> Groups() =>
    [
        .. Directory.EnumerateDirectories("/sys/fs/cgroup", "codesandbox-????????", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1 }).Order(),
    ];

    private static IEnumerable<string> Sandboxes(string stateDirectory)
    {
        var directory = Path.Combine(stateDirectory, "sandboxes");
        return Directory.Exists(directory) ? Directory.EnumerateDirectories(directory) : [];
    }

    private static string ReadIfThere(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (IOException)
        {
            // The device was let go in between.
            return "";
        }
    }
}
