using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace DonkeyWork.CodeSandbox.Testing.Services;

/// <summary>How a connection is cut.</summary>
public enum Cut
{
    /// <summary>As a program closes it: FIN, in the middle of whatever was under way.</summary>
    Finish,

    /// <summary>As a machine that is gone answers: RST.</summary>
    Reset,
}

/// <summary>
/// An address of loopback that stays, and passes bytes on to whoever is behind it at the moment, until it cuts them off. It holds
/// little: what it has taken and not passed on counts as on its way.
/// </summary>
public sealed class CuttingRelay : IAsyncDisposable
{
    private const int BufferBytes = 64 * 1024;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Connection, byte> _open = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _accepting;
    private int _cuts;

    public CuttingRelay()
    {
        _listener.Start();
        Address = new Uri($"http://{_listener.LocalEndpoint}");
        _accepting = AcceptAsync();
    }

    public Uri Address { get; }

    /// <summary>Who is behind it; <see langword="null"/>: nobody, and whoever connects is cut off at once.</summary>
    public Uri? Target { get; set; }

    /// <summary>After how many bytes of answers a connection is cut; <see langword="null"/>: never.</summary>
    public long? CutAfterBytes { get; set; }

    /// <summary>How connections are cut.</summary>
    public Cut How { get; set; } = Cut.Reset;

    /// <summary>How many were cut.</summary>
    public int Cuts => Volatile.Read(ref _cuts);

    /// <summary>How many bytes of answers the connections that are open now have had.</summary>
    public long BytesOfOpen => _open.Keys.Sum(connection => connection.Answered);

    /// <summary>Cuts all that are open; how many they were.</summary>
    public int CutAll() => _open.Keys.Count(connection => CutOne(connection));

    /// <summary>Cuts all that are open, again and again, one time with RST and the next with FIN.</summary>
    public async Task CutEveryAsync(TimeSpan interval, CancellationToken until)
    {
        using var tick = new PeriodicTimer(interval);
        try
        {
            while (await tick.WaitForNextTickAsync(until))
            {
                CutAll();
                How = How == Cut.Reset ? Cut.Finish : Cut.Reset;
            }
        }
        catch (OperationCanceledException)
        {
            // That is how it ends.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        _listener.Stop();
        await _accepting;
        CutAll();
        await Patience.UntilAsync(() => _open.IsEmpty, () => "The relay's connections do not end.");
        _ending.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket caller;
            try
            {
                caller = await _listener.AcceptSocketAsync(_ending.Token);
            }
            catch (Exception stopped) when (stopped is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }

            var connection = new Connection(caller, new Socket(SocketType.Stream, ProtocolType.Tcp));
            _open[connection] = 0;
            _ = ServeAsync(connection);
        }
    }

    /// <summary>Owned by <see cref="_open"/>, which a disposal waits for.</summary>
    private async Task ServeAsync(Connection connection)
    {
        try
        {
            var whole = Target is { } target
                && await connection.PassAsync(new DnsEndPoint(target.Host, target.Port), answered => CutAfterBytes is not { } limit || answered < limit);
            if (!whole) CutOne(connection);
        }
        finally
        {
            connection.Close(Cut.Finish);
            _open.TryRemove(connection, out _);
        }
    }

    private bool CutOne(Connection connection)
    {
        if (!connection.Close(How)) return false;
        Interlocked.Increment(ref _cuts);
        return true;
    }

    private sealed class Connection(Socket caller, Socket server)
    {
        private int _closed;
        private long _answered;

        public long Answered => Volatile.Read(ref _answered);

        /// <summary>Until an end has closed, or enough was answered; whether it was the first.</summary>
        public async Task<bool> PassAsync(EndPoint target, Func<long, bool> goesOn)
        {
            try
            {
                foreach (var socket in (Socket[])[caller, server]) (socket.NoDelay, socket.SendBufferSize, socket.ReceiveBufferSize) = (true, BufferBytes, BufferBytes);
                await server.ConnectAsync(target);
                // Ends at the latest when the sockets are closed. A caller who will say no more still has an answer coming.
                _ = CopyAsync(caller, server, _ => true);
                return await CopyAsync(server, caller, bytes => goesOn(Interlocked.Add(ref _answered, bytes)));
            }
            catch (Exception over) when (over is SocketException or ObjectDisposedException)
            {
                // One end is gone, or it was cut.
                return true;
            }
        }

        /// <summary>Whether this call closed it.</summary>
        public bool Close(Cut how)
        {
            if (Interlocked.Exchange(ref _closed, 1) != 0) return false;
            foreach (var socket in (Socket[])[caller, server])
            {
                if (how == Cut.Reset) socket.LingerState = new LingerOption(true, 0);
                socket.Dispose();
            }

            return true;
        }

        /// <summary>Whether it came to the end of what there was.</summary>
        private static async Task<bool> CopyAsync(Socket from, Socket to, Func<int, bool> goesOn)
        {
            var buffer = new byte[BufferBytes];
            while (await from.ReceiveAsync(buffer) is > 0 and var read)
            {
                for (var sent = 0; sent < read;) sent += await to.SendAsync(buffer.AsMemory(sent, read - sent));
                if (!goesOn(read)) return false;
            }

            to.Shutdown(SocketShutdown.Send);
            return true;
        }
    }
}
