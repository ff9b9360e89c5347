using System.Text.Json.Nodes;

namespace DonkeyWork.CodeSandbox.Cluster.Tests.Installation;

/// <summary>
/// The cluster that runs pods, for a test that installs into it as the README says. Afterwards it is as it was before; one
/// that has an installation is not touched.
/// </summary>
public sealed class InstallableCluster : IAsyncDisposable
{
    /// <summary>The installation is two Managers, a sandbox, and a namespace that goes.</summary>
    public static readonly TimeSpan Limit = Patience.Limit * 2;

    private readonly string _runtimeClass;
    private readonly string _programs = Directory.CreateTempSubdirectory("codesandbox-readme-").FullName;

    private InstallableCluster(TestCluster cluster, string runtimeClass)
    {
        (Cluster, _runtimeClass) = (cluster, runtimeClass);
        // The README says kubectl.
        if (Environment.GetEnvironmentVariable("CODESANDBOX_TEST_KUBECTL") is { Length: > 0 } kubectl)
            File.CreateSymbolicLink(Path.Combine(_programs, "kubectl"), kubectl);
    }

    public TestCluster Cluster { get; }

    /// <summary>With the README's kubectl on this cluster.</summary>
    public IReadOnlyDictionary<string, string> Variables => new Dictionary<string, string>
    {
        ["KUBECONFIG"] = Cluster.Kubeconfig,
        ["PATH"] = $"{_programs}:{Environment.GetEnvironmentVariable("PATH")}",
    };

    public static async Task<InstallableCluster> FindAsync()
    {
        var cluster = TestCluster.Node;
        foreach (var (kind, name) in new[] { ("deployment", "kata-manager-api"), ("secret", "kata-manager"), ("serviceaccount", "kata-manager"), ("namespace", "sandbox-containers") })
        {
            (await cluster.KubectlAsync("-n", "default", "get", kind, name, "--ignore-not-found")).ShouldBeEmpty(
                $"The cluster of CODESANDBOX_TEST_KUBECONFIG has a {kind} {name}: this test installs and removes it, so it needs a cluster without.");
        }

        return new InstallableCluster(cluster, await cluster.KubectlAsync("get", "runtimeclass", "kata-qemu", "--ignore-not-found", "-o", "json"));
    }

    public Task<string> KubectlAsync(params string[] arguments) => Cluster.KubectlAsync(arguments);

    /// <summary>Applies <c>k8s/</c>, as the README does.</summary>
    public Task<string> ApplyAsync() => KubectlAsync("apply", "-k", Path.Combine(Repository.Root, "k8s"));

    /// <summary>The Managers' pods.</summary>
    public async Task<IReadOnlyList<JsonNode>> ManagersAsync() =>
        [.. JsonNode.Parse(await KubectlAsync("-n", "default", "get", "pods", "-l", "app=kata-manager-api", "-o", "json"))!["items"]!.AsArray().OfType<JsonNode>()];

    public async ValueTask DisposeAsync()
    {
        await ShownCommands.In(ShownCommands.Section("docs/kubernetes.md", "Removing it"), "sh")
            .RunAsync(command => command.Replace("delete ", "delete --ignore-not-found ", StringComparison.Ordinal), Variables, Limit);
        await KubectlAsync("-n", "default", "delete", "--ignore-not-found", "serviceaccount", "kata-manager-outside");
        await Patience.UntilAsync(async () => (await ManagersAsync()).Count == 0, () => "The Managers' pods are still there.");
        if (_runtimeClass.Length > 0) await Cluster.KubectlWithInputAsync(WithoutHistory(_runtimeClass), "apply", "-f", "-");
        Directory.Delete(_programs, recursive: true);
    }

    private static string WithoutHistory(string json)
    {
        var item = JsonNode.Parse(json)!;
        foreach (var field in (string[])["uid", "resourceVersion", "creationTimestamp", "managedFields", "annotations"]) item["metadata"]!.AsObject().Remove(field);
        return item.ToJsonString();
    }
}
