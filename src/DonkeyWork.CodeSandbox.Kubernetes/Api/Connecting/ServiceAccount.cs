using DonkeyWork.CodeSandbox.Kubernetes.Api.Connecting.Tokens;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Connecting;

/// <summary>
/// The service account of the pod we run in
/// (https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/).
/// </summary>
internal static class ServiceAccount
{
    public static ConnectionSettings? Read(ClusterEnvironment environment, TimeProvider clock)
    {
        var token = Path.Combine(environment.ServiceAccountDirectory, "token");
        if (environment.Text("KUBERNETES_SERVICE_HOST") is not { } host || !File.Exists(token)) return null;
        var port = environment.Text("KUBERNETES_SERVICE_PORT") ?? "443";
        // An IPv6 address stands in brackets in a URL.
        if (host.Contains(':', StringComparison.Ordinal)) host = $"[{host}]";
        return new ConnectionSettings
        {
            Server = ConnectionSettings.ServerOf($"https://{host}:{port}", "KUBERNETES_SERVICE_HOST"),
            Source = "in-cluster",
            IsInCluster = true,
            Authorities = Pem.Authorities(Pem.ReadFile(Path.Combine(environment.ServiceAccountDirectory, "ca.crt")), "the service account's ca.crt"),
            Token = new FileToken(token, clock),
        };
    }
}
