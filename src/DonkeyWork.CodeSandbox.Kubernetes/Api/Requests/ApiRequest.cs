namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Requests;

/// <summary>One request to the API server; it can be sent more than once.</summary>
/// <param name="Method">Of HTTP.</param>
/// <param name="Path">Relative to the server's address, with its query.</param>
internal sealed record ApiRequest(HttpMethod Method, string Path)
{
    public ReadOnlyMemory<byte> Body { get; init; }

    public string? ContentType { get; init; }

    /// <summary>Whether doing it twice is the same as doing it once.</summary>
    public bool IsSafe => Method == HttpMethod.Get;

    public static ApiRequest Get(string path) => new(HttpMethod.Get, path);

    public HttpRequestMessage ToMessage(Uri server)
    {
        // HTTP/2 where TLS offers it; without TLS it would be HTTP/1.1.
        var message = new HttpRequestMessage(Method, new Uri(server, Path)) { Version = new Version(2, 0), VersionPolicy = HttpVersionPolicy.RequestVersionOrLower };
        message.Headers.TryAddWithoutValidation("Accept", "application/json");
        message.Headers.TryAddWithoutValidation("User-Agent", "codesandbox-manager");
        if (ContentType is null) return message;
        message.Content = new ReadOnlyMemoryContent(Body);
        message.Content.Headers.TryAddWithoutValidation("Content-Type", ContentType);
        return message;
    }
}
