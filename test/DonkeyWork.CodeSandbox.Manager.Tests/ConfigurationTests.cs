using DonkeyWork.CodeSandbox.Kubernetes;
using DonkeyWork.CodeSandbox.Kubernetes.Executors;
using DonkeyWork.CodeSandbox.Manager.Configuration;
using Microsoft.Extensions.Configuration;

namespace DonkeyWork.CodeSandbox.Manager.Tests;

/// <summary>What the configuration may say. Whatever it may not is told with its key.</summary>
public sealed class ConfigurationTests
{
    [Fact]
    public void Without_any_setting_the_defaults_of_the_contract_hold()
    {
        var options = Read().Options;

        (options.Backend, options.TargetNamespace, options.RuntimeClassName, options.PodNamePrefix, options.ImagePullPolicy, options.ExecutorAccess)
            .ShouldBe((BackendKind.Local, "sandbox-containers", "kata-qemu", "kata-sandbox", ImagePullPolicy.IfNotPresent, ExecutorAccess.Auto));
        (options.PodReadyTimeoutSeconds, options.IdleTimeoutMinutes, options.MaxContainerLifetimeMinutes, options.MaxTotalContainers).ShouldBe((90, 5, 15, 50));
        (options.WarmPoolSize, options.PoolBackfillCheckIntervalSeconds, options.PoolCreateConcurrency).ShouldBe((10, 30, 2));
        (options.LeaderLeaseDurationSeconds, options.CleanupCheckIntervalMinutes, options.CleanupCompletedPods, options.DrainSeconds).ShouldBe((15, 1, true, 30));
        (options.DefaultResourceRequests.MemoryMi, options.DefaultResourceRequests.CpuMillicores).ShouldBe((128, 250));
        (options.DefaultResourceLimits.MemoryMi, options.DefaultResourceLimits.CpuMillicores).ShouldBe((512, 1000));
        (options.MaxResourceLimits.MemoryMi, options.MaxResourceLimits.CpuMillicores).ShouldBe((4096, 4000));
    }

    [Theory]
    [InlineData("PodReadyTimeoutSeconds", 30, 300)]
    [InlineData("IdleTimeoutMinutes", 1, 1440)]
    [InlineData("MaxContainerLifetimeMinutes", 1, 1440)]
    [InlineData("MaxTotalContainers", 1, 10_000)]
    [InlineData("WarmPoolSize", 0, 100)]
    [InlineData("PoolBackfillCheckIntervalSeconds", 10, 300)]
    [InlineData("PoolCreateConcurrency", 1, 50)]
    [InlineData("LeaderLeaseDurationSeconds", 5, 60)]
    [InlineData("CleanupCheckIntervalMinutes", 1, 60)]
    [InlineData("DrainSeconds", 0, 3600)]
    [InlineData("EphemeralStorageLimitMi", 64, 1_048_576)]
    public void A_number_has_a_range(string name, int from, int to)
    {
        var key = $"KataContainerManager:{name}";
        Read((key, $"{from}"));
        Read((key, $"{to}"));
        Refuse((key, $"{from - 1}")).ShouldHaveSingleItem().ShouldBe($"{key}: {from - 1} is not in the range {from} to {to}.");
        Refuse((key, $"{to + 1}")).ShouldHaveSingleItem().ShouldStartWith($"{key}: ");
        Refuse((key, "many")).ShouldHaveSingleItem().ShouldBe($"{key}: 'many' is not a whole number.");
        Refuse((key, "")).ShouldHaveSingleItem().ShouldStartWith($"{key}: ");
    }

    [Theory]
    [InlineData("KataContainerManager:Backend", "Podman")]
    [InlineData("KataContainerManager:Backend", "0")]
    [InlineData("KataContainerManager:Backend", "Docker")]
    [InlineData("KataContainerManager:ImagePullPolicy", "Sometimes")]
    [InlineData("KataContainerManager:ExecutorAccess", "Auto, PodIp")]
    [InlineData("KataContainerManager:CleanupCompletedPods", "yes")]
    [InlineData("KataContainerManager:PodNamePrefix", "Kata")]
    [InlineData("KataContainerManager:PodNamePrefix", "-kata")]
    [InlineData("KataContainerManager:PodNamePrefix", "")]
    [InlineData("KataContainerManager:PodNamePrefix", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("KataContainerManager:TargetNamespace", "a.b")]
    [InlineData("KataContainerManager:DefaultResourceRequests:MemoryMi", "0")]
    [InlineData("KataContainerManager:DefaultResourceRequests:MemoryMi", "513")]
    [InlineData("KataContainerManager:DefaultResourceLimits:CpuMillicores", "4001")]
    [InlineData("KataContainerManager:Connection:ServerUrl", "ftp://cluster.example")]
    [InlineData("KataContainerManager:Connection:SkipTlsVerify", "2")]
    [InlineData("KataContainerManager:DefaultImage", "")]
    [InlineData("KataContainerManager:PodNamePrefix", "")]
    [InlineData("KataContainerManager:TargetNamespace", "")]
    [InlineData("KataContainerManager:RuntimeClassName", "")]
    [InlineData("Local:Runtime", "")]
    [InlineData("Local:StateDirectory", "")]
    [InlineData("Local:RootFs", "")]
    [InlineData("ApiKey", "with space")]
    [InlineData("ApiKey", "schlüssel")]
    public void An_unusable_value_is_told_with_its_key(string key, string value) =>
        Refuse((key, value)).ShouldHaveSingleItem().ShouldStartWith($"{key}: ");

    [Theory]
    [InlineData("sandbox", true)]
    [InlineData("donkeywork/codesandbox-executor:latest", true)]
    [InlineData("registry.example:5000/a/b_c/d__e-f.g:V1.2-x", true)]
    [InlineData("localhost/a", true)]
    [InlineData("[::1]:5000/a:1", true)]
    [InlineData("a@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", true)]
    [InlineData("a:1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", true)]
    [InlineData("A/B", false)]
    [InlineData("a b", false)]
    [InlineData("a:", false)]
    [InlineData(":a", false)]
    [InlineData("a//b", false)]
    [InlineData("/a", false)]
    [InlineData("a:b:c", false)]
    [InlineData("a@sha256:short", false)]
    [InlineData("https://registry.example/a", false)]
    [InlineData("a\n", false)]
    public void The_image_is_an_image_reference(string image, bool isValid)
    {
        if (isValid) Read(("KataContainerManager:DefaultImage", image));
        else Refuse(("KataContainerManager:DefaultImage", image)).ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("urls", "http://127.0.0.1:8668", true)]
    [InlineData("urls", "http://localhost:5000;https://localhost:5001", true)]
    [InlineData("urls", "http://[::1]:80", true)]
    [InlineData("urls", "http://127.8.9.1:80", true)]
    [InlineData("urls", "http://unix:/run/codesandbox.sock", true)]
    [InlineData("urls", "http://0.0.0.0:80", false)]
    [InlineData("urls", "http://*:80", false)]
    [InlineData("urls", "http://+:80", false)]
    [InlineData("urls", "http://[::]:80", false)]
    [InlineData("urls", "http://192.0.2.1:80", false)]
    [InlineData("urls", "http://sandboxes.example:80", false)]
    [InlineData("urls", "http://localhost.example:80", false)]
    [InlineData("urls", "http://localhost:80;http://*:81", false)]
    [InlineData("http_ports", "8080", false)]
    [InlineData("https_ports", "8443", false)]
    [InlineData("Kestrel:Endpoints:Main:Url", "http://0.0.0.0:80", false)]
    [InlineData("Kestrel:Endpoints:Main:Url", "http://127.0.0.1:80", true)]
    public void Without_a_key_only_loopback_is_listened_on(string key, string urls, bool isAllowed)
    {
        if (isAllowed) Read((key, urls));
        else Refuse((key, urls)).ShouldHaveSingleItem().ShouldContain("ApiKey");

        Read((key, urls), ("ApiKey", "secret")).Key.ShouldNotBeNull();
    }

    [Fact]
    public void Sandboxes_of_a_cluster_have_the_shape_of_their_pods_and_local_ones_do_not()
    {
        var secret = ("KataContainerManager:Secret", new string('s', 32));
        var runtimeClass = ("KataContainerManager:RuntimeClassName", "gvisor");
        var kubernetes = ("KataContainerManager:Backend", "Kubernetes");

        Read(kubernetes, secret, runtimeClass).Options.Shape.ShouldNotBe(Read(kubernetes, secret).Options.Shape);
        Read(runtimeClass).Options.Shape.ShouldBe(Read().Options.Shape);
    }

    [Fact]
    public void All_faults_are_told_at_once() =>
        Refuse(
            ("KataContainerManager:WarmPoolSize", "101"),
            ("KataContainerManager:MaxTotalContainers", "many"),
            ("KataContainerManager:DefaultImage", "NO"),
            ("Local:PidsLimit", "1"),
            ("urls", "http://*:80")).Select(fault => fault.Split(": ")[0])
            .ShouldBe(["KataContainerManager:WarmPoolSize", "KataContainerManager:MaxTotalContainers", "KataContainerManager:DefaultImage", "Local:PidsLimit", "urls"], ignoreOrder: true);

    private static ManagerSettings Read(params (string Key, string Value)[] settings) =>
        ManagerSettings.Read(new ConfigurationBuilder().AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value))).Build());

    private static IReadOnlyList<string> Refuse(params (string Key, string Value)[] settings) =>
        Should.Throw<InvalidConfigurationException>(() => Read(settings)).Faults;
}
