using System.Text.Json;
using System.Text.Json.Serialization;
using DonkeyWork.CodeSandbox.Sandboxes;

namespace DonkeyWork.CodeSandbox.Local.State;

/// <summary>What is kept of a sandbox beside it, in <c>sandbox.json</c>.</summary>
internal sealed record SandboxRecord
{
    /// <summary>As everybody sees it.</summary>
    public required Sandbox Sandbox { get; init; }

    /// <summary>The first of its host user ids.</summary>
    public required uint FirstHostId { get; init; }

    /// <summary>Its group in every hierarchy: that of the Manager which made it, as an ordinary user's next one has another. None where there are no limits.</summary>
    public string? Group { get; init; }

    /// <summary>Its executor's process, once there is one.</summary>
    public ProcessIdentity? Executor { get; init; }
}

/// <summary>A process that cannot be mistaken for a later one of the same number.</summary>
/// <param name="Pid">Its number on the host.</param>
/// <param name="StartTime">Field 22 of <c>/proc/PID/stat</c>, in clock ticks since the machine's start (proc_pid_stat(5)).</param>
/// <param name="Boot">Which start of the machine.</param>
internal sealed record ProcessIdentity(int Pid, ulong StartTime, string Boot)
{
    private static readonly string ThisBoot = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();

    /// <summary>Of a living process; <see langword="null"/> where there is none.</summary>
    public static ProcessIdentity? Of(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            // The second field is the program's name in brackets and may hold anything.
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] == "Z" ? null : new ProcessIdentity(pid, ulong.Parse(fields[19], null), ThisBoot);
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException or IOException)
        {
            return null;
        }
    }

    /// <summary>Whether that very process lives.</summary>
    public bool IsAlive() => Of(Pid) == this;
}

/// <summary>How <see cref="SandboxRecord"/> is written.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(SandboxRecord))]
internal sealed partial class StateJsonContext : JsonSerializerContext;
