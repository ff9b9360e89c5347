using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using DonkeyWork.CodeSandbox.Client.Streaming;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client.Connection;

/// <summary>
/// One server: where it is, who we are to it, how long we wait, and its errors made typed. Of several addresses the one in use is
/// left for the next when it fails.
/// </summary>
internal sealed class ServerConnection : IDisposable
{
    // Null values where the contract has none are as malformed as missing ones.
    private static readonly ContractsJsonContext Json =
        new(new JsonSerializerOptions(ContractsJsonContext.Default.Options) { RespectNullableAnnotations = true });

    // It may come from inside a sandbox, unparsed, and is kept whole while it is read. The longest is the list of its executions.
    private const int MaxAnswerBytes = 64 * 1024 * 1024;

    private readonly HttpClients _http;
    private readonly ServerAddresses _addresses;
    private readonly Action<HttpRequestHeaders> _authorize;

    public ServerConnection(IReadOnlyList<Uri> addresses, HttpClients http, ConnectionOptions options, Action<HttpRequestHeaders> authorize)
    {
        _addresses = new ServerAddresses(addresses);
        Options = options;
        _http = http;
        _authorize = authorize;
    }

    public ConnectionOptions Options { get; }

    /// <summary>The name of the address in use.</summary>
    public string Name => _addresses.Current.Name;

    public Task<T> AskAsync<T>(HttpMethod method, string path, CancellationToken cancellationToken) =>
        AskAsync<T>(new Call(method, path), Options.RequestTimeout, cancellationToken);

    /// <summary>Posts, and waits for the answer for <paramref name="limit"/> at most.</summary>
    public Task<T> AskAsync<TBody, T>(string path, TBody body, TimeSpan limit, CancellationToken cancellationToken) =>
        AskAsync<T>(new Call(HttpMethod.Post, path) { Content = JsonOf(body) }, limit, cancellationToken);

    /// <summary>Sends, and reads the answer as JSON.</summary>
    public Task<T> AskAsync<T>(Call call, TimeSpan limit, CancellationToken cancellationToken) =>
        WithinAsync(
            limit,
            async (address, token) =>
            {
                using var answer = await SendAsync(address, call with { Accept = Call.JsonType }, token).ConfigureAwait(false);
                var body = new BoundedStream(
                    await answer.Response.Content.ReadAsStreamAsync(token).ConfigureAwait(false),
                    () => new CodeSandboxException(ClientErrorCodes.UnexpectedResponse, $"{address.Name} answered with more than {MaxAnswerBytes} bytes of JSON."))
                {
                    Left = MaxAnswerBytes,
                };
                return await JsonSerializer.DeserializeAsync(body, TypeInfo<T>(), token).ConfigureAwait(false)
                    ?? throw new JsonException("The answer is null.");
            },
            cancellationToken);

    /// <summary>Sends, and waits for the headers of the answer.</summary>
    public Task<Answer> OpenAsync(Call call, TimeSpan limit, CancellationToken cancellationToken) =>
        WithinAsync(limit, (address, token) => SendAsync(address, call, token), cancellationToken);

    /// <summary>Returns the answer as a stream of events, which ends when <paramref name="stop"/> is cancelled.</summary>
    public async Task<EventStream<TEvent>> OpenEventsAsync<TEvent>(Call call, TimeSpan limit, CancellationToken stop)
        where TEvent : class
    {
        var answer = await OpenAsync(call with { Accept = Call.EventStreamType }, limit, stop).ConfigureAwait(false);
        var body = await answer.Response.Content.ReadAsStreamAsync(CancellationToken.None).ConfigureAwait(false);
        return new EventStream<TEvent>(answer, body, TypeInfo<TEvent>(), Options, stop);
    }

    /// <summary>Posts and returns the answer as a stream of events, which ends when <paramref name="stop"/> is cancelled.</summary>
    public Task<EventStream<TEvent>> OpenEventsAsync<TBody, TEvent>(string path, TBody body, CancellationToken stop)
        where TEvent : class =>
        OpenEventsAsync<TEvent>(new Call(HttpMethod.Post, path) { Content = JsonOf(body) }, Options.RequestTimeout, stop);

    /// <summary>Uses the next address from here on, where there is one.</summary>
    public void Leave(ServerAddress failed) => _addresses.Leave(failed);

    public void Dispose() => _http.Dispose();

    public static JsonTypeInfo<T> TypeInfo<T>() => (JsonTypeInfo<T>)Json.GetTypeInfo(typeof(T))!;

    public static Func<HttpContent> JsonOf<T>(T body)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(body, TypeInfo<T>());
        return () => new ByteArrayContent(bytes) { Headers = { ContentType = new MediaTypeHeaderValue(Call.JsonType) } };
    }

    private async Task<Answer> SendAsync(ServerAddress address, Call call, CancellationToken cancellationToken)
    {
        // A message of our own is HTTP/1.1 whatever the HttpClient's default: one stream per connection, no cap on streams,
        // and closing the connection is what ends a command.
        using var request = new HttpRequestMessage(call.Method, new Uri(address.Base, call.Path)) { Content = ContentOf(call) };
        if (call.Accept is { } accept)
            request.Headers.Accept.ParseAdd(accept);
        _authorize(request.Headers);
        call.Headers?.Invoke(request.Headers);
        var http = call.IsStream ? _http.Streams : _http.Requests;
        HttpResponseMessage response;
        try
        {
            response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        }
        catch (SocketException e)
        {
            // SocketsHttpHandler lets this through where a connection is reset as soon as it is made.
            throw new HttpRequestException(HttpRequestError.ConnectionError, e.Message, e);
        }

        try
        {
            return IsAsked(response, call.Accept)
                ? new Answer(response, address)
                : throw await ProblemReader.ReadAsync(response, Options.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    // What has no content is sent again by SocketsHttpHandler, whatever it is and unknown to us, where the connection ends before an
    // answer (https://github.com/dotnet/runtime/issues/86714): after it was carried out, too. What has some, if none to speak of, is not.
    private static HttpContent? ContentOf(Call call) =>
        call.Content?.Invoke() ?? (call.Method == HttpMethod.Get || call.Method == HttpMethod.Head ? null : new ByteArrayContent([]));

    private static bool IsAsked(HttpResponseMessage response, string? type) =>
        response.StatusCode == HttpStatusCode.SwitchingProtocols
        || (response.IsSuccessStatusCode && (type is null || response.Content.Headers.ContentType?.MediaType == type));

    private async Task<T> WithinAsync<T>(TimeSpan limit, Func<ServerAddress, CancellationToken, Task<T>> ask, CancellationToken cancellationToken)
    {
        for (var others = _addresses.Count - 1; ; others--)
        {
            var address = _addresses.Current;
            try
            {
                return await WithinAsync(address, limit, ask, cancellationToken).ConfigureAwait(false);
            }
            catch (CodeSandboxException e) when (Persistence.IsOfTheServer(e))
            {
                Leave(address);
                // What was never begun there can be asked of another.
                if (others == 0 || !Persistence.WasNotBegun(e))
                    throw;
            }
        }
    }

    private async Task<T> WithinAsync<T>(
        ServerAddress address, TimeSpan limit, Func<ServerAddress, CancellationToken, Task<T>> ask, CancellationToken cancellationToken)
    {
        using var over = new CancellationTokenSource(limit, Options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, over.Token);
        try
        {
            return await ask(address, either.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (cancellationToken.IsCancellationRequested && e is OperationCanceledException or HttpRequestException or IOException)
        {
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
        catch (OperationCanceledException e) when (over.IsCancellationRequested || e.InnerException is TimeoutException)
        {
            throw !over.IsCancellationRequested && _http.OnlyConnectingIsTimed
                ? new CodeSandboxException(ClientErrorCodes.Unreachable, $"{address.Name} cannot be reached: no connection in time.", e)
                : new CodeSandboxException(ClientErrorCodes.RequestTimeout, $"{address.Name} did not answer in time.", e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw NeverConnected(e)
                ? new CodeSandboxException(ClientErrorCodes.Unreachable, $"{address.Name} cannot be reached: {e.Message}", e)
                : new InterruptedException(ClientErrorCodes.ResponseCut, $"The connection to {address.Name} broke before it had answered.", e);
        }
        catch (JsonException e)
        {
            throw new CodeSandboxException(ClientErrorCodes.UnexpectedResponse, $"{address.Name} answered with JSON that is not of this protocol.", e);
        }
    }

    private static bool NeverConnected(Exception e) =>
        e is HttpRequestException
        {
            HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
                or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError,
        };
}
