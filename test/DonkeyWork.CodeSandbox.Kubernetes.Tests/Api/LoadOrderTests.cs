using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Connecting;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Api;

/// <summary>Which configuration counts where there are several.</summary>
public sealed class LoadOrderTests : IDisposable
{
    private readonly ConfigurationFiles _files = new();
    private readonly Dictionary<string, string> _variables = [];

    public void Dispose() => _files.Dispose();

    [Fact]
    public void What_is_said_explicitly_comes_first_then_the_pod_we_run_in_then_the_kubeconfig()
    {
        Should.Throw<ClusterConfigurationException>(() => Load(new())).Message.ShouldContain("Connection:ServerUrl");

        Directory.CreateDirectory(Path.Combine(_files.Path, ".kube"));
        var own = _files.WriteKubeconfig("https://own:1", "", "token: x", ".kube/config");
        Load(new()).ShouldBe((new Uri("https://own:1/"), false, $"kubeconfig {own}, context here"));

        var named = _files.WriteKubeconfig("https://named:2", "", "token: x", "named");
        _variables["KUBECONFIG"] = named;
        Load(new()).ShouldBe((new Uri("https://named:2/"), false, $"kubeconfig {named}, context here"));

        _variables["KUBERNETES_SERVICE_HOST"] = "10.96.0.1";
        _variables["KUBERNETES_SERVICE_PORT"] = "443";
        Load(new()).Server.ShouldBe(new Uri("https://named:2/"), "there is no service account yet");
        _files.Write("token", "t");
        _files.Write("ca.crt", File.ReadAllText("/etc/ssl/certs/ca-certificates.crt"));
        Load(new()).ShouldBe((new Uri("https://10.96.0.1:443/"), true, "in-cluster"));
        _variables["KUBERNETES_SERVICE_HOST"] = "fd00::1";
        Load(new()).Server.ShouldBe(new Uri("https://[fd00::1]/"));

        Load(new() { Context = "here" }).Server.ShouldBe(new Uri("https://named:2/"));
        Load(new() { Kubeconfig = own }).Server.ShouldBe(new Uri("https://own:1/"));
        Load(new() { Kubeconfig = own, ServerUrl = "https://said:3/base" }).ShouldBe((new Uri("https://said:3/base/"), false, "Connection"));
        Should.Throw<ClusterConfigurationException>(() => Load(new() { Token = "x" })).Message.ShouldContain("no ServerUrl");
    }

    [Fact]
    public void Of_several_kubeconfigs_the_first_that_says_something_counts()
    {
        var first = _files.Write("first", "contexts: [{name: mine, context: {cluster: c}}]\nclusters: []");
        var second = _files.WriteKubeconfig("https://second:2", "", "token: x", "second");
        _variables["KUBECONFIG"] = $"{first}:{Path.Combine(_files.Path, "missing")}:{second}";
        Load(new()).ShouldBe((new Uri("https://second:2/"), false, $"kubeconfig {first}:{second}, context here"));
        Load(new() { Context = "mine" }).Server.ShouldBe(new Uri("https://second:2/"));
    }

    private (Uri Server, bool IsInCluster, string Source) Load(ConnectionOptions options)
    {
        var environment = new ClusterEnvironment { Variable = name => _variables.GetValueOrDefault(name), ServiceAccountDirectory = _files.Path, HomeDirectory = _files.Path };
        using var connection = ClusterConnection.Load(options, TimeProvider.System, environment);
        return (connection.Server, connection.IsInCluster, connection.Source);
    }
}
