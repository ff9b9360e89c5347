namespace DonkeyWork.CodeSandbox.Sandboxes.Execution;

/// <summary>A request to be passed on to an executor.</summary>
/// <param name="Method">The method.</param>
/// <param name="Path">Relative, without a leading slash: <c>api/execute</c>. Ours, never the caller's.</param>
public sealed record ExecutorRequest(HttpMethod Method, string Path)
{
    /// <summary>The body, passed on unparsed as it is read; <see langword="null"/> for none.</summary>
    public Stream? Body { get; init; }

    /// <summary>The body's media type.</summary>
    public string? ContentType { get; init; }

    /// <summary>The body's length in bytes, where it is known.</summary>
    public long? ContentLength { get; init; }

    /// <summary>The media types that the response may have. One of them is passed on as it is written here, any other is an error.</summary>
    public required IReadOnlyList<string> ResponseTypes { get; init; }
}
