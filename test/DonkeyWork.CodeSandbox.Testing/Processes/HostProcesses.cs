using System.Globalization;

namespace DonkeyWork.CodeSandbox.Testing.Processes;

/// <summary>The host's own view of processes: its /proc.</summary>
public static class HostProcesses
{
    /// <summary>
    /// Every live process whose cgroup path names the sandbox. A process cannot leave its cgroup, whatever it does to its
    /// session, parent, environment or name.
    /// </summary>
    /// <param name="sandbox">What its cgroups are called by: its name, or the uid of its pod.</param>
    public static IReadOnlyList<HostProcess> Of(string sandbox) =>
        [.. All().Where(process => process.Cgroups.Contains(sandbox, StringComparison.Ordinal))];

    /// <summary>The sandbox's first process. A pod has another beside it, in a process namespace of its own, that only holds it together.</summary>
    public static HostProcess ExecutorOf(string sandbox) =>
        Of(sandbox).Single(process => process.PidInSandbox == 1 && process.CommandLine.Contains("codesandbox-executor", StringComparison.Ordinal));

    /// <summary>All but first processes.</summary>
    public static IReadOnlyList<HostProcess> CommandsOf(string sandbox) =>
        [.. Of(sandbox).Where(process => process.PidInSandbox != 1)];

    /// <summary>The children of a process that has one thread; none where it has ended.</summary>
    public static IReadOnlyList<int> ChildrenOf(int pid)
    {
        try
        {
            return [.. File.ReadAllText($"/proc/{pid}/task/{pid}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(child => int.Parse(child, CultureInfo.InvariantCulture))];
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static IEnumerable<HostProcess> All()
    {
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
                && HostProcess.TryRead(pid) is { } process)
            {
                yield return process;
            }
        }
    }
}

/// <summary>One process as /proc shows it (proc(5)).</summary>
public sealed record HostProcess(int Pid, int PidInSandbox, char State, int Uid, string Cgroups, string CommandLine)
{
    public bool IsZombie => State == 'Z';

    public int OpenDescriptors => Directory.GetFileSystemEntries($"/proc/{Pid}/fd").Length;

    public int ResidentKilobytes => Kilobytes("VmRSS");

    /// <summary>The most that it has held at any time of its life so far.</summary>
    public int MostResidentKilobytes => Kilobytes("VmHWM");

    public static HostProcess? TryRead(int pid)
    {
        try
        {
            var status = File.ReadAllText($"/proc/{pid}/status");
            return new HostProcess(
                pid,
                int.Parse(Field(status, "NSpid").Split('\t')[^1], CultureInfo.InvariantCulture),
                Field(status, "State")[0],
                int.Parse(Field(status, "Uid").Split('\t')[0], CultureInfo.InvariantCulture),
                File.ReadAllText($"/proc/{pid}/cgroup"),
                File.ReadAllText($"/proc/{pid}/cmdline").Replace('\0', ' '));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            // It ended while it was read.
            return null;
        }
    }

    private int Kilobytes(string field) =>
        int.Parse(Field(File.ReadAllText($"/proc/{Pid}/status"), field).Split(' ')[0], CultureInfo.InvariantCulture);

    private static string Field(string status, string name)
    {
        var start = status.IndexOf($"\n{name}:", StringComparison.Ordinal) + name.Length + 2;
        return status[start..status.IndexOf('\n', start)].Trim();
    }
}
