using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Connecting;

/// <summary>Connections to an API server that notice within 30 s when nobody is at the other end any more.</summary>
internal static class ServerTransport
{
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(10);

    public static SocketsHttpHandler Create(SslClientAuthenticationOptions tls) => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        AutomaticDecompression = DecompressionMethods.None,
        ActivityHeadersPropagator = null,
        ConnectTimeout = TimeSpan.FromSeconds(5),
        EnableMultipleHttp2Connections = true,
        // HTTP/2: a connection that is in use and silent for this long is asked for a sign of life.
        KeepAlivePingDelay = Quiet,
        KeepAlivePingTimeout = AnswerTime,
        KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
        ConnectCallback = ConnectAsync,
        SslOptions = tls,
    };

    /// <summary>How TLS is made. Once for all handlers: a client certificate is prepared in native memory.</summary>
    public static SslClientAuthenticationOptions TlsOf(ConnectionSettings settings)
    {
        var tls = new SslClientAuthenticationOptions();
        if (settings.ClientCertificate is [var own, ..] chain)
            tls.ClientCertificateContext = SslStreamCertificateContext.Create(own, chain, offline: true);
        if (settings.SkipTlsVerify)
        {
#pragma warning disable CA5359 // It is what was asked for, by name.
            tls.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        }
        else if (settings.Authorities is { } authorities)
        {
            // The host's name is checked by TLS itself, whoever vouches for it.
            tls.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            tls.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }

        return tls;
    }

    // Over HTTP/1.1 TCP has to find out: unanswered probes after 10 s of silence, and unanswered data, end the connection after 20 s.
    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        const int TcpUserTimeout = 18; // linux/tcp.h; milliseconds
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, (int)Quiet.TotalSeconds);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 3);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
            if (OperatingSystem.IsLinux())
                socket.SetRawSocketOption((int)SocketOptionLevel.Tcp, TcpUserTimeout, BitConverter.GetBytes((int)(Quiet + AnswerTime).TotalMilliseconds));
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
