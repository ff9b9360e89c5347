using System.Net.Http.Headers;

namespace DonkeyWork.CodeSandbox.Client.Connection;

/// <summary>A request that can be sent any number of times.</summary>
/// <param name="Method">Its method.</param>
/// <param name="Path">Relative to the server's address, escaped, with its query.</param>
internal sealed record Call(HttpMethod Method, string Path)
{
    public const string JsonType = "application/json";
    public const string EventStreamType = "text/event-stream";

    /// <summary>The type that is wanted, and where it is not <c>null</c> the only one that is taken.</summary>
    public string? Accept { get; init; }

    /// <summary>Makes the body, anew for each time it is sent.</summary>
    public Func<HttpContent>? Content { get; init; }

    /// <summary>Further headers.</summary>
    public Action<HttpRequestHeaders>? Headers { get; init; }

    /// <summary>Whether the answer is an execution's output.</summary>
    public bool IsStream { get; init; }
}

/// <summary>A successful answer, up to its headers. Disposing it before its end closes the connection.</summary>
internal sealed record Answer(HttpResponseMessage Response, ServerAddress From) : IDisposable
{
    public void Dispose() => Response.Dispose();
}
