using System.Net;
using System.Net.WebSockets;
using DonkeyWork.CodeSandbox.Client.Connection;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client.Terminals;

/// <summary>Opens a WebSocket at the same addresses, with the same key and handler, as everything else.</summary>
internal static class WebSocketUpgrade
{
    // Pings are answered while somebody reads; a reader who is slow is given time.
    private static readonly TimeSpan PingInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan PongTimeout = TimeSpan.FromSeconds(60);

    public static async Task<WebSocketConnection> ConnectAsync(SandboxRoute sandbox, string path, TimeSpan limit, CancellationToken cancellationToken)
    {
        var call = new Call(HttpMethod.Get, path) { IsStream = true, Headers = WebSocketHandshake.Ask };
        var answer = await sandbox.Server.OpenAsync(call, limit, cancellationToken).ConfigureAwait(false);
        try
        {
            if (answer.Response.StatusCode != HttpStatusCode.SwitchingProtocols || !WebSocketHandshake.IsAnsweredBy(answer.Response))
                throw new CodeSandboxException(ClientErrorCodes.UnexpectedResponse, $"{answer.From.Name} did not open a WebSocket.") { StatusCode = answer.Response.StatusCode };

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
