using DonkeyWork.CodeSandbox.Local.Host;
using DonkeyWork.CodeSandbox.Local.State;
using DonkeyWork.CodeSandbox.Testing.Backends;
using Microsoft.Extensions.Logging.Abstractions;

namespace DonkeyWork.CodeSandbox.Local.Tests;

/// <summary>
/// A backend in a process of its own, for tests that need another user, or one that is killed: creates a sandbox, runs
/// a command in it, prints what came of it, and goes on until its standard input ends.
/// </summary>
internal static class Program
{
    public const int Refused = 3;

    public static async Task<int> Main(string[] arguments)
    {
        var (directory, executor, allowUnlimited, command) = (arguments[0], arguments[1], bool.Parse(arguments[2]), arguments[3]);
        using var state = StateDirectory.Open(directory);
        await using var backend = new LocalBackend(
            new LocalOptions { StateDirectory = directory, ExecutorDirectory = executor, AllowUnlimited = allowUnlimited },
            state, TimeProvider.System, NullLogger<LocalBackend>.Instance);
        try
        {
            await backend.StartAsync(CancellationToken.None);
        }
        catch (HostRequirementsException missing)
        {
            await Console.Out.WriteLineAsync(missing.Message);
            return Refused;
        }

        var sandbox = await backend.CreateReadyAsync();
        var (_, _, output) = await backend.RunAsync(sandbox, command);
        await Console.Out.WriteLineAsync($"{sandbox.Name} {sandbox.LimitsEnforced} {output}");
        await Console.In.ReadToEndAsync();
        await backend.StopAsync(CancellationToken.None);
        return 0;
    }
}
