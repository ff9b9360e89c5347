using DonkeyWork.CodeSandbox.Server.Posix;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary>The command that a sandbox was given at its creation: started once, in the background, its output discarded.</summary>
internal sealed partial class StartupCommand(
    IReadOnlyList<string>? arguments, ExecutionRegistry registry, SandboxEnvironment environment, TimeProvider timeProvider, ILogger<StartupCommand> logger)
{
    /// <summary>Runs it to its end. A failed start is logged: nobody is there to be told.</summary>
    public async Task RunAsync()
    {
        if (arguments is not [var program, ..])
            return;
        var variables = environment.For();
        var start = new ProcessStart(Find(program, variables["PATH"]), arguments, variables, environment.HomeDirectory);
        try
        {
            await registry.RunAsync(start, execution => execution.PumpAsync((_, _) => ValueTask.CompletedTask, timeProvider));
        }
        catch (StartFailedException error)
        {
            LogStartFailed(error);
        }
    }

    /// <summary>A name without a slash is looked for along PATH, as a shell does.</summary>
    private static string Find(string program, string path) =>
        program.Contains('/', StringComparison.Ordinal)
            ? program
            : path.Split(':').Select(directory => Path.Combine(directory, program)).FirstOrDefault(File.Exists) ?? program;

    [LoggerMessage(Level = LogLevel.Error, Message = "The startup command could not be started.")]
    private partial void LogStartFailed(Exception error);
}
