namespace DonkeyWork.CodeSandbox.Contracts;

/// <summary>The answer of <c>GET /api/kata/pool/status</c>.</summary>
public sealed record PoolStatistics
{
    /// <summary>Sandboxes of the pool that are not ready yet.</summary>
    public required int Creating { get; init; }

    /// <summary>Sandboxes of the pool that are ready for a claim.</summary>
    public required int Warm { get; init; }

    /// <summary>Claimed sandboxes.</summary>
    public required int Allocated { get; init; }

    /// <summary>Sandboxes from <c>POST /api/kata</c>.</summary>
    public required int Manual { get; init; }

    /// <summary>All of them.</summary>
    public required int Total { get; init; }

    /// <summary>How many are to be warm.</summary>
    public required int TargetSize { get; init; }

    /// <summary>How many sandboxes there may be.</summary>
    public required int MaxTotalContainers { get; init; }

    /// <summary>Warm of the target in percent, to one decimal; 0 where the target is 0.</summary>
    public required double ReadyPercentage { get; init; }

    /// <summary>Allocated and manual of the total in percent, to one decimal; 0 where there are none.</summary>
    public required double UtilizationPercentage { get; init; }

    /// <summary>The same as <c>warm</c>.</summary>
    public required int WarmCount { get; init; }

    /// <summary>The same as <c>allocated</c>.</summary>
    public required int AllocatedCount { get; init; }

    /// <summary>The same as <c>total</c>.</summary>
    public required int TotalCount { get; init; }
}
