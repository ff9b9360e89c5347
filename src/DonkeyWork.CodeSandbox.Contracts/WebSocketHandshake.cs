using System.Diagnostics.CodeAnalysis;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;

namespace DonkeyWork.CodeSandbox.Contracts;

/// <summary>
/// Asks for a WebSocket (RFC 6455, 4.1) with a request like any other. <see cref="System.Net.WebSockets.ClientWebSocket"/> would
/// keep the body of a refusal to itself, and that is the <see cref="Problem"/> which the caller has to be told.
/// </summary>
public static class WebSocketHandshake
{
    private const string KeyHeader = "Sec-WebSocket-Key";

    /// <summary>Makes a <c>GET</c> a request for a WebSocket.</summary>
    public static void Ask(HttpRequestHeaders headers)
    {
        headers.Connection.Add("Upgrade");
        headers.Upgrade.Add(new ProductHeaderValue("websocket"));
        headers.Add("Sec-WebSocket-Version", "13");
        headers.Add(KeyHeader, Convert.ToBase64String(RandomNumberGenerator.GetBytes(16)));
    }

    /// <summary>Whether a 101 is the answer to what was asked.</summary>
    public static bool IsAnsweredBy(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues("Sec-WebSocket-Accept", out var accept)
        && response.RequestMessage is { } request
        && accept.ToString() == AcceptOf(request.Headers.GetValues(KeyHeader).Single());

    [SuppressMessage("Security", "CA5350", Justification = "What RFC 6455 says; it protects nothing.")]
    private static string AcceptOf(string key) =>
        Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
}
