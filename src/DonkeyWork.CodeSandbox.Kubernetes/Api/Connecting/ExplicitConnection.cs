using DonkeyWork.CodeSandbox.Kubernetes.Api.Connecting.Tokens;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Connecting;

/// <summary>The API server that the Manager's own configuration names.</summary>
internal static class ExplicitConnection
{
    private const string Source = "Connection";

    public static ConnectionSettings? Read(ConnectionOptions options)
    {
        if (string.IsNullOrWhiteSpace(options.ServerUrl))
        {
            if (!string.IsNullOrWhiteSpace(options.Token) || options.SkipTlsVerify)
                throw new ClusterConfigurationException("Connection has a Token or SkipTlsVerify, but no ServerUrl: set Connection:ServerUrl to the API server they are for.");
            return null;
        }

        return new ConnectionSettings
        {
            Server = ConnectionSettings.ServerOf(options.ServerUrl, "Connection:ServerUrl"),
            Source = Source,
            SkipTlsVerify = options.SkipTlsVerify,
            Token = string.IsNullOrWhiteSpace(options.Token) ? null : new FixedToken(options.Token.Trim()),
        };
    }
}
