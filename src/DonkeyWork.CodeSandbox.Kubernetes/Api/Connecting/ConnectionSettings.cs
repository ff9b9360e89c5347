using System.Security.Cryptography.X509Certificates;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Connecting.Tokens;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Connecting;

/// <summary>All that a source of configuration says about one API server.</summary>
internal sealed record ConnectionSettings
{
    public required Uri Server { get; init; }

    public required string Source { get; init; }

    public bool IsInCluster { get; init; }

    /// <summary>Who may vouch for the server; the machine's own authorities where it is <see langword="null"/>.</summary>
    public X509Certificate2Collection? Authorities { get; init; }

    public bool SkipTlsVerify { get; init; }

    /// <summary>The name that the server's certificate must have, where it is not that of the address.</summary>
    public string? TlsServerName { get; init; }

    /// <summary>The first is ours; the others lead from it to an authority.</summary>
    public X509Certificate2Collection? ClientCertificate { get; init; }

    public ITokenSource? Token { get; init; }

    /// <summary>The address, with the slash at its end that relative paths need.</summary>
    public static Uri ServerOf(string url, string source)
    {
        if (!Uri.TryCreate(url.TrimEnd('/') + "/", UriKind.Absolute, out var server) || server.Scheme is not ("https" or "http"))
            throw new ClusterConfigurationException($"{source}: '{url}' is not the address of an API server; it looks like https://10.0.0.1:6443.");
        return server;
    }
}
