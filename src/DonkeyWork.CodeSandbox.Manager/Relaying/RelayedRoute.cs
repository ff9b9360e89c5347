namespace DonkeyWork.CodeSandbox.Manager.Relaying;

/// <summary>A route of a sandbox that is its executor's own: what passes in either direction, and under which limits.</summary>
/// <param name="Method">The method, here and there.</param>
/// <param name="Pattern">The path here, behind <c>/api/kata/{id}/</c>, and there, behind <c>api/</c>. It may have an <c>{eid}</c>.</param>
internal sealed record RelayedRoute(string Method, string Pattern)
{
    /// <summary>What is taken as the request's body.</summary>
    public RelayedContent Takes { get; init; }

    /// <summary>The media types that may come back, beside that of a problem.</summary>
    public IReadOnlyList<string> Answers { get; init; } = [];

    /// <summary>
    /// Whether the executor must answer within 30 s, and then never be silent for as long. <see langword="false"/> where it
    /// waits for a process that reads, or for a disk: those end when the connection breaks.
    /// </summary>
    public bool IsTimed { get; init; } = true;

    /// <summary>Whether it serves a file, which a browser must neither show nor take for something else; it may be unmodified.</summary>
    public bool IsFile { get; init; }
}

/// <summary>What a relayed route takes as its body.</summary>
internal enum RelayedContent
{
    /// <summary>None; what is sent is not read.</summary>
    Nothing,

    /// <summary>JSON, of at most 1 MiB.</summary>
    Json,

    /// <summary>Bytes without a limit, as slowly as they come.</summary>
    Bytes,
}
