using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using DonkeyWork.CodeSandbox.Client.Streaming;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client.Connection;

/// <summary>One server: where it is, who we are to it, how long we wait, and its errors made typed.</summary>
internal sealed class ServerConnection : IDisposable
{
    private const string JsonType = "application/json";
    private const string EventStreamType = "text/event-stream";

    // Null values where the contract has none are as malformed as missing ones.
    private static readonly ContractsJsonContext Json =
        new(new JsonSerializerOptions(ContractsJsonContext.Default.Options) { RespectNullableAnnotations = true });

    private readonly HttpClient _http;
    private readonly bool _ownsHttp;
    private readonly Uri _base;
    private readonly Action<HttpRequestHeaders> _authorize;

    public ServerConnection(
        Uri address, HttpClient http, bool ownsHttp, ConnectionOptions options, Action<HttpRequestHeaders> authorize)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(http);
        if (!address.IsAbsoluteUri || address.Scheme is not ("http" or "https"))
            throw new ArgumentException($"'{address}' is not an absolute http or https address.", nameof(address));

        Options = options;
        // Without the final slash a relative path would replace the last segment of a path prefix.
        _base = address.AbsolutePath.EndsWith('/') ? address : new UriBuilder(address) { Path = address.AbsolutePath + "/" }.Uri;
        Name = address.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped);
        _http = http;
        _ownsHttp = ownsHttp;
        _authorize = authorize;
    }

    public ConnectionOptions Options { get; }

    /// <summary>Scheme, host and port, for messages: a path or user info may hold what is not for logs.</summary>
    public string Name { get; }

    public Task<T> AskAsync<T>(HttpMethod method, string path, CancellationToken cancellationToken) =>
        AskAsync<T>(method, path, content: null, Options.RequestTimeout, cancellationToken);

    /// <summary>Posts, and waits for the answer for <paramref name="limit"/> at most.</summary>
    public async Task<T> AskAsync<TBody, T>(string path, TBody body, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var content = Content(body);
        return await AskAsync<T>(HttpMethod.Post, path, content, limit, cancellationToken).ConfigureAwait(false);
    }

    private Task<T> AskAsync<T>(HttpMethod method, string path, HttpContent? content, TimeSpan limit, CancellationToken cancellationToken) =>
        WithinAsync(
            limit,
            async token =>
            {
                using var response = await SendAsync(method, path, content, JsonType, token).ConfigureAwait(false);
                if (response.Content.Headers.ContentType?.MediaType != JsonType)
                    throw await ProblemReader.ReadAsync(response, Options.TimeProvider, token).ConfigureAwait(false);
                var body = await response.Content.ReadAsStreamAsync(token).ConfigureAwait(false);
                return await JsonSerializer.DeserializeAsync(body, TypeInfo<T>(), token).ConfigureAwait(false)
                    ?? throw new JsonException("The answer is null.");
            },
            cancellationToken);

    /// <summary>Posts and returns the answer as a stream of events, which ends when <paramref name="cancellationToken"/> is cancelled.</summary>
    public Task<EventStream<TEvent>> OpenStreamAsync<TBody, TEvent>(string path, TBody body, CancellationToken cancellationToken)
        where TEvent : class =>
        WithinAsync(
            Options.RequestTimeout,
            async token =>
            {
                using var content = Content(body);
                var response = await SendAsync(HttpMethod.Post, path, content, EventStreamType, token).ConfigureAwait(false);
                try
                {
                    if (response.Content.Headers.ContentType?.MediaType != EventStreamType)
                        throw await ProblemReader.ReadAsync(response, Options.TimeProvider, token).ConfigureAwait(false);
                    var stream = await response.Content.ReadAsStreamAsync(token).ConfigureAwait(false);
                    return new EventStream<TEvent>(response, stream, TypeInfo<TEvent>(), Options, Name, cancellationToken);
                }
                catch
                {
                    response.Dispose();
                    throw;
                }
            },
            cancellationToken);

    public void Dispose()
    {
        if (_ownsHttp)
            _http.Dispose();
    }

    private static JsonTypeInfo<T> TypeInfo<T>() => (JsonTypeInfo<T>)Json.GetTypeInfo(typeof(T))!;

    private static ByteArrayContent Content<T>(T body) => new(JsonSerializer.SerializeToUtf8Bytes(body, TypeInfo<T>()))
    {
        Headers = { ContentType = new MediaTypeHeaderValue(JsonType) },
    };

    private async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, HttpContent? content, string accept, CancellationToken cancellationToken)
    {
        // A message of our own is HTTP/1.1 whatever the HttpClient's default: one stream per connection, no cap on streams,
        // and closing the connection is what ends a command.
        using var request = new HttpRequestMessage(method, new Uri(_base, path)) { Content = content };
        request.Headers.Accept.ParseAdd(accept);
        _authorize(request.Headers);
        var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        if (response.IsSuccessStatusCode)
            return response;
        using (response)
            throw await ProblemReader.ReadAsync(response, Options.TimeProvider, cancellationToken).ConfigureAwait(false);
    }

    private async Task<T> WithinAsync<T>(TimeSpan limit, Func<CancellationToken, Task<T>> ask, CancellationToken cancellationToken)
    {
        using var over = new CancellationTokenSource(limit, Options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, over.Token);
        try
        {
            return await ask(either.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (cancellationToken.IsCancellationRequested && e is OperationCanceledException or HttpRequestException or IOException)
        {
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
        catch (OperationCanceledException e) when (over.IsCancellationRequested || e.InnerException is TimeoutException)
        {
            throw new CodeSandboxException(ClientErrorCodes.RequestTimeout, $"{Name} did not answer in time.", e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw NeverConnected(e)
                ? new CodeSandboxException(ClientErrorCodes.Unreachable, $"{Name} cannot be reached: {e.Message}", e)
                : new InterruptedException(ClientErrorCodes.ResponseCut, $"The connection to {Name} broke before it had answered.", e);
        }
        catch (JsonException e)
        {
            throw new CodeSandboxException(ClientErrorCodes.UnexpectedResponse, $"{Name} answered with JSON that is not of this protocol.", e);
        }
    }

    private static bool NeverConnected(Exception e) =>
        e is HttpRequestException
        {
            HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
                or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError,
        };
}
