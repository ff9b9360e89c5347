using System.Net;
using System.Text.Json.Nodes;

namespace DonkeyWork.CodeSandbox.Cluster.Tests.Manifests;

/// <summary>What the policy says of addresses, worked out as https://kubernetes.io/docs/concepts/services-networking/network-policies/ defines it.</summary>
public sealed class NetworkPolicyTests
{
    private static readonly JsonNode Spec = Manifest.Read("k8s/networkpolicy.yaml")["spec"]!;

    [Theory]
    [InlineData("1.1.1.1")]
    [InlineData("151.101.2.132")]
    [InlineData("223.255.255.254")]
    [InlineData("2606:4700:4700::1111")]
    public void The_internet_can_be_called(string address) => IsLetOut(Spec, address).ShouldBeTrue();

    [Theory]
    [InlineData("10.96.0.1", "services")]
    [InlineData("10.244.0.7", "pods")]
    [InlineData("172.16.0.1", "a private network")]
    [InlineData("172.31.255.254", "a private network")]
    [InlineData("192.168.1.1", "a private network")]
    [InlineData("100.64.0.1", "shared by a provider")]
    [InlineData("169.254.169.254", "a cloud's metadata")]
    [InlineData("127.0.0.1", "loopback")]
    [InlineData("0.0.0.0", "this host")]
    [InlineData("224.0.0.1", "multicast")]
    [InlineData("255.255.255.255", "broadcast")]
    [InlineData("fd00:ec2::254", "a cloud's metadata")]
    [InlineData("fc00::1", "a private network")]
    [InlineData("fe80::1", "link-local")]
    [InlineData("ff02::1", "multicast")]
    [InlineData("::1", "loopback")]
    [InlineData("64:ff9b::a9fe:a9fe", "a cloud's metadata, translated")]
    [InlineData("2002:a9fe:a9fe::1", "a cloud's metadata, tunnelled")]
    public void Nothing_private_can_be_called(string address, string what)
    {
        IsLetOut(Spec, address).ShouldBeFalse(what);

        // It is the block's bounds that keep it in.
        var without = Spec.DeepClone();
        foreach (var block in Blocks(without))
        {
            block["cidr"] = $"{block["cidr"]}".Contains(':', StringComparison.Ordinal) ? "::/0" : "0.0.0.0/0";
            block["except"] = new JsonArray([.. block["except"].Texts().Where(range => !IPNetwork.Parse(range).Contains(IPAddress.Parse(address))).Select(range => (JsonNode)range)]);
        }

        IsLetOut(without, address).ShouldBeTrue(what);
    }

    [Fact]
    public void Every_exception_is_part_of_what_it_is_taken_from()
    {
        foreach (var block in Blocks(Spec))
        {
            var whole = IPNetwork.Parse($"{block["cidr"]}");
            foreach (var range in block["except"].Texts().Select(IPNetwork.Parse))
                (whole.Contains(range.BaseAddress) && range.PrefixLength > whole.PrefixLength).ShouldBeTrue($"{range}");
        }
    }

    [Fact]
    public void Only_DNS_is_asked_of_the_cluster()
    {
        var rule = Spec["egress"]!.AsArray().Where(rule => rule!["to"]!.AsArray().Any(peer => peer!["ipBlock"] is null)).ShouldHaveSingleItem()!;
        rule["to"]!.AsArray().ShouldHaveSingleItem()!["podSelector"]!.ToJsonString().ShouldBe("""{"matchLabels":{"k8s-app":"kube-dns"}}""");
        rule["ports"]!.AsArray().Select(port => $"{port!["protocol"]} {port["port"]}").ShouldBe(["UDP 53", "TCP 53"]);
    }

    [Fact]
    public void Only_Managers_call_and_only_executors()
    {
        Spec["podSelector"]!.AsObject().ShouldBeEmpty();
        Spec["policyTypes"].Texts().ShouldBe(["Ingress", "Egress"]);
        var rule = Spec["ingress"]!.AsArray().ShouldHaveSingleItem()!;
        var peer = rule["from"]!.AsArray().ShouldHaveSingleItem()!;
        peer["podSelector"]!["matchLabels"]!.ToJsonString().ShouldBe(Manifest.Read("k8s/deployment.yaml")["spec"]!["template"]!["metadata"]!["labels"]!.ToJsonString());
        peer["namespaceSelector"]!.ToJsonString().ShouldBe("""{"matchLabels":{"kubernetes.io/metadata.name":"default"}}""");
        var port = rule["ports"]!.AsArray().ShouldHaveSingleItem()!;
        (port["port"]!.GetValue<int>(), $"{port["protocol"]}").ShouldBe((Contracts.ExecutorProtocol.DefaultPort, "TCP"));
    }

    private static IEnumerable<JsonNode> Blocks(JsonNode spec) =>
        spec["egress"]!.AsArray().SelectMany(rule => rule!["to"]!.AsArray()).Select(peer => peer!["ipBlock"]).OfType<JsonNode>();

    private static bool IsLetOut(JsonNode spec, string text)
    {
        var address = IPAddress.Parse(text);
        return Blocks(spec).Any(block => IPNetwork.Parse($"{block["cidr"]}").Contains(address) && !block["except"].Texts().Any(range => IPNetwork.Parse(range).Contains(address)));
    }
}
