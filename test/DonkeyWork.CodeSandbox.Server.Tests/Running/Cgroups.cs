namespace DonkeyWork.CodeSandbox.Server.Tests.Running;

/// <summary>Where this machine's cgroups are mounted.</summary>
internal static class Cgroups
{
    /// <summary>The version 2 hierarchy.</summary>
    public static string Unified { get; } = Find("cgroup2", "rw")
        ?? throw new InvalidOperationException("These tests need a cgroup2 file system; none is in /proc/mounts.");

    /// <summary>The hierarchy that counts memory.</summary>
    public static string Memory { get; } = Find("cgroup", "memory") ?? Unified;

    /// <summary>The file in it that counts kills.</summary>
    public static string MemoryEvents => Memory == Unified ? "memory.events" : "memory.oom_control";

    /// <summary>Removes a directory and those below it, if nobody lives there.</summary>
    public static bool Remove(string directory)
    {
        try
        {
            if (!Directory.Exists(directory))
                return true;
            foreach (var below in Directory.GetDirectories(directory))
                Remove(below);
            Directory.Delete(directory);
            return true;
        }
        catch (IOException)
        {
            // Still populated.
            return false;
        }
    }

    private static string? Find(string type, string option) => File.ReadLines("/proc/mounts")
        .Select(line => line.Split(' '))
        .FirstOrDefault(fields => fields[2] == type && fields[3].Split(',').Contains(option))?[1];
}
