using System.Net;
using System.Net.Http.Headers;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Connecting.Tokens;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Connecting;

/// <summary>Shows our token with each request; once more with a newer one where the API server refuses it.</summary>
/// <param name="tokens">Where it is from.</param>
/// <param name="host">The server's name, where the address has another.</param>
/// <param name="isServers">
/// Whether a 401 is the API server's word. What is behind its pod proxy may say so too, as often as it likes, and must not
/// make us read or run anything.
/// </param>
/// <param name="inner">Sends.</param>
internal sealed class AuthenticatingHandler(ITokenSource? tokens, string? host, bool isServers, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        // The name to ask for in TLS, and to find in the certificate, is that of this header.
        if (host is not null) request.Headers.Host = host;
        if (tokens is null) return await base.SendAsync(request, cancellationToken);
        var token = await tokens.GetAsync(refused: null, cancellationToken);
        var response = await SendAsync(request, token, cancellationToken);
        if (response.StatusCode != HttpStatusCode.Unauthorized || !isServers || !CanBeSentAgain(request)) return response;
        var newer = await tokens.GetAsync(refused: token, cancellationToken);
        if (newer == token) return response;
        response.Dispose();
        return await SendAsync(request, newer, cancellationToken);
    }

    private Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, string token, CancellationToken cancellationToken)
    {
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return base.SendAsync(request, cancellationToken);
    }

    private static bool CanBeSentAgain(HttpRequestMessage request) =>
        request.Content is null or ByteArrayContent or ReadOnlyMemoryContent;
}
