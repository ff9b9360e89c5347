namespace DonkeyWork.CodeSandbox.Sandboxes.Backends;

/// <summary>The one way to talk HTTP to something that a sandbox controls.</summary>
public static class ExecutorHandler
{
    /// <summary>
    /// A handler that follows no redirect, keeps no cookie, uses no proxy, decompresses nothing, bounds headers, and
    /// closes the connection of a response that is given up instead of reading on, so that the executor notices at once.
    /// The backend sets <see cref="SocketsHttpHandler.ConnectCallback"/> where it does not connect by TCP.
    /// </summary>
    public static SocketsHttpHandler Create() => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        AutomaticDecompression = System.Net.DecompressionMethods.None,
        ActivityHeadersPropagator = null,
        MaxResponseHeadersLength = 16, // KiB
        MaxResponseDrainSize = 0,
        ResponseDrainTimeout = TimeSpan.Zero,
        ConnectTimeout = TimeSpan.FromSeconds(5),
        // After a burst its connections go: each is a descriptor and memory of the sandbox's. And well before a Kestrel
        // executor closes an idle connection, so that no request meets one that is being closed.
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(10),
    };
}
