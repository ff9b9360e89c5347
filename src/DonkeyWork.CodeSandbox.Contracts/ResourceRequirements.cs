namespace DonkeyWork.CodeSandbox.Contracts;

/// <summary>What a sandbox is promised (<see cref="Requests"/>) and what it may use at most (<see cref="Limits"/>).</summary>
public sealed record ResourceRequirements
{
    /// <summary>The promise.</summary>
    public ResourceQuantities? Requests { get; init; }

    /// <summary>The bound; never below <see cref="Requests"/>.</summary>
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
