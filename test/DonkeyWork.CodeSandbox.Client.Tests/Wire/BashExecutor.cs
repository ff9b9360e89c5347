using System.Diagnostics;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace DonkeyWork.CodeSandbox.Client.Tests.Wire;

/// <summary>Plays the executor with this machine's bash, for the README's own commands and no others.</summary>
internal static class BashExecutor
{
    public static async Task AnswerAsync(HttpContext context)
    {
        context.Request.Body.Position = 0;
        using var request = await JsonDocument.ParseAsync(context.Request.Body);
        var start = new ProcessStartInfo("/bin/bash") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(request.RootElement.GetProperty("command").GetString()!);
        if (request.RootElement.TryGetProperty("workingDirectory", out var directory))
            start.WorkingDirectory = directory.GetString();
        start.Environment["GREETING"] = "hello";
        if (request.RootElement.TryGetProperty("environment", out var environment))
        {
            foreach (var variable in environment.EnumerateObject())
                start.Environment[variable.Name] = variable.Value.GetString();
        }

        using var process = Process.Start(start)!;
        Sse.Begin(context);
        while (await process.StandardOutput.ReadLineAsync() is { } line)
            await Sse.WriteAsync(context, Sse.Output(line));
        while (await process.StandardError.ReadLineAsync() is { } line)
            await Sse.WriteAsync(context, Sse.Output(line, "Stderr"));
        await process.WaitForExitAsync();
        await Sse.WriteAsync(context, Sse.Completed(process.ExitCode));
    }
}
