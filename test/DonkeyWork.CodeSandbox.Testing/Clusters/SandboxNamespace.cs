using System.Text.Json;
using System.Text.Json.Nodes;

namespace DonkeyWork.CodeSandbox.Testing.Clusters;

/// <summary>
/// A namespace of a test's own, with a RuntimeClass without overhead and an account for Managers that has the rights which
/// <c>k8s/</c> gives to those outside of the cluster, and no other. Everything is gone when disposed.
/// </summary>
public sealed class SandboxNamespace : IAsyncDisposable
{
    private readonly TestNamespace _namespace;
    private readonly string _directory = Directory.CreateTempSubdirectory("codesandbox-e2e-").FullName;

    private SandboxNamespace(TestNamespace owned, ApiServer api)
    {
        (_namespace, Api) = (owned, api);
        Audit = new AuditLog(Cluster, api);
    }

    /// <summary>The administrator's view.</summary>
    public ApiServer Api { get; }

    public AuditLog Audit { get; }

    public TestCluster Cluster => _namespace.Cluster;

    /// <summary>The namespace's name, and that of the RuntimeClass.</summary>
    public string Name => _namespace.Name;

    /// <summary>A kubeconfig of the Managers' account.</summary>
    public string Kubeconfig => Path.Combine(_directory, "kubeconfig");

    /// <summary>The Managers' account as the audit log names it.</summary>
    public string User => $"system:serviceaccount:{Name}:manager";

    /// <summary>The bearer token of the Managers' account.</summary>
    public string Token { get; private set; } = "";

    /// <summary>The path of the namespace's pods.</summary>
    public string Pods => $"{Root}/pods";

    private static IEnumerable<JsonNode?> RulesOfManagersOutside =>
    [
        .. Manifest.Read("k8s/role.yaml")["rules"]!.AsArray(),
        .. Manifest.Read("k8s/proxy-access.yaml", "Role", "kata-manager-proxy")["rules"]!.AsArray(),
    ];

    private string Root => $"/api/v1/namespaces/{Name}";

    private string Rbac => $"/apis/rbac.authorization.k8s.io/v1/namespaces/{Name}";

    /// <param name="cluster">Where.</param>
    /// <param name="nodeSelector">Of the RuntimeClass: where its pods may run.</param>
    public static async Task<SandboxNamespace> CreateAsync(TestCluster cluster, Dictionary<string, string>? nodeSelector = null)
    {
        var created = new SandboxNamespace(await cluster.CreateNamespaceAsync("e2e"), await ApiServer.LoadAsync(cluster));
        var metadata = new { name = created.Name };
        await created.Api.CreateAsync(
            "/apis/node.k8s.io/v1/runtimeclasses",
            nodeSelector is null ? new { metadata, handler = "kata-qemu" } : new { metadata, handler = "kata-qemu", scheduling = new { nodeSelector } });
        await created.CreateAccountAsync();
        return created;
    }

    /// <summary>What kubectl prints, run in this namespace as the administrator.</summary>
    public Task<string> KubectlAsync(params string[] arguments) => _namespace.KubectlAsync(arguments);

    /// <summary><c>kubectl apply -f -</c> in this namespace.</summary>
    public Task<string> ApplyAsync(string manifest) => _namespace.ApplyAsync(manifest);

    /// <summary>The pods that are there.</summary>
    public Task<IReadOnlyList<JsonElement>> ListPodsAsync() => Api.ListAsync(Pods);

    /// <summary>The names of the pods that are there and not being deleted.</summary>
    public async Task<IReadOnlyList<string>> ListLivePodsAsync() =>
    [
        .. (await ListPodsAsync()).Select(pod => pod.GetProperty("metadata")).Where(metadata => !metadata.TryGetProperty("deletionTimestamp", out _))
            .Select(metadata => metadata.GetProperty("name").GetString()!).Order(StringComparer.Ordinal),
    ];

    /// <summary>A quota of so many pods, which is being counted when this returns.</summary>
    public async Task LimitPodsAsync(int limit)
    {
        await Api.CreateAsync($"{Root}/resourcequotas", new { metadata = new { name = "sandboxes" }, spec = new { hard = new Dictionary<string, string> { ["pods"] = $"{limit}" } } });
        await Patience.UntilAsync(
            async () => (await Api.GetAsync($"{Root}/resourcequotas/sandboxes")).TryGetProperty("status", out var status) && status.TryGetProperty("hard", out _),
            () => "The quota is not counted.");
    }

    public async ValueTask DisposeAsync()
    {
        await Api.DeleteAsync($"/apis/node.k8s.io/v1/runtimeclasses/{Name}");
        await Api.DeleteAsync($"{Rbac}/rolebindings/manager");
        await Api.DeleteAsync($"{Rbac}/roles/manager");
        await _namespace.DisposeAsync();
        Api.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task CreateAccountAsync()
    {
        await Api.CreateAsync($"{Root}/serviceaccounts", new { metadata = new { name = "manager" } });
        await Api.CreateAsync($"{Rbac}/roles", new { metadata = new { name = "manager" }, rules = RulesOfManagersOutside });
        await Api.CreateAsync($"{Rbac}/rolebindings", new
        {
            metadata = new { name = "manager" },
            roleRef = new { apiGroup = "rbac.authorization.k8s.io", kind = "Role", name = "manager" },
            subjects = new[] { new { kind = "ServiceAccount", name = "manager", @namespace = Name } },
        });
        var token = await Api.CreateAsync($"{Root}/serviceaccounts/manager/token", new { apiVersion = "authentication.k8s.io/v1", kind = "TokenRequest", spec = new { expirationSeconds = 36_000 } });
        Token = token.GetProperty("status").GetProperty("token").GetString()!;
        await File.WriteAllTextAsync(Kubeconfig, JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Config",
            ["clusters"] = new[] { new { name = "test", cluster = new Dictionary<string, string> { ["server"] = $"{Api.Url}", ["certificate-authority-data"] = Api.CertificateAuthorityData } } },
            ["users"] = new[] { new { name = "manager", user = new { token = Token } } },
            ["contexts"] = new[] { new { name = "test", context = new { cluster = "test", user = "manager", @namespace = Name } } },
            ["current-context"] = "test",
        }));
    }
}
