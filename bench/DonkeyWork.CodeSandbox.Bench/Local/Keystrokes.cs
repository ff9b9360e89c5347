using System.Diagnostics;
using System.Net.WebSockets;

namespace DonkeyWork.CodeSandbox.Bench.Local;

/// <summary>A key until its echo is there: through WebSocket, Manager, executor and the terminal, beside <c>runc exec -t</c>.</summary>
internal static class Keystrokes
{
    private const int Keys = 200;

    public static async Task<IReadOnlyList<Row>> RunAsync(LocalBench bench)
    {
        await using var sandbox = await bench.Client.CreateAsync();
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new UriBuilder(bench.Http.BaseAddress!) { Scheme = "ws", Path = $"/api/kata/{sandbox.Name}/terminal", Query = "command=cat" }.Uri, CancellationToken.None);
        // script(1) is the terminal on the host that runc exec -t wants.
        var line = $"runc {string.Join(' ', bench.ExecIn(sandbox.Name)[..^1])} -t {sandbox.Name} cat";
        using var exec = Process.Start(new ProcessStartInfo("script", ["-qfec", line, "/dev/null"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        var (input, output) = (exec.StandardInput.BaseStream, exec.StandardOutput.BaseStream);
        var (ours, other) = (new Samples(), new Samples());
        var key = new byte[1];
        var echo = new byte[4096];
        for (var i = 0; i < Keys; i++)
        {
            key[0] = (byte)('a' + (i % 26));
            ours.Add(await Measure.TimeAsync(async () =>
            {
                await socket.SendAsync(key, WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);
                while (echo.AsSpan(0, (await socket.ReceiveAsync(echo, CancellationToken.None)).Count).IndexOf(key) < 0)
                {
                }
            }));
            other.Add(await Measure.TimeAsync(async () =>
            {
                await input.WriteAsync(key);
                await input.FlushAsync();
                while (echo.AsSpan(0, await output.ReadAsync(echo)).IndexOf(key) < 0)
                {
                }
            }));
        }

        socket.Abort();
        exec.Kill(entireProcessTree: true);
        await exec.WaitForExitAsync();
        return [Row.OfTimes("a key until its echo", ours, "`runc exec -t`", other, "–")];
    }
}
