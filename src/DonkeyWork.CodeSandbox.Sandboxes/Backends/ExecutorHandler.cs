namespace DonkeyWork.CodeSandbox.Sandboxes.Backends;

/// <summary>The one way to talk HTTP to something that a sandbox controls.</summary>
public static class ExecutorHandler
{
    /// <summary>A handler with <see cref="Configure"/>'s settings.</summary>
    public static SocketsHttpHandler Create()
    {
        var handler = new SocketsHttpHandler();
        Configure(handler);
        return handler;
    }

    /// <summary>
    /// Makes a handler follow no redirect, keep no cookie, use no proxy, decompress nothing, bound headers, and close the
    /// connection of a response that is given up instead of reading on, so that the executor notices at once. The backend
    /// sets <see cref="SocketsHttpHandler.ConnectCallback"/> where it does not simply connect by TCP.
    /// </summary>
    public static void Configure(SocketsHttpHandler handler)
    {
        handler.AllowAutoRedirect = false;
        handler.UseCookies = false;
        handler.UseProxy = false;
        handler.AutomaticDecompression = System.Net.DecompressionMethods.None;
        handler.ActivityHeadersPropagator = null;
        handler.MaxResponseHeadersLength = 16; // KiB
        handler.MaxResponseDrainSize = 0;
        handler.ResponseDrainTimeout = TimeSpan.Zero;
        handler.ConnectTimeout = TimeSpan.FromSeconds(5);
        handler.PlaintextStreamFilter = (context, _) => ValueTask.FromResult<Stream>(new ExecutorStream(context.PlaintextStream));
        // After a burst its connections go: each is a descriptor and memory of the sandbox's. And well before a Kestrel
        // executor closes an idle connection, so that no request meets one that is being closed.
        handler.PooledConnectionIdleTimeout = TimeSpan.FromSeconds(10);
    }
}
