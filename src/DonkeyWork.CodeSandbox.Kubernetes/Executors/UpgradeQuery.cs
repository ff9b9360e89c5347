using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Kubernetes.Executors;

/// <summary>Sends the query of a request that is to be upgraded as <see cref="ExecutorProtocol.QueryHeader"/>, too: not every pod proxy passes it on.</summary>
internal sealed class UpgradeQuery(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Headers.Upgrade.Count > 0 && request.RequestUri!.Query is { Length: > 0 } query)
            request.Headers.Add(ExecutorProtocol.QueryHeader, query);
        return base.SendAsync(request, cancellationToken);
    }
}
