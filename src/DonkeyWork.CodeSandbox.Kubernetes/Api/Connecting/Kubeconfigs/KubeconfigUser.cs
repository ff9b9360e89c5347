using System.Text;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Connecting.Tokens;
using YamlDotNet.RepresentationModel;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Connecting.Kubeconfigs;

/// <summary>The <c>user</c> of a kubeconfig.</summary>
internal static class KubeconfigUser
{
    // Left out of account, they would make us somebody else than the kubeconfig says.
    private static readonly string[] Unsupported = ["auth-provider", "username", "as", "as-uid", "as-groups", "as-user-extra"];

    public static ConnectionSettings Read(KubeconfigEntry entry, ConnectionSettings settings, TimeProvider clock)
    {
        var user = entry.Node;
        if (Unsupported.FirstOrDefault(key => user.Children.ContainsKey(new YamlScalarNode(key))) is { } key)
            throw new ClusterConfigurationException($"{settings.Source}: its user has '{key}', which is not supported; use a token, a token file, a client certificate or an exec plug-in.");
        var certificate = entry.DataOrFile("client-certificate", settings.Source);
        var clientKey = entry.DataOrFile("client-key", settings.Source);
        if (certificate is null != clientKey is null)
            throw new ClusterConfigurationException($"{settings.Source}: its user has a client certificate without its key, or a key without a certificate.");
        return settings with
        {
            ClientCertificate = certificate is null ? null : Pem.ClientCertificate(certificate, clientKey!, $"{settings.Source}: its client certificate"),
            Token = TokenOf(entry, settings, clock),
        };
    }

    private static ITokenSource? TokenOf(KubeconfigEntry entry, ConnectionSettings settings, TimeProvider clock)
    {
        // In this order by the reference of the kubeconfig's AuthInfo.
        if (entry.Node.Text("tokenFile") is { } file) return new FileToken(entry.PathOf(file), clock);
        if (entry.Node.Text("token") is { } token) return new FixedToken(token);
        return entry.Node.Map("exec") is { } exec ? new ExecToken(PluginOf(exec, entry, settings), clock) : null;
    }

    private static ExecPlugin PluginOf(YamlMappingNode exec, KubeconfigEntry entry, ConnectionSettings settings)
    {
        var version = exec.Text("apiVersion");
        if (version is not ("client.authentication.k8s.io/v1" or "client.authentication.k8s.io/v1beta1"))
            throw new ClusterConfigurationException($"{settings.Source}: its exec plug-in speaks '{version}', which is not supported; client.authentication.k8s.io/v1 and v1beta1 are.");
        if (exec.Text("interactiveMode") == "Always")
            throw new ClusterConfigurationException($"{settings.Source}: its exec plug-in wants to ask on a terminal (interactiveMode: Always), and there is none.");
        var command = exec.Text("command") ?? throw new ClusterConfigurationException($"{settings.Source}: its exec plug-in has no command.");
        return new ExecPlugin
        {
            ApiVersion = version,
            // A bare name is looked for in PATH.
            Command = command.Contains('/', StringComparison.Ordinal) ? entry.PathOf(command) : command,
            Arguments = [.. exec.Items("args").OfType<YamlScalarNode>().Select(argument => argument.Value ?? "")],
            Environment = exec.Items("env").OfType<YamlMappingNode>()
                .Where(variable => variable.Text("name") is not null)
                .ToDictionary(variable => variable.Text("name")!, variable => variable.Text("value") ?? ""),
            InstallHint = exec.Text("installHint"),
            Cluster = exec.Flag("provideClusterInfo") ? ClusterOf(settings) : null,
        };
    }

    private static ExecClusterInfo ClusterOf(ConnectionSettings settings) => new(
        settings.Server.AbsoluteUri.TrimEnd('/'),
        settings.Authorities is null ? null : Convert.ToBase64String(Encoding.ASCII.GetBytes(settings.Authorities.ExportCertificatePems())),
        settings.SkipTlsVerify,
        settings.TlsServerName);
}
