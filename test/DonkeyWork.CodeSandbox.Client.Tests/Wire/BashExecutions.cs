using System.Diagnostics;
using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace DonkeyWork.CodeSandbox.Client.Tests.Wire;

/// <summary>Runs executions with this machine's bash, for the README's own commands and no others.</summary>
internal static class BashExecutions
{
    public static void Start(FakeExecution execution, JsonElement request)
    {
        var argv = request.TryGetProperty("argv", out var given)
            ? [.. given.EnumerateArray().Select(a => a.GetString()!)]
            : new[] { "/bin/bash", "-c", request.GetProperty("command").GetString()! };
        var start = new ProcessStartInfo(argv[0]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in argv[1..])
            start.ArgumentList.Add(argument);

        var process = Process.Start(start)!;
        execution.Start();
        if (!request.TryGetProperty("stdin", out _))
            process.StandardInput.Close();
        execution.OnInput = async bytes =>
        {
            await process.StandardInput.BaseStream.WriteAsync(bytes);
            await process.StandardInput.BaseStream.FlushAsync();
        };
        execution.OnInputEnd = process.StandardInput.Close;
        execution.OnSignal = _ => process.Kill(entireProcessTree: true);
        _ = FollowAsync(execution, process);
    }

    /// <summary>A terminal for a command that neither looks at what it has nor shows anything.</summary>
    public static async Task TerminalAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var start = new ProcessStartInfo("/bin/bash") { RedirectStandardInput = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(context.Request.Query["command"].ToString());
        using var process = Process.Start(start)!;
        var typed = new byte[1024];
        var received = await socket.ReceiveAsync(typed.AsMemory(), context.RequestAborted);
        await process.StandardInput.WriteAsync(Encoding.UTF8.GetString(typed, 0, received.Count).Replace('\r', '\n'));
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, process.ExitCode.ToString(CultureInfo.InvariantCulture), context.RequestAborted);
    }

    private static async Task FollowAsync(FakeExecution execution, Process process)
    {
        using (process)
        {
            await Task.WhenAll(PumpAsync(process.StandardOutput.BaseStream, 1), PumpAsync(process.StandardError.BaseStream, 2));
            await process.WaitForExitAsync();
            execution.Exit(process.ExitCode);
        }

        async Task PumpAsync(Stream from, byte channel)
        {
            var buffer = new byte[65_536];
            while (await from.ReadAsync(buffer) is var count and > 0)
                execution.Log.Add(channel, buffer.AsSpan(0, count));
        }
    }
}
