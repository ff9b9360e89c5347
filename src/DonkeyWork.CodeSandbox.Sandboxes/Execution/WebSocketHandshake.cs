using System.Security.Cryptography;
using System.Text;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Sandboxes.Execution;

/// <summary>
/// Asks an executor for a WebSocket (RFC 6455, 4.1). <see cref="System.Net.WebSockets.ClientWebSocket"/> would keep the body
/// of a refusal to itself, and that is the problem which the caller has to be told.
/// </summary>
internal static class WebSocketHandshake
{
    private const string KeyHeader = "Sec-WebSocket-Key";
    private const string AcceptHeader = "Sec-WebSocket-Accept";

    public static void Ask(HttpRequestMessage message)
    {
        message.Headers.Connection.Add("Upgrade");
        message.Headers.Upgrade.Add(new("websocket"));
        message.Headers.Add("Sec-WebSocket-Version", "13");
        if (message.RequestUri!.Query is { Length: > 0 } query) message.Headers.Add(ExecutorProtocol.QueryHeader, query);
        message.Headers.Add(KeyHeader, Convert.ToBase64String(RandomNumberGenerator.GetBytes(16)));
    }

    /// <summary>Whether a 101 is the answer to what was asked.</summary>
    public static bool IsAnsweredBy(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues(AcceptHeader, out var accept)
        && accept.ToString() == AcceptOf(response.RequestMessage!.Headers.GetValues(KeyHeader).Single());

    private static string AcceptOf(string key)
    {
#pragma warning disable CA5350 // The protocol wants SHA-1, and for no secret's sake.
        return Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
    }
}
