using System.Text.Json;
using System.Text.Json.Serialization;

namespace DonkeyWork.CodeSandbox.Local.Oci;

/// <summary>The parts of the OCI runtime specification 1.0.2 (config.json) that a sandbox uses, under the specification's names.</summary>
internal sealed record OciSpec
{
    public string OciVersion { get; } = "1.0.2";
    public required OciRoot Root { get; init; }
    public required OciProcess Process { get; init; }
    public required string Hostname { get; init; }
    public required IReadOnlyList<OciMount> Mounts { get; init; }
    public required OciLinux Linux { get; init; }
}

internal sealed record OciRoot(string Path, bool Readonly);

internal sealed record OciProcess
{
    public required OciUser User { get; init; }
    public required IReadOnlyList<string> Args { get; init; }
    public required IReadOnlyList<string> Env { get; init; }
    public required string Cwd { get; init; }
    public required IReadOnlyList<OciRlimit> Rlimits { get; init; }
    public OciCapabilities Capabilities { get; } = new();
    public bool NoNewPrivileges { get; } = true;
    public int? OomScoreAdj { get; init; }
}

internal sealed record OciUser(uint Uid, uint Gid)
{
    /// <summary>022.</summary>
    public int Umask { get; } = 18;
}

/// <summary>None.</summary>
internal sealed record OciCapabilities
{
    public IReadOnlyList<string> Bounding { get; } = [];
    public IReadOnlyList<string> Effective { get; } = [];
    public IReadOnlyList<string> Permitted { get; } = [];
    public IReadOnlyList<string> Inheritable { get; } = [];
    public IReadOnlyList<string> Ambient { get; } = [];
}

internal sealed record OciRlimit(string Type, ulong Hard, ulong Soft);

internal sealed record OciMount(string Destination, string Type, string Source, IReadOnlyList<string> Options);

internal sealed record OciLinux
{
    public required IReadOnlyList<OciNamespace> Namespaces { get; init; }
    public required IReadOnlyList<OciIdMapping> UidMappings { get; init; }
    public required IReadOnlyList<OciIdMapping> GidMappings { get; init; }
    public required IReadOnlyList<string> MaskedPaths { get; init; }
    public required IReadOnlyList<string> ReadonlyPaths { get; init; }
    public string? CgroupsPath { get; init; }
    public OciResources? Resources { get; init; }
    public OciSeccomp? Seccomp { get; init; }
}

internal sealed record OciNamespace(string Type);

internal sealed record OciIdMapping([property: JsonPropertyName("containerID")] uint ContainerId, [property: JsonPropertyName("hostID")] uint HostId, uint Size);

internal sealed record OciResources
{
    public required OciMemory Memory { get; init; }
    public required OciCpu Cpu { get; init; }
    public required OciPids Pids { get; init; }

    /// <summary>The runtime adds null, zero, full, random, urandom, tty and ptmx itself.</summary>
    public IReadOnlyList<OciDeviceRule> Devices { get; } = [new(Allow: false, Access: "rwm")];
}

/// <param name="Limit">Bytes.</param>
/// <param name="Swap">Bytes of memory and swap together.</param>
/// <param name="Swappiness">0-100, where swap cannot be limited.</param>
internal sealed record OciMemory(long Limit, long? Swap, ulong? Swappiness);

/// <param name="Shares">Relative weight; 1024 is a whole core.</param>
/// <param name="Quota">Microseconds of CPU time per period.</param>
/// <param name="Period">Microseconds.</param>
internal sealed record OciCpu(ulong Shares, long Quota, ulong Period);

internal sealed record OciPids(long Limit);

internal sealed record OciDeviceRule(bool Allow, string Access);

internal sealed record OciSeccomp
{
    public required string DefaultAction { get; init; }
    public uint? DefaultErrnoRet { get; init; }
    public required IReadOnlyList<string> Architectures { get; init; }
    public required IReadOnlyList<OciSyscalls> Syscalls { get; init; }
}

internal sealed record OciSyscalls(IReadOnlyList<string> Names, string Action)
{
    public uint? ErrnoRet { get; init; }
    public IReadOnlyList<OciSyscallArgument>? Args { get; init; }
}

/// <param name="Index">Which argument, from 0.</param>
/// <param name="Value">What it is compared with, or the mask.</param>
/// <param name="Op">SCMP_CMP_…</param>
internal sealed record OciSyscallArgument(uint Index, ulong Value, string Op)
{
    /// <summary>What the masked argument must be.</summary>
    public ulong ValueTwo { get; init; }
}

/// <summary>How the configuration is written.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(OciSpec))]
internal sealed partial class OciJsonContext : JsonSerializerContext;
