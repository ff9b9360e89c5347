using System.Net;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Kubernetes.Pods;

namespace DonkeyWork.CodeSandbox.Kubernetes.Executors;

/// <summary>
/// Tells what the API server itself says on the way to an executor from what the executor says, whose errors are all
/// <see cref="Problem.MediaType"/>: the former is a connection that was not made.
/// </summary>
internal sealed class ProxyRefusals(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    private const int MaxBodyBytes = 16 * 1024;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken);
        if ((int)response.StatusCode < 400 || response.Content.Headers.ContentType?.MediaType == Problem.MediaType) return response;
        using (response) throw await RefusalAsync(response, cancellationToken);
    }

    private static async Task<HttpRequestException> RefusalAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var words = await MessageAsync(response, cancellationToken) ?? response.ReasonPhrase;
        var message = response.StatusCode switch
        {
            // For whoever operates the Manager: it is the one right that Managers outside need beyond those inside.
            HttpStatusCode.Forbidden => $"The API server does not let the Manager use the pod proxy ({words}). A Manager outside the cluster needs the Role for pods/proxy as well: kubectl apply -f k8s/proxy-access.yaml.",
            HttpStatusCode.Unauthorized => $"The API server does not know the Manager ({words}).",
            _ => $"The API server's pod proxy answered {(int)response.StatusCode} ({words}).",
        };
        return new HttpRequestException(HttpRequestError.ConnectionError, message, statusCode: response.StatusCode);
    }

    // https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
    private static async Task<string?> MessageAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var body = new byte[MaxBodyBytes];
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        var length = await stream.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, cancellationToken);
        try
        {
            using var status = JsonDocument.Parse(body.AsMemory(0, length));
            return status.RootElement.ValueKind == JsonValueKind.Object && status.RootElement.TryGetProperty("message", out var message) ? PodMessage.OneLine(message.ToString()) : null;
        }
        catch (JsonException)
        {
            // Some proxy's page.
            return null;
        }
    }
}
