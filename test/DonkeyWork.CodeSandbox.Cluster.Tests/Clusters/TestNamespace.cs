using System.Text.Json;

namespace DonkeyWork.CodeSandbox.Cluster.Tests.Clusters;

/// <summary>
/// A namespace of a test's own, with a RuntimeClass without overhead and an account for Managers that has the rights which
/// <c>k8s/</c> gives to those outside of the cluster, and no other. Everything is gone when disposed.
/// </summary>
internal sealed class TestNamespace : IAsyncDisposable
{
    private readonly string _directory = System.IO.Directory.CreateTempSubdirectory("codesandbox-e2e-").FullName;

    private TestNamespace(TestCluster cluster, ApiServer api) => (Cluster, Api, Audit) = (cluster, api, new AuditLog(cluster, api));

    public TestCluster Cluster { get; }

    public ApiServer Api { get; }

    public AuditLog Audit { get; }

    /// <summary>The namespace's name, and that of the RuntimeClass.</summary>
    public string Name { get; } = $"e2e-{Guid.NewGuid():N}"[..12];

    /// <summary>A kubeconfig of the Managers' account.</summary>
    public string Kubeconfig => Path.Combine(_directory, "kubeconfig");

    /// <summary>The Managers' account as the audit log names it.</summary>
    public string User => $"system:serviceaccount:{Name}:manager";

    /// <summary>The bearer token of the Managers' account.</summary>
    public string Token { get; private set; } = "";

    /// <summary>The path of the namespace's pods.</summary>
    public string Pods => $"{Root}/pods";

    private string Root => $"/api/v1/namespaces/{Name}";

    private string Rbac => $"/apis/rbac.authorization.k8s.io/v1/namespaces/{Name}";

    /// <param name="cluster">Where.</param>
    /// <param name="nodeSelector">Of the RuntimeClass: where its pods may run.</param>
    public static async Task<TestNamespace> CreateAsync(TestCluster cluster, object? nodeSelector = null)
    {
        var created = new TestNamespace(cluster, await ApiServer.LoadAsync(cluster.Kubeconfig));
        var metadata = new { name = created.Name };
        await created.Api.CreateAsync("/api/v1/namespaces", new { metadata });
        await created.Api.CreateAsync(
            "/apis/node.k8s.io/v1/runtimeclasses",
            nodeSelector is null ? new { metadata, handler = "kata-qemu" } : new { metadata, handler = "kata-qemu", scheduling = new { nodeSelector } });
        await created.CreateAccountAsync();
        if (cluster.HasControllers) await created.WaitForDefaultAccountAsync();
        return created;
    }

    /// <summary>The pods that are there.</summary>
    public Task<IReadOnlyList<JsonElement>> ListPodsAsync() => Api.ListAsync(Pods);

    /// <summary>A quota as <c>k8s/resourcequota.yaml</c> has it, with this limit; counted when this returns.</summary>
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
        if (!Cluster.HasControllers) await EmptyAsync();
        await Api.DeleteAsync(Root);
        if (!Cluster.HasControllers) await Api.PutAsync($"{Root}/finalize", new { apiVersion = "v1", kind = "Namespace", metadata = new { name = Name }, spec = new { finalizers = Array.Empty<string>() } });
        await Patience.UntilAsync(async () => await Api.FindAsync(Root) is null, () => $"The namespace {Name} does not go.");
        Api.Dispose();
        System.IO.Directory.Delete(_directory, recursive: true);
    }

    // What the namespace controller does, where there is none.
    private async Task EmptyAsync()
    {
        foreach (var collection in (string[])[Pods, $"{Root}/serviceaccounts", $"{Root}/resourcequotas", $"/apis/coordination.k8s.io/v1/namespaces/{Name}/leases", $"{Rbac}/roles", $"{Rbac}/rolebindings"])
            await Api.DeleteAsync(collection, graceSeconds: 0);
    }

    private async Task CreateAccountAsync()
    {
        await Api.CreateAsync($"{Root}/serviceaccounts", new { metadata = new { name = "manager" } });
        await Api.CreateAsync($"{Rbac}/roles", new { metadata = new { name = "manager" }, rules = Rules });
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

    private static readonly object[] Rules =
    [
        Rule("", "pods", "get", "list", "watch", "create", "patch", "delete"),
        Rule("", "pods/proxy", "get", "create", "update", "patch", "delete"),
        Rule("", "resourcequotas", "get", "list", "watch"),
        Rule("coordination.k8s.io", "leases", "get", "list", "watch", "create", "patch"),
    ];

    private static object Rule(string group, string resource, params string[] verbs) => new { apiGroups = new[] { group }, resources = new[] { resource }, verbs };

    // Before there is one, the API server refuses every pod of the namespace.
    private Task WaitForDefaultAccountAsync() => Patience.UntilAsync(
        async () => await Api.FindAsync($"{Root}/serviceaccounts/default") is not null,
        () => $"The namespace {Name} gets no ServiceAccount.");
}
