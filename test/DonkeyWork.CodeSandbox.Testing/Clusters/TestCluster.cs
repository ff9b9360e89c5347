using DonkeyWork.CodeSandbox.Testing.Processes;

namespace DonkeyWork.CodeSandbox.Testing.Clusters;

/// <summary>A cluster to test against, with kubectl as the witness that is not the code under test.</summary>
public class TestCluster
{
    private const string HowTo = "./test.sh starts the clusters and runs every suite; test/cluster/up.sh starts them alone.";

    private protected TestCluster(string kubeconfig, bool runsPods)
    {
        Kubeconfig = File.Exists(kubeconfig) ? kubeconfig : throw new FileNotFoundException($"There is no kubeconfig {kubeconfig}. {HowTo}");
        RunsPods = runsPods;
    }

    /// <summary>The cluster that runs pods: <c>CODESANDBOX_TEST_KUBECONFIG</c>. It may be somebody's own.</summary>
    public static TestCluster Node => new(Variable("CODESANDBOX_TEST_KUBECONFIG"), runsPods: true);

    public string Kubeconfig { get; }

    /// <summary>Whether there are controllers and a kubelet, and not an API server alone.</summary>
    public bool RunsPods { get; }

    private static string KubectlProgram { get; } =
        Environment.GetEnvironmentVariable("CODESANDBOX_TEST_KUBECTL") is { Length: > 0 } path ? path : "kubectl";

    /// <summary>What kubectl prints; a failure is an exception with its words.</summary>
    public Task<string> KubectlAsync(params string[] arguments) => KubectlWithInputAsync(null, arguments);

    /// <summary>The same with a manifest on standard input (<c>apply -f -</c>).</summary>
    public Task<string> KubectlWithInputAsync(string? input, params string[] arguments) =>
        Tool.OutputOfAsync(KubectlProgram, ["--kubeconfig", Kubeconfig, .. arguments], input);

    /// <summary>How it ends, well or not.</summary>
    public Task<Tool> TryKubectlAsync(params string[] arguments) => Tool.RunAsync(KubectlProgram, ["--kubeconfig", Kubeconfig, .. arguments]);

    /// <summary>Kills the API server, and returns when another one is ready in its place. Only of the clusters of <c>test/cluster</c>.</summary>
    public async Task RestartApiServerAsync()
    {
        await ApiServerAsync("kill");
        await ApiServerAsync("start");
    }

    private protected Task<string> ApiServerAsync(string verb) =>
        Tool.OutputOfAsync(Path.Combine(Repository.Root, "test/cluster/apiserver.sh"), [RunsPods ? "node" : "control", verb]);

    /// <summary>A namespace of the test's own, ready for pods.</summary>
    public Task<TestNamespace> CreateNamespaceAsync(string prefix) => TestNamespace.CreateAsync(this, prefix);

    private protected static string Variable(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : throw new InvalidOperationException($"{name} is not set. {HowTo}");
}
