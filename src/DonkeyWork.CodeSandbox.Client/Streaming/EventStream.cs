using System.Net.ServerSentEvents;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using DonkeyWork.CodeSandbox.Client.Connection;

namespace DonkeyWork.CodeSandbox.Client.Streaming;

/// <summary>
/// The events of one response (https://html.spec.whatwg.org/multipage/server-sent-events.html). Their names are not looked at:
/// the JSON says what it is. Disposing it early closes the connection.
/// </summary>
internal sealed class EventStream<T> : IAsyncDisposable
    where T : class
{
    private readonly Answer _answer;
    private readonly GuardedStream _body;
    private readonly IAsyncEnumerator<SseItem<T>> _events;

    public EventStream(Answer answer, Stream body, JsonTypeInfo<T> type, ConnectionOptions options, CancellationToken cancellationToken)
    {
        _answer = answer;
        _body = new GuardedStream(body, options, answer.From.Name, cancellationToken);
        _events = SseParser
            .Create(_body, (_, data) => JsonSerializer.Deserialize(data, type) ?? throw new JsonException("The event is null."))
            .EnumerateAsync(CancellationToken.None)
            .GetAsyncEnumerator(CancellationToken.None);
    }

    public ServerAddress From => _answer.From;

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
            throw new CodeSandboxException(ClientErrorCodes.UnexpectedResponse, $"{_answer.From.Name} sent an event that is not of this protocol.", e);
        }

        _body.EventSeen();
        return _events.Current.Data;
    }

    /// <summary>Waits for the end after the last event that matters. Whatever comes instead changes nothing any more.</summary>
    public ValueTask EndAsync() => _body.EndAsync();

    public async ValueTask DisposeAsync()
    {
        await _events.DisposeAsync().ConfigureAwait(false);
        await _body.DisposeAsync().ConfigureAwait(false);
        _answer.Dispose();
    }
}
