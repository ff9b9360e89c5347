using System.Net.Sockets;
using System.Net;
using System.Runtime.InteropServices;
using DonkeyWork.CodeSandbox.Testing.Processes;

namespace DonkeyWork.CodeSandbox.Testing.Clusters;

/// <summary>
/// A network namespace with one way out: a link to the API server, and a route to its address alone. Gone, with the link, when
/// disposed.
/// </summary>
public sealed partial class NetworkNamespace : IAsyncDisposable
{
    private ClusterLink? _link;

    private NetworkNamespace()
    {
    }

    public string Name { get; } = $"codesandbox-{Guid.NewGuid().ToString("N")[..8]}";

    /// <summary>What starts a program in here.</summary>
    public IReadOnlyList<string> Before => ["nsenter", $"--net=/run/netns/{Name}"];

    /// <summary>One that reaches this API server and nothing else.</summary>
    public static async Task<NetworkNamespace> ReachingAsync(IPAddress server)
    {
        var created = new NetworkNamespace();
        await IpAsync("netns", "add", created.Name);
        try
        {
            await IpAsync("-n", created.Name, "link", "set", "lo", "up");
            created._link = await ClusterLink.ToAsync(server, created.Name);
            await IpAsync("-n", created.Name, "route", "add", $"{server}/32", "via", $"{created._link.Server}");
            return created;
        }
        catch
        {
            await created.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc cref="ClusterLink.SilenceAsync"/>
    public Task SilenceAsync() => _link!.SilenceAsync();

    /// <inheritdoc cref="ClusterLink.EndSilenceAsync"/>
    public Task EndSilenceAsync() => _link!.EndSilenceAsync();

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
        if (_link is not null) await _link.DisposeAsync();
        await IpAsync("netns", "del", Name);
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

    private static Task<string> IpAsync(params string[] arguments) => Tool.OutputOfAsync("ip", arguments);

    private const int NetworkNamespaceType = 0x40000000;

    // setns(2)
    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNs(int descriptor, int type);
}
