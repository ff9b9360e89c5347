using System.Net.Sockets;
using System.Net;
using System.Runtime.InteropServices;
using DonkeyWork.CodeSandbox.Testing.Processes;

namespace DonkeyWork.CodeSandbox.Testing.Clusters;

/// <summary>
/// A network namespace with one way out: a pair of virtual interfaces into the namespace of the API server, and a route to
/// the API server's address alone. Gone, with both interfaces, when disposed.
/// </summary>
public sealed partial class NetworkNamespace : IAsyncDisposable
{
    private const string NoNeighbour = "02:00:00:00:00:99";

    private readonly string _clusterNamespace;
    private readonly string _near;
    private readonly string _far;
    private readonly IPAddress _nearAddress;
    private readonly IPAddress _farAddress;

    private NetworkNamespace(string clusterNamespace)
    {
        _clusterNamespace = clusterNamespace;
        var random = Guid.NewGuid().ToByteArray();
        var id = Convert.ToHexStringLower(random.AsSpan(0, 4));
        (Name, _near, _far) = ($"codesandbox-{id}", $"cs-n{id}", $"cs-f{id}");
        // 10.242.0.0/16 in networks of four addresses: one of 16,384.
        var network = (byte)(random[5] & 0xFC);
        _farAddress = new IPAddress([10, 242, random[4], (byte)(network + 1)]);
        _nearAddress = new IPAddress([10, 242, random[4], (byte)(network + 2)]);
    }

    public string Name { get; }

    /// <summary>What starts a program in here.</summary>
    public IReadOnlyList<string> Before => ["nsenter", $"--net=/run/netns/{Name}"];

    /// <summary>One that reaches this API server and nothing else.</summary>
    public static async Task<NetworkNamespace> ReachingAsync(IPAddress server)
    {
        var created = new NetworkNamespace(await OwnerOfAsync(server));
        try
        {
            await IpAsync("netns", "add", created.Name);
            await created.IpHereAsync("link", "set", "lo", "up");
            await created.IpHereAsync("link", "add", created._near, "type", "veth", "peer", "name", created._far, "netns", created._clusterNamespace);
            await created.IpHereAsync("addr", "add", $"{created._nearAddress}/30", "dev", created._near);
            await created.IpHereAsync("link", "set", created._near, "up");
            await created.IpThereAsync("addr", "add", $"{created._farAddress}/30", "dev", created._far);
            await created.IpThereAsync("link", "set", created._far, "up");
            await created.IpHereAsync("route", "add", $"{server}/32", "via", $"{created._farAddress}");
            return created;
        }
        catch
        {
            await created.DisposeAsync();
            throw;
        }
    }

    /// <summary>From now on every packet disappears, either way, and nobody is told.</summary>
    public async Task SilenceAsync()
    {
        await IpHereAsync("neigh", "replace", $"{_farAddress}", "lladdr", NoNeighbour, "dev", _near, "nud", "permanent");
        await IpThereAsync("neigh", "replace", $"{_nearAddress}", "lladdr", NoNeighbour, "dev", _far, "nud", "permanent");
    }

    /// <summary>Packets go through again.</summary>
    public async Task EndSilenceAsync()
    {
        await IpHereAsync("neigh", "del", $"{_farAddress}", "dev", _near);
        await IpThereAsync("neigh", "del", $"{_nearAddress}", "dev", _far);
    }

    /// <summary>Connects as a program in here would, from this process.</summary>
    public async Task<Socket> ConnectAsync(EndPoint to, CancellationToken cancellationToken)
    {
        var socket = CreateSocket();
        try
        {
            await socket.ConnectAsync(to, cancellationToken);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Sends requests as a program in here would, from this process: 127.0.0.1 is this namespace's own.</summary>
    public SocketsHttpHandler CreateHandler() => new()
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        ResponseDrainTimeout = TimeSpan.Zero,
        ConnectCallback = async (context, stop) => new NetworkStream(await ConnectAsync(context.DnsEndPoint, stop), ownsSocket: true),
    };

    public async ValueTask DisposeAsync()
    {
        // The near interface goes with its namespace, and the far one with the near one.
        await IpAsync("netns", "del", Name);
        await Patience.UntilAsync(
            async () => !(await Tool.RunAsync("ip", "-n", _clusterNamespace, "-o", "link")).Output.Contains(_far, StringComparison.Ordinal),
            () => $"{_far} is still there.");
    }

    /// <summary>The namespace that has this address.</summary>
    private static async Task<string> OwnerOfAsync(IPAddress address)
    {
        var names = (await Tool.RunAsync("ip", "netns", "list")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')[0]);
        foreach (var name in names)
            if ((await Tool.RunAsync("ip", "-n", name, "-o", "addr")).Output.Contains($" {address}/", StringComparison.Ordinal)) return name;
        throw new InvalidOperationException($"No network namespace of this machine has {address}: this test needs the cluster of test/cluster/up.sh.");
    }

    // A socket belongs to the namespace of the thread that makes it, for ever. A thread of its own: no other must find itself here.
    private Socket CreateSocket()
    {
        Socket? socket = null;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                using var handle = File.OpenHandle($"/run/netns/{Name}");
                if (SetNs((int)handle.DangerousGetHandle(), NetworkNamespaceType) != 0) throw new InvalidOperationException($"setns: {Marshal.GetLastPInvokeErrorMessage()}");
                socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        return socket ?? throw new InvalidOperationException($"No socket could be made in {Name}.", failure);
    }

    private Task IpHereAsync(params string[] arguments) => IpAsync(["-n", Name, .. arguments]);

    private Task IpThereAsync(params string[] arguments) => IpAsync(["-n", _clusterNamespace, .. arguments]);

    private static async Task IpAsync(params string[] arguments)
    {
        var run = await Tool.RunAsync("ip", arguments);
        run.ExitCode.ShouldBe(0, $"ip {string.Join(' ', arguments)}: {run.Error}");
    }

    private const int NetworkNamespaceType = 0x40000000;

    // setns(2)
    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNs(int descriptor, int type);
}
