namespace DonkeyWork.CodeSandbox.Contracts;

/// <summary>The body of <c>POST /api/kata/{id}/keepalive</c>.</summary>
public sealed record KeepAliveRequest
{
    /// <summary>The upper bound of <see cref="Seconds"/>: a day.</summary>
    public const int MaxSeconds = 86_400;

    /// <summary>
    /// Seconds for which the sandbox is to stay although nothing uses it; 0-86,400. Its maximum lifetime is not moved.
    /// Default 0: it counts as used just now.
    /// </summary>
    public int? Seconds { get; init; }
}
