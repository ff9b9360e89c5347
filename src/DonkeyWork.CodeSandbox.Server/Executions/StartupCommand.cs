using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Http;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary>The command that a sandbox was given at its creation: started once, as an execution like any other, without a time limit.</summary>
internal sealed partial class StartupCommand(
    IReadOnlyList<string>? arguments, ExecutionRegistry registry, SandboxEnvironment environment, ILogger<StartupCommand> logger)
{
    /// <summary>The id of its execution.</summary>
    public const string Id = "startup";

    /// <summary>Starts it. A failed start is logged: nobody is there to be told.</summary>
    public async Task RunAsync()
    {
        if (arguments is not [_, ..])
            return;
        try
        {
            var request = new StartExecutionRequest { Id = Id, Argv = arguments };
            await registry.StartAsync(ExecutionPlan.From(request, environment, streams: false) with { Timeout = null });
        }
        catch (RequestException error)
        {
            LogStartFailed(error);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The startup command could not be started.")]
    private partial void LogStartFailed(Exception error);
}
