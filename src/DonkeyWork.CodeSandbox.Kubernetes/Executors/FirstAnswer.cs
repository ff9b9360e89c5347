using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace DonkeyWork.CodeSandbox.Kubernetes.Executors;

/// <summary>
/// A pod is ready as soon as its container has started, and that is a moment before its executor listens. So nothing is sent
/// until <c>/healthz</c> has been answered once; a connection that is refused is tried again for as long as starting may take.
/// </summary>
internal sealed class FirstAnswer(HttpMessageHandler inner, Uri address) : DelegatingHandler(inner)
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly Uri _health = new(address, "healthz");
    private volatile bool _listens;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        // Who asks for nothing else has a patience of its own.
        if (!_listens && request.RequestUri != _health) await KnockAsync(cancellationToken);
        var response = await base.SendAsync(request, cancellationToken);
        _listens = true;
        return response;
    }

    private async Task KnockAsync(CancellationToken cancellationToken)
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, _health);
                using var response = await base.SendAsync(request, cancellationToken);
                return;
            }
            catch (HttpRequestException refused) when (IsRefused(refused) && waited.Elapsed < StartPatience)
            {
                await Task.Delay(Pause, TimeProvider.System, cancellationToken);
            }
        }
    }

    // By the pod proxy it is an answer of the API server's: 500 or 503.
    private static bool IsRefused(HttpRequestException e) =>
        e.HttpRequestError == HttpRequestError.ConnectionError
        && (e.StatusCode is { } status
            ? status >= HttpStatusCode.InternalServerError
            : e.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused });
}
