namespace DonkeyWork.CodeSandbox.Server.Tests.Running;

/// <summary>A process as the host's /proc shows it: the witness of these tests.</summary>
internal sealed record HostProcess(int Pid, string CommandLine, char State)
{
    /// <summary>All processes of the pid namespace that <paramref name="member"/> lives in.</summary>
    public static IReadOnlyList<HostProcess> InNamespaceOf(int member)
    {
        var wanted = NamespaceOf(member);
        var found = new List<HostProcess>();
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), out var pid) || NamespaceOf(pid) != wanted || Read(pid) is not { } process)
                continue;
            found.Add(process);
        }

        return found;
    }

    /// <summary>How many descriptors a process has open.</summary>
    public static int CountDescriptors(int pid) => Directory.GetFileSystemEntries($"/proc/{pid}/fd").Length;

    /// <summary>A line of /proc/PID/status.</summary>
    public static string Status(int pid, string field) =>
        File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith(field + ":", StringComparison.Ordinal))[(field.Length + 1)..].Trim();

    /// <summary>Of each thread: niceness, policy, I/O class and CPUs (proc_pid_stat(5), fields 19 and 41).</summary>
    public static IReadOnlyList<string> Scheduling(int pid)
    {
        var threads = new List<string>();
        foreach (var directory in Directory.GetDirectories($"/proc/{pid}/task"))
        {
            try
            {
                var stat = File.ReadAllText($"{directory}/stat");
                var afterName = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                var cpus = File.ReadLines($"{directory}/status").First(line => line.StartsWith("Cpus_allowed:", StringComparison.Ordinal));
                var (exitCode, io, error) = Published.Run("ionice", "-p", Path.GetFileName(directory));
                if (exitCode != 0 && !Directory.Exists(directory))
                    continue;
                exitCode.ShouldBe(0, error);
                threads.Add($"nice {afterName[19 - 3]}, policy {afterName[41 - 3]}, {io.Trim()}, {cpus}");
            }
            catch (IOException) when (!Directory.Exists(directory))
            {
                // The thread has ended since: those of the runtime's pool come and go.
            }
        }

        return threads;
    }

    /// <summary>Bytes that a process has written to anything.</summary>
    public static long BytesWritten(int pid) =>
        long.Parse(File.ReadLines($"/proc/{pid}/io").First(line => line.StartsWith("wchar:", StringComparison.Ordinal))[6..], null);

    private static HostProcess? Read(int pid)
    {
        try
        {
            var commandLine = File.ReadAllText($"/proc/{pid}/cmdline").Replace('\0', ' ');
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return new HostProcess(pid, commandLine, stat[stat.LastIndexOf(')') + 2]);
        }
        catch (IOException)
        {
            // It has ended between the listing and here.
            return null;
        }
    }

    private static string? NamespaceOf(int pid)
    {
        try
        {
            return new FileInfo($"/proc/{pid}/ns/pid").LinkTarget;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
