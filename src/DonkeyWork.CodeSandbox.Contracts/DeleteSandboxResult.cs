namespace DonkeyWork.CodeSandbox.Contracts;

/// <summary>The answer of <c>DELETE /api/kata/{name}</c>.</summary>
public sealed record DeleteSandboxResult
{
    /// <summary>Whether the delete was accepted.</summary>
    public required bool Success { get; init; }

    /// <summary>In words.</summary>
    public required string Message { get; init; }

    /// <summary>The sandbox's name.</summary>
    public required string PodName { get; init; }
}

/// <summary>The answer of <c>DELETE /api/kata</c>.</summary>
public sealed record DeleteAllResult
{
    /// <summary>How many deletes were accepted.</summary>
    public required int DeletedCount { get; init; }

    /// <summary>How many were not.</summary>
    public required int FailedCount { get; init; }

    /// <summary>Their names.</summary>
    public required IReadOnlyList<string> DeletedPods { get; init; }

    /// <summary>Their names.</summary>
    public required IReadOnlyList<string> FailedPods { get; init; }
}
