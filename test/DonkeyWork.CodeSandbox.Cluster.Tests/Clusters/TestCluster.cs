namespace DonkeyWork.CodeSandbox.Cluster.Tests.Clusters;

/// <summary>A cluster that <c>test/cluster/up.sh</c> has started, and where its things are.</summary>
/// <param name="Directory">The cluster's state directory.</param>
/// <param name="Kubeconfig">An administrator's.</param>
/// <param name="HasControllers">Whether anything but the API server works there: a kubelet, a namespace controller.</param>
internal sealed record TestCluster(string Directory, string Kubeconfig, bool HasControllers)
{
    /// <summary>The one with a node, where pods run.</summary>
    public static TestCluster Node()
    {
        var kubeconfig = Setting("CODESANDBOX_TEST_KUBECONFIG", "the kubeconfig of the cluster with a node");
        var file = new FileInfo(kubeconfig);
        return new TestCluster((file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file).DirectoryName!, kubeconfig, HasControllers: true);
    }

    /// <summary>The one that is an API server alone, which tests may kill.</summary>
    public static TestCluster Control()
    {
        var directory = Setting("CODESANDBOX_TEST_CONTROL", "the state directory of the cluster that is an API server alone");
        return new TestCluster(directory, Path.Combine(directory, "kubeconfig"), HasControllers: false);
    }

    /// <summary>What was asked of the API server, as it wrote it down.</summary>
    public string AuditLog => Path.Combine(Directory, "audit.log");

    /// <summary>SIGKILL for the control cluster's API server; what it stored stays.</summary>
    public static Task KillApiServerAsync() => ApiServerAsync("kill");

    /// <summary>The same API server again; it is ready on return.</summary>
    public static Task StartApiServerAsync() => ApiServerAsync("start");

    /// <summary>kubectl as an administrator.</summary>
    public async Task<string> KubectlAsync(params string[] arguments)
    {
        var run = await Tool.RunAsync(Kubectl, ["--kubeconfig", Kubeconfig, .. arguments]);
        run.ExitCode.ShouldBe(0, run.Error);
        return run.Output;
    }

    /// <summary>kubectl, the program.</summary>
    public static string Kubectl => Environment.GetEnvironmentVariable("CODESANDBOX_TEST_KUBECTL") ?? "kubectl";

    private static string Setting(string name, string what) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value
        ? value
        : throw new InvalidOperationException($"{name} must name {what}: run ./test.sh, or start the clusters with test/cluster/up.sh.");

    private static async Task ApiServerAsync(string verb)
    {
        var run = await Tool.RunAsync(Path.Combine(Repository.Root, "test/cluster/apiserver.sh"), "control", verb);
        run.ExitCode.ShouldBe(0, run.Error);
    }
}
