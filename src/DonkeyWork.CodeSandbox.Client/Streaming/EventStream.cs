using System.Net.ServerSentEvents;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace DonkeyWork.CodeSandbox.Client.Streaming;

/// <summary>
/// The events of one response (https://html.spec.whatwg.org/multipage/server-sent-events.html). Their names are not looked at:
/// the JSON says what it is. Disposing it early closes the connection.
/// </summary>
internal sealed class EventStream<T> : IAsyncDisposable
    where T : class
{
    // The end follows the last event at once. Waiting for it keeps the connection for the next request; not for long.
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(1);

    private readonly HttpResponseMessage _response;
    private readonly GuardedStream _body;
    private readonly string _server;
    private readonly TimeProvider _time;
    private readonly IAsyncEnumerator<SseItem<T>> _events;

    public EventStream(
        HttpResponseMessage response, Stream body, JsonTypeInfo<T> type, ConnectionOptions options, string server, CancellationToken cancellationToken)
    {
        _response = response;
        _server = server;
        _time = options.TimeProvider;
        _body = new GuardedStream(body, options, server, cancellationToken);
        _events = SseParser
            .Create(_body, (_, data) => JsonSerializer.Deserialize(data, type) ?? throw new JsonException("The event is null."))
            .EnumerateAsync(CancellationToken.None)
            .GetAsyncEnumerator(CancellationToken.None);
    }

    /// <summary>The next event, or <see langword="null"/> where the stream has ended; an event cut short is none.</summary>
    public async ValueTask<T?> NextAsync()
    {
        try
        {
            if (!await _events.MoveNextAsync().ConfigureAwait(false))
                return null;
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            // NotSupported is what the serializer says to an event that does not name its kind.
            throw new CodeSandboxException(ClientErrorCodes.UnexpectedResponse, $"{_server} sent an event that is not of this protocol.", e);
        }

        _body.EventSeen();
        return _events.Current.Data;
    }

    /// <summary>Waits for the end after the last event that matters. Whatever comes instead changes nothing any more.</summary>
    public async ValueTask EndAsync()
    {
        using var limit = new CancellationTokenSource(EndTimeout, _time);
        using var stop = limit.Token.UnsafeRegister(static body => ((GuardedStream)body!).Stop(), _body);
        try
        {
            await NextAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is CodeSandboxException or OperationCanceledException)
        {
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _events.DisposeAsync().ConfigureAwait(false);
        await _body.DisposeAsync().ConfigureAwait(false);
        _response.Dispose();
    }
}
