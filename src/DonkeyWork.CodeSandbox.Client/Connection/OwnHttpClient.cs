namespace DonkeyWork.CodeSandbox.Client.Connection;

/// <summary>The <see cref="HttpClient"/> of a client that was given none. Streams have no total time.</summary>
internal static class OwnHttpClient
{
    public static HttpClient Over(HttpMessageHandler handler) =>
        new(handler ?? throw new ArgumentNullException(nameof(handler)), disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan };

    public static HttpClient Create(Uri address, ConnectionOptions? options)
    {
        ArgumentNullException.ThrowIfNull(address);
        var handler = new SocketsHttpHandler
        {
            // A redirect would carry commands and keys to wherever it points.
            AllowAutoRedirect = false,
            UseCookies = false,
            // A proxy for the outside world cannot reach this machine's loopback.
            UseProxy = !(address.IsAbsoluteUri && address.IsLoopback),
            ConnectTimeout = options?.ConnectTimeout ?? ConnectionOptions.DefaultConnectTimeout,
            // A name may come to mean another machine; streams in progress are not touched.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            // Leaving a stream closes its connection at once, which is what ends the command.
            ResponseDrainTimeout = TimeSpan.Zero,
        };
        return new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }
}
