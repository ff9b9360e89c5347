namespace DonkeyWork.CodeSandbox.Sandboxes.Execution;

/// <summary>A request to be passed on to an executor.</summary>
/// <param name="Method">The method.</param>
/// <param name="Path">Relative, without a leading slash: <c>api/execute</c>. Ours; what in it is the caller's has been checked, or escaped.</param>
public sealed record ExecutorRequest(HttpMethod Method, string Path)
{
    /// <summary>The caller's headers that go along, as they were given.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>The body, passed on unparsed as it is read; <see langword="null"/> for none.</summary>
    public Stream? Body { get; init; }

    /// <summary>The body's media type.</summary>
    public string? ContentType { get; init; }

    /// <summary>The body's length in bytes, where it is known.</summary>
    public long? ContentLength { get; init; }

    /// <summary>
    /// The media types that the response may have beside that of a problem. One of them is passed on as it is written here,
    /// any other is an error.
    /// </summary>
    public IReadOnlyList<string> ResponseTypes { get; init; } = [];

    /// <summary>
    /// Whether the executor must answer, and go on with what it answers, without a silence of <see cref="ExecutorResponse.Silence"/>.
    /// Not so where its answer waits for a process that reads, or for a large directory.
    /// </summary>
    public bool IsTimed { get; init; } = true;

    /// <summary>
    /// Whether the executor may answer before it has read the body, which then is not sent, or no further. Each such request
    /// has a connection of its own.
    /// </summary>
    public bool MayBeAnsweredEarly { get; init; }

    /// <summary>Whether it is conditional, so that 304 is an answer. Everywhere else it is as wrong as a redirect.</summary>
    public bool MayBeUnmodified { get; init; }

    /// <summary>Whether it asks for a WebSocket (RFC 6455, 4.1), <see cref="ExecutorResponse.OpenAsync"/>.</summary>
    public bool AsksForWebSocket { get; init; }
}
