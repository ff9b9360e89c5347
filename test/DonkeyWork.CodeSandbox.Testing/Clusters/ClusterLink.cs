using System.Net;
using DonkeyWork.CodeSandbox.Testing.Processes;

namespace DonkeyWork.CodeSandbox.Testing.Clusters;

/// <summary>
/// A way to the API server of this test alone, on which packets can be made to disappear: a pair of virtual interfaces, the far
/// one in the API server's network namespace. Gone, with both, when disposed.
/// </summary>
public sealed class ClusterLink : IAsyncDisposable
{
    private const string NoNeighbour = "02:00:00:00:00:99";

    private readonly string[] _here;
    private readonly string[] _there;
    private readonly string _near;
    private readonly string _far;
    private readonly IPAddress _nearAddress;

    private ClusterLink(string[] here, string[] there)
    {
        (_here, _there) = (here, there);
        var random = Guid.NewGuid().ToByteArray();
        var id = Convert.ToHexStringLower(random.AsSpan(0, 4));
        (_near, _far) = ($"cs-n{id}", $"cs-f{id}");
        // 10.242.0.0/16 in networks of four addresses: one of 16,384.
        var network = (byte)(random[5] & 0xFC);
        (Server, _nearAddress) = (new IPAddress([10, 242, random[4], (byte)(network + 1)]), new IPAddress([10, 242, random[4], (byte)(network + 2)]));
    }

    /// <summary>The API server at the end of it.</summary>
    public IPAddress Server { get; }

    /// <param name="server">An address of the API server.</param>
    /// <param name="from">The network namespace where it begins; <see langword="null"/>: this machine's.</param>
    public static async Task<ClusterLink> ToAsync(IPAddress server, string? from = null)
    {
        var link = new ClusterLink(from is null ? [] : ["-n", from], ["-n", await OwnerOfAsync(server)]);
        await link.IpHereAsync("link", "add", link._near, "type", "veth", "peer", "name", link._far, "netns", link._there[1]);
        try
        {
            await link.IpHereAsync("addr", "add", $"{link._nearAddress}/30", "dev", link._near);
            await link.IpHereAsync("link", "set", link._near, "up");
            await link.IpThereAsync("addr", "add", $"{link.Server}/30", "dev", link._far);
            await link.IpThereAsync("link", "set", link._far, "up");
            return link;
        }
        catch
        {
            await link.DisposeAsync();
            throw;
        }
    }

    /// <summary>From now on every packet disappears, either way, and nobody is told: it goes to a neighbour that is not there.</summary>
    public async Task SilenceAsync()
    {
        await IpHereAsync("neigh", "replace", $"{Server}", "lladdr", NoNeighbour, "dev", _near, "nud", "permanent");
        await IpThereAsync("neigh", "replace", $"{_nearAddress}", "lladdr", NoNeighbour, "dev", _far, "nud", "permanent");
    }

    /// <summary>Packets go through again.</summary>
    public async Task EndSilenceAsync()
    {
        await IpHereAsync("neigh", "del", $"{Server}", "dev", _near);
        await IpThereAsync("neigh", "del", $"{_nearAddress}", "dev", _far);
    }

    // The far interface goes with the near one.
    public async ValueTask DisposeAsync() => await IpHereAsync("link", "del", _near);

    /// <summary>The network namespace that has this address.</summary>
    private static async Task<string> OwnerOfAsync(IPAddress address)
    {
        foreach (var line in (await IpAsync("netns", "list")).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            // One that ends meanwhile is not the cluster's.
            var name = line.Split(' ')[0];
            if ((await Tool.RunAsync("ip", "-n", name, "-o", "addr")).Output.Contains($" {address}/", StringComparison.Ordinal)) return name;
        }

        throw new InvalidOperationException($"No network namespace of this machine has {address}: this test needs the cluster of test/cluster/up.sh.");
    }

    private Task<string> IpHereAsync(params string[] arguments) => IpAsync([.. _here, .. arguments]);

    private Task<string> IpThereAsync(params string[] arguments) => IpAsync([.. _there, .. arguments]);

    private static Task<string> IpAsync(params string[] arguments) => Tool.OutputOfAsync("ip", arguments);
}
