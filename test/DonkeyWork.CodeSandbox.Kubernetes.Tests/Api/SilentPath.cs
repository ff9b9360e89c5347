using System.Net;
using DonkeyWork.CodeSandbox.Testing.Clusters;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Api;

/// <summary>A second way from this machine to the API server, of this test alone, on which packets can be made to disappear.</summary>
internal sealed class SilentPath : IAsyncDisposable
{
    private const string NoNeighbour = "02:00:00:00:00:99";

    private readonly string _clusterNamespace;
    private readonly string _near;
    private readonly string _far;
    private readonly IPAddress _nearAddress;

    private SilentPath(string clusterNamespace)
    {
        _clusterNamespace = clusterNamespace;
        var random = Guid.NewGuid().ToByteArray();
        (_near, _far) = ($"cs-p{Convert.ToHexStringLower(random.AsSpan(0, 4))}", $"cs-q{Convert.ToHexStringLower(random.AsSpan(0, 4))}");
        // 10.243.0.0/16 in networks of four addresses.
        var network = (byte)(random[5] & 0xFC);
        (Server, _nearAddress) = (new IPAddress([10, 243, random[4], (byte)(network + 1)]), new IPAddress([10, 243, random[4], (byte)(network + 2)]));
    }

    /// <summary>The API server at the end of it.</summary>
    public IPAddress Server { get; }

    public static async Task<SilentPath> ToAsync(Uri server)
    {
        var path = new SilentPath(await NamespaceOfAsync(server.Host));
        await IpAsync("link", "add", path._near, "type", "veth", "peer", "name", path._far, "netns", path._clusterNamespace);
        await IpAsync("addr", "add", $"{path._nearAddress}/30", "dev", path._near);
        await IpAsync("link", "set", path._near, "up");
        await IpAsync("-n", path._clusterNamespace, "addr", "add", $"{path.Server}/30", "dev", path._far);
        await IpAsync("-n", path._clusterNamespace, "link", "set", path._far, "up");
        return path;
    }

    /// <summary>From now on every packet disappears, either way, and nobody is told: it goes to a neighbour that is not there.</summary>
    public async Task SilenceAsync()
    {
        await IpAsync("neigh", "replace", $"{Server}", "lladdr", NoNeighbour, "dev", _near, "nud", "permanent");
        await IpAsync("-n", _clusterNamespace, "neigh", "replace", $"{_nearAddress}", "lladdr", NoNeighbour, "dev", _far, "nud", "permanent");
    }

    /// <summary>Packets go through again.</summary>
    public async Task EndSilenceAsync()
    {
        await IpAsync("neigh", "del", $"{Server}", "dev", _near);
        await IpAsync("-n", _clusterNamespace, "neigh", "del", $"{_nearAddress}", "dev", _far);
    }

    public async ValueTask DisposeAsync() => await IpAsync("link", "del", _near);

    private static async Task<string> NamespaceOfAsync(string address)
    {
        foreach (var line in (await IpAsync("netns", "list")).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var name = line.Split(' ')[0];
            if ((await IpAsync("-n", name, "-o", "addr")).Contains($" {address}/", StringComparison.Ordinal)) return name;
        }

        throw new InvalidOperationException($"No network namespace of this machine has {address}: this test needs the cluster of test/cluster/up.sh control.");
    }

    private static Task<string> IpAsync(params string[] arguments) => HostProgram.RunAsync("ip", arguments);
}
