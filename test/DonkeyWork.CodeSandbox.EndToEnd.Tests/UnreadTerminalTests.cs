using System.Globalization;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using DonkeyWork.CodeSandbox.Client;

namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

/// <summary>Somebody who is at a terminal and does not read.</summary>
[Collection(SharedManagerCollection.Name)]
public sealed class UnreadTerminalTests(SharedManager shared)
{
    /// <summary>Its numbers take 71 MB.</summary>
    private const string Numbers = "seq 9000000";

    /// <summary>What is kept for a reader, and what is on its way, with room to spare.</summary>
    private const long MostTaken = 40_000_000;

    private const int MostManagerKilobytes = 40 * 1024;
    private const int MostExecutorKilobytes = 64 * 1024;

    [Fact]
    public async Task What_runs_in_it_is_held_but_nobody_else_and_every_byte_comes_in_order_once_it_is_read()
    {
        await using var sandbox = await shared.Client.CreateAsync();
        var manager = HostProcess.TryRead(shared.Manager.Pid)!;
        // What others made it take is not this one's (proc(5), clear_refs).
        await File.WriteAllTextAsync($"/proc/{manager.Pid}/clear_refs", "5");
        var before = manager.MostResidentKilobytes;
        using var terminal = await ConnectAsync(sandbox, $"stty raw; {Numbers}; exit 5");

        (await HeldAsync(sandbox.Name)).ShouldBeLessThan(MostTaken);

        await AnotherGoesOnAsync(sandbox);
        (await sandbox.RunAsync("echo runs")).StandardOutput.ShouldBe("runs\n");
        await sandbox.Files.WriteTextAsync("file", "written");
        (await sandbox.Files.ReadTextAsync("file")).ShouldBe("written");
        // Again, and by then not only slow: whatever there is of buffers is full.
        (await HeldAsync(sandbox.Name)).ShouldBeLessThan(MostTaken);

        (await HashAsync(terminal)).ShouldBe((await Tool.OutputOfAsync("/bin/bash", ["-c", $"{Numbers} | sha256sum"]))[..64]);
        terminal.CloseStatusDescription.ShouldBe("5");
        (manager.MostResidentKilobytes - before).ShouldBeLessThan(MostManagerKilobytes);
        HostProcesses.ExecutorOf(sandbox.Name).MostResidentKilobytes.ShouldBeLessThan(MostExecutorKilobytes);
    }

    [Fact]
    public async Task Control__one_that_nobody_is_at_is_not_held()
    {
        await using var sandbox = await shared.Client.CreateAsync();
        using (var terminal = await ConnectAsync(sandbox, $"stty raw; {Numbers}; touch done; exec sleep 1000", "&execution=left"))
            await HeldAsync(sandbox.Name);

        await Patience.UntilAsync(
            async () => await sandbox.Files.ExistsAsync("done"), () => "It is still held.");
    }

    private static async Task AnotherGoesOnAsync(Sandbox sandbox)
    {
        await using var other = await sandbox.OpenTerminalAsync(new TerminalOptions { Command = "stty -echo; echo here; read -r line; echo [$line]" });
        using var shown = new StreamReader(other.Output);
        (await shown.ReadLineAsync().WaitAsync(Patience.Limit)).ShouldBe("here");
        await other.WriteAsync("typed\r");
        (await shown.ReadLineAsync().WaitAsync(Patience.Limit)).ShouldBe("[typed]");
    }

    /// <summary>Its socket takes little that nobody reads.</summary>
    private async Task<ClientWebSocket> ConnectAsync(Sandbox sandbox, string command, string query = "")
    {
        using var http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            ConnectCallback = async (to, cancellationToken) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 64 * 1024, NoDelay = true };
                await socket.ConnectAsync(to.DnsEndPoint, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        var terminal = new ClientWebSocket();
        using var patience = new CancellationTokenSource(Patience.Limit);
        var path = $"/api/kata/{sandbox.Name}/terminal?command={Uri.EscapeDataString(command)}{query}";
        await terminal.ConnectAsync(new UriBuilder(new Uri(shared.Manager.Url, path)) { Scheme = "ws" }.Uri, http, patience.Token);
        return terminal;
    }

    /// <summary>Waits until the program waits in the kernel and has written nothing more for a while; how much it has.</summary>
    private static async Task<long> HeldAsync(string sandbox)
    {
        const int same = 25;
        (int Pid, long Written) last = default;
        var count = 0;
        await Patience.UntilAsync(
            () =>
            {
                var program = HostProcesses.CommandsOf(sandbox).FirstOrDefault(process => process.CommandLine.StartsWith("seq ", StringComparison.Ordinal));
                var now = program is { State: 'S' } ? (program.Pid, BytesWritten(program.Pid)) : default;
                count = now == last && now.Pid > 0 ? count + 1 : 0;
                last = now;
                return count >= same;
            },
            () => "It is not held.");
        return last.Written;
    }

    private static long BytesWritten(int pid) => long.Parse(
        File.ReadLines($"/proc/{pid}/io").First(line => line.StartsWith("wchar:", StringComparison.Ordinal))[6..], CultureInfo.InvariantCulture);

    private static async Task<string> HashAsync(ClientWebSocket terminal)
    {
        using var patience = new CancellationTokenSource(Patience.Limit);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[64 * 1024];
        while (await terminal.ReceiveAsync(buffer.AsMemory(), patience.Token) is { MessageType: WebSocketMessageType.Binary } read)
            hash.AppendData(buffer, 0, read.Count);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
