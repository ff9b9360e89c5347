namespace DonkeyWork.CodeSandbox.Testing.Clusters;

/// <summary>A namespace for one test or class, deleted with everything in it.</summary>
public sealed class TestNamespace : IAsyncDisposable
{
    private TestNamespace(TestCluster cluster, string name) => (Cluster, Name) = (cluster, name);

    public TestCluster Cluster { get; }

    public string Name { get; }

    internal static async Task<TestNamespace> CreateAsync(TestCluster cluster, string prefix)
    {
        var created = new TestNamespace(cluster, $"{prefix}-{Guid.NewGuid().ToString("N")[..8]}");
        await cluster.KubectlAsync("create", "namespace", created.Name);
        if (cluster.RunsPods) await created.WaitForServiceAccountAsync();
        return created;
    }

    /// <summary>What kubectl prints, run in this namespace.</summary>
    public Task<string> KubectlAsync(params string[] arguments) => Cluster.KubectlAsync(["--namespace", Name, .. arguments]);

    /// <summary><c>kubectl apply -f -</c> in this namespace.</summary>
    public Task<string> ApplyAsync(string manifest) => Cluster.KubectlWithInputAsync(manifest, "--namespace", Name, "apply", "-f", "-");

    public async ValueTask DisposeAsync()
    {
        // One request for all: kubectl would delete thousands of them one by one.
        await Cluster.KubectlAsync("delete", "--raw", $"/api/v1/namespaces/{Name}/pods?gracePeriodSeconds={(Cluster.RunsPods ? 1 : 0)}");
        if (Cluster.RunsPods)
        {
            await Cluster.KubectlAsync("delete", "namespace", Name, $"--timeout={Patience.Limit.TotalSeconds:0}s");
            return;
        }

        await EmptyAsync();
        await Cluster.KubectlAsync("delete", "namespace", Name, "--wait=false");
        await LetGoAsync();
    }

    // A namespace is usable before its service account is there, but pods are refused until then. kubectl 1.20 cannot wait
    // for what does not exist yet, so the API server is asked whether it would take a pod.
    private Task WaitForServiceAccountAsync() => Patience.UntilAsync(
        async () => (await Cluster.TryKubectlAsync("--namespace", Name, "run", "probe", "--image=none", "--dry-run=server")).ExitCode == 0,
        () => $"No pod can be made in {Name}.");

    // An API server alone has no controllers that empty a namespace and let go of it.
    private async Task EmptyAsync()
    {
        foreach (var path in (string[])["/api/v1/namespaces/{0}/resourcequotas", "/api/v1/namespaces/{0}/serviceaccounts", "/api/v1/namespaces/{0}/secrets", "/apis/coordination.k8s.io/v1/namespaces/{0}/leases"])
        {
            await Cluster.KubectlAsync("delete", "--raw", path.Replace("{0}", Name, StringComparison.Ordinal));
        }
    }

    private Task<string> LetGoAsync() => Cluster.KubectlWithInputAsync(
        $$$"""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"{{{Name}}}"},"spec":{"finalizers":[]}}""",
        "replace", "--raw", $"/api/v1/namespaces/{Name}/finalize", "-f", "-");
}
