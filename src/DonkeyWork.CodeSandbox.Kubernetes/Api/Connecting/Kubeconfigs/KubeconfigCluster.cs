namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Connecting.Kubeconfigs;

/// <summary>The <c>cluster</c> of a kubeconfig.</summary>
internal static class KubeconfigCluster
{
    public static ConnectionSettings Read(KubeconfigEntry entry, string source)
    {
        var (cluster, _) = entry;
        if (cluster.Text("proxy-url") is not null)
            throw new ClusterConfigurationException($"{source}: proxy-url is not supported; the API server must be reachable directly.");
        var server = cluster.Text("server") ?? throw new ClusterConfigurationException($"{source}: its cluster has no server.");
        var authorities = entry.DataOrFile("certificate-authority", source);
        return new ConnectionSettings
        {
            Server = ConnectionSettings.ServerOf(server, source),
            Source = source,
            Authorities = authorities is null ? null : Pem.Authorities(authorities, $"{source}: its certificate authority"),
            SkipTlsVerify = cluster.Flag("insecure-skip-tls-verify"),
            TlsServerName = cluster.Text("tls-server-name"),
        };
    }

    /// <summary>What <c>NAME-data</c> holds as base64, else what the file <c>NAME</c> holds.</summary>
    public static string? DataOrFile(this KubeconfigEntry entry, string name, string source)
    {
        if (entry.Node.Text($"{name}-data") is { } data) return Pem.FromBase64(data, $"{source}: {name}-data");
        return entry.Node.Text(name) is { } file ? Pem.ReadFile(entry.PathOf(file)) : null;
    }

    /// <summary>Relative paths start where the kubeconfig is.</summary>
    public static string PathOf(this KubeconfigEntry entry, string path) => Path.Combine(entry.Directory, path);
}
