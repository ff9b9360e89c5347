using System.Diagnostics;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Local.Tests;

/// <summary><see cref="Program"/> as a process, perhaps another user's.</summary>
internal sealed class OtherProcess : IAsyncDisposable
{
    private readonly Process _process;

    private OtherProcess(Process process) => _process = process;

    public int Pid => _process.Id;

    public static OtherProcess Start(string directory, bool allowUnlimited, string command, uint? user = null, string? programs = null)
    {
        programs ??= AppContext.BaseDirectory;
        var executor = user is null ? Repository.Executor : Path.Combine(programs, "executor");
        // With the strictest umask: what sandboxes need to reach must not depend on it.
        var start = new ProcessStartInfo("/bin/bash")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            WorkingDirectory = "/",
        };
        foreach (var argument in (string[])
            [
                "-c", "umask 077; exec \"$@\"", "bash",
                .. user is null ? (string[])[] : ["setpriv", "--reuid", $"{user}", "--regid", $"{user}", "--clear-groups"],
                "dotnet", Path.Combine(programs, typeof(Program).Assembly.GetName().Name + ".dll"), directory, executor, $"{allowUnlimited}", command,
            ])
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["HOME"] = Path.GetDirectoryName(directory);
        return new OtherProcess(Process.Start(start)!);
    }

    /// <summary>The sandbox's name, whether its limits are enforced, and what the command printed.</summary>
    public async Task<string> SaysAsync()
    {
        using var limit = new CancellationTokenSource(Patience.Limit);
        return await _process.StandardOutput.ReadLineAsync(limit.Token) ?? throw new InvalidOperationException("It has ended and said nothing.");
    }

    /// <summary>Everything it says, and its exit code.</summary>
    public async Task<(int ExitCode, string Output)> EndAsync()
    {
        _process.StandardInput.Close();
        using var limit = new CancellationTokenSource(Patience.Limit);
        var output = await _process.StandardOutput.ReadToEndAsync(limit.Token);
        await _process.WaitForExitAsync(limit.Token);
        return (_process.ExitCode, output);
    }

    public void Kill() => _process.Kill();

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
    }
}
