using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using DonkeyWork.CodeSandbox.Client.Connection;

namespace DonkeyWork.CodeSandbox.Client.Terminals;

/// <summary>
/// The handshake of a WebSocket (RFC 6455, 4.1) as a request like any other: the same addresses, key and handler, and a refusal is
/// the problem that it says.
/// </summary>
internal static class WebSocketUpgrade
{
    // Pings are answered while somebody reads; a reader who is slow is given time.
    private static readonly TimeSpan PingInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan PongTimeout = TimeSpan.FromSeconds(60);

    public static async Task<WebSocketConnection> ConnectAsync(SandboxRoute sandbox, string path, TimeSpan limit, CancellationToken cancellationToken)
    {
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
        var call = new Call(HttpMethod.Get, path) { IsStream = true, Headers = headers => Ask(headers, key) };
        var answer = await sandbox.Server.OpenAsync(call, limit, cancellationToken).ConfigureAwait(false);
        try
        {
            if (answer.Response.StatusCode != HttpStatusCode.SwitchingProtocols
                || !answer.Response.Headers.TryGetValues("Sec-WebSocket-Accept", out var accept)
                || !accept.SequenceEqual([AcceptOf(key)]))
            {
                throw new CodeSandboxException(ClientErrorCodes.UnexpectedResponse, $"{answer.From.Name} did not open a WebSocket.") { StatusCode = answer.Response.StatusCode };
            }

            var stream = await answer.Response.Content.ReadAsStreamAsync(CancellationToken.None).ConfigureAwait(false);
            var options = new WebSocketCreationOptions { KeepAliveInterval = PingInterval, KeepAliveTimeout = PongTimeout };
            return new WebSocketConnection(answer, WebSocket.CreateFromStream(stream, options));
        }
        catch
        {
            answer.Dispose();
            throw;
        }
    }

    private static void Ask(HttpRequestHeaders headers, string key)
    {
        headers.Connection.Add("Upgrade");
        headers.Upgrade.Add(new ProductHeaderValue("websocket"));
        headers.Add("Sec-WebSocket-Version", "13");
        headers.Add("Sec-WebSocket-Key", key);
    }

    [SuppressMessage("Security", "CA5350", Justification = "What RFC 6455 says; it protects nothing.")]
    private static string AcceptOf(string key) =>
        Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
}

/// <summary>An open WebSocket and the connection below it.</summary>
internal sealed class WebSocketConnection(Answer answer, WebSocket socket) : IDisposable
{
    public ServerAddress From => answer.From;

    public WebSocket Socket => socket;

    public void Dispose()
    {
        socket.Dispose();
        answer.Dispose();
    }
}
