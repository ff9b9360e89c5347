using System.Net.Sockets;

namespace DonkeyWork.CodeSandbox.Sandboxes.Backends;

/// <summary>
/// A way to one executor. <paramref name="Http"/> follows no redirect, keeps no cookie, uses no proxy and decompresses nothing.
/// </summary>
/// <param name="Http">Sends requests.</param>
/// <param name="BaseAddress">What the executor's paths (<c>healthz</c>, <c>api/execute</c>) are relative to; ends with a slash.</param>
public sealed record ExecutorEndpoint(HttpMessageInvoker Http, Uri BaseAddress)
{
    /// <summary>One that nobody is behind: what is sent there is refused as a connection is that nobody takes.</summary>
    public static ExecutorEndpoint Nobody { get; } = new(
        new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false, ConnectCallback = (_, _) => throw new SocketException((int)SocketError.ConnectionRefused) }),
        new Uri("http://nobody/"));
}
