using System.Net.Sockets;
using System.Text;

namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

/// <summary>A caller who is refused in the middle of a body, and neither sends the rest of it nor goes.</summary>
[Collection(SharedManagerCollection.Name)]
public sealed class RefusedBodyTests(SharedManager shared)
{
    /// <summary>Of 1/100 s (proc_pid_stat(5), fields 14 and 15): whoever turns in a circle takes a thousand until the connection ends.</summary>
    private const long MostTicks = 250;

    [Fact]
    public async Task It_is_answered_and_waited_for_without_work_until_the_connection_is_closed()
    {
        await using var sandbox = await shared.Client.CreateAsync();
        (await sandbox.RunAsync("true")).ExitCode.ShouldBe(0);
        int[] pids = [shared.Manager.Pid, HostProcesses.ExecutorOf(sandbox.Name).Pid];
        var before = pids.Select(Ticks).ToArray();

        using var caller = new TcpClient();
        await caller.ConnectAsync(shared.Manager.Url.Host, shared.Manager.Url.Port);
        var stream = caller.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"PUT /api/kata/{sandbox.Name}/files?path=/proc/version HTTP/1.1\r\nHost: {shared.Manager.Url.Authority}\r\nContent-Length: 10000000\r\n\r\n{new string('x', 100_000)}"));
        var answer = await ReadToEndAsync(stream);

        answer.ShouldStartWith("HTTP/1.1 403 ");
        answer.ShouldContain("\"code\":\"forbidden\"");
        pids.Select(Ticks).Zip(before, (now, then) => now - then).ShouldAllBe(ticks => ticks < MostTicks);
    }

    private static async Task<string> ReadToEndAsync(NetworkStream stream)
    {
        using var patience = new CancellationTokenSource(Patience.Limit);
        var all = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            while (await stream.ReadAsync(buffer, patience.Token) is var count and > 0)
                all.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }
        catch (IOException)
        {
            // Reset: there was something unread.
        }

        return all.ToString();
    }

    private static long Ticks(int pid)
    {
        var stat = File.ReadAllText($"/proc/{pid}/stat");
        var afterName = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return long.Parse(afterName[14 - 3], null) + long.Parse(afterName[15 - 3], null);
    }
}
