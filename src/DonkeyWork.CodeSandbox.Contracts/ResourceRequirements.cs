namespace DonkeyWork.CodeSandbox.Contracts;

/// <summary>What a sandbox is promised (<c>requests</c>) and what it may use at most (<c>limits</c>).</summary>
public sealed record ResourceRequirements
{
    /// <summary>The promise.</summary>
    public ResourceQuantities? Requests { get; init; }

    /// <summary>The bound; never below <c>requests</c>.</summary>
    public ResourceQuantities? Limits { get; init; }
}

/// <summary>Memory and CPU.</summary>
public sealed record ResourceQuantities
{
    /// <summary>Memory in MiB.</summary>
    public int? MemoryMi { get; init; }

    /// <summary>CPU in thousandths of a core.</summary>
    public int? CpuMillicores { get; init; }
}
