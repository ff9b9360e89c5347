using DonkeyWork.CodeSandbox.Local.Cgroups;
using DonkeyWork.CodeSandbox.Local.Disks;
using DonkeyWork.CodeSandbox.Local.Oci;

namespace DonkeyWork.CodeSandbox.Local.Host;

/// <summary>What this machine offers to sandboxes.</summary>
internal sealed record LocalHost
{
    /// <summary>The OCI runtime's program.</summary>
    public required string Runtime { get; init; }

    /// <summary>The published executor.</summary>
    public required string ExecutorDirectory { get; init; }

    /// <summary>The sandboxes' root file system.</summary>
    public required string RootFileSystem { get; init; }

    /// <summary>Where limits are set; <see langword="null"/> where there are none and the operator has allowed that.</summary>
    public CgroupTree? Cgroups { get; init; }

    /// <summary>Whether the executor is given its group: only root can detach it from the rest of the hierarchy, and not every runtime leaves it as it is.</summary>
    public required bool HandsOverGroups { get; init; }

    /// <summary>Images for home and <c>/tmp</c>; <see langword="null"/> where they are in memory.</summary>
    public DiskImages? Disks { get; init; }

    /// <summary>The one range that an ordinary user has; <see langword="null"/> for root, where every sandbox gets its own.</summary>
    public IdRange? OwnIds { get; init; }

    /// <summary>Open files per process, at most.</summary>
    public required ulong OpenFiles { get; init; }

    /// <summary>Queued signals per sandbox, at most.</summary>
    public required ulong PendingSignals { get; init; }

    /// <summary>What an operator should know: nothing that is missing, but what is weaker than it could be.</summary>
    public required IReadOnlyList<string> Notes { get; init; }
}
