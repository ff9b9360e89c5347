using System.Net;
using System.Net.Http.Headers;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Connecting.Tokens;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Connecting;

/// <summary>Shows our token with each request; once more with a newer one where the API server refuses it.</summary>
internal sealed class AuthenticatingHandler(ITokenSource? tokens, string? host, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        // The name to ask for in TLS, and to find in the certificate, is that of this header.
        if (host is not null) request.Headers.Host = host;
        if (tokens is null) return await base.SendAsync(request, cancellationToken);
        var token = await tokens.GetAsync(refused: null, cancellationToken);
        var response = await SendAsync(request, token, cancellationToken);
        if (response.StatusCode != HttpStatusCode.Unauthorized || !IsServersOwn(response) || !CanBeSentAgain(request)) return response;
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

    // What is behind the pod proxy may answer 401 too, and means something else by it.
    private static bool IsServersOwn(HttpResponseMessage response) =>
        response.Content.Headers.ContentType?.MediaType != "application/problem+json";

    private static bool CanBeSentAgain(HttpRequestMessage request) =>
        request.Content is null or ByteArrayContent or ReadOnlyMemoryContent;
}
