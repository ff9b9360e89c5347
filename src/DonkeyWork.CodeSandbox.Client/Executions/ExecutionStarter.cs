using DonkeyWork.CodeSandbox.Client.Connection;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client.Executions;

/// <summary>Starts executions in a sandbox, and finds those that are there.</summary>
internal sealed class ExecutionStarter(SandboxRoute sandbox)
{
    // What a start that nobody waits for any more may still take to be undone.
    private static readonly TimeSpan UndoTimeout = TimeSpan.FromSeconds(10);

    public Task<Execution> StartAsync(string command, StartOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(command);
        options ??= new StartOptions();
        return StartAsync(options, options.ToRequest(command, argv: null), cancellationToken);
    }

    public Task<Execution> StartAsync(IReadOnlyList<string> argv, StartOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(argv);
        options ??= new StartOptions();
        return StartAsync(options, options.ToRequest(command: null, argv), cancellationToken);
    }

    public Execution Get(string id) => new(new ExecutionRoute(sandbox, ExecutionRoute.RequireId(id)), state: null, mayBeHeld: true, mayHaveTerminal: true);

    public Task<IReadOnlyList<ExecutionState>> ListAsync(CancellationToken cancellationToken) =>
        sandbox.AskAsync<IReadOnlyList<ExecutionState>>(new Call(HttpMethod.Get, sandbox.To(ExecutionRoute.All)), cancellationToken);

    private async Task<Execution> StartAsync(StartOptions options, StartExecutionRequest request, CancellationToken cancellationToken)
    {
        var route = new ExecutionRoute(sandbox, request.Id!);
        var call = new Call(HttpMethod.Post, sandbox.To(ExecutionRoute.All)) { Content = ServerConnection.JsonOf(request) };
        var sent = false;
        try
        {
            var state = await sandbox.PersistAsync(
                async (limit, token) =>
                {
                    try
                    {
                        return await sandbox.Server.AskAsync<ExecutionState>(call, limit, token).ConfigureAwait(false);
                    }
                    finally
                    {
                        sent = true;
                    }
                },
                cancellationToken).ConfigureAwait(false);
            if (state.Id != request.Id)
                throw new CodeSandboxException(ClientErrorCodes.UnexpectedResponse, $"{sandbox.Server.Name} answered with another execution than was asked for.");
            return new Execution(route, state, mayBeHeld: request.Overflow == OverflowPolicy.Wait, mayHaveTerminal: request.Pty is not null);
        }
        catch (OperationCanceledException) when (sent && options.Id is null)
        {
            // It may run, and nobody else knows its id.
            await UndoAsync(route).ConfigureAwait(false);
            throw;
        }
    }

    private async Task UndoAsync(ExecutionRoute route)
    {
        using var limit = new CancellationTokenSource(UndoTimeout, sandbox.Options.TimeProvider);
        try
        {
            using var answer = await sandbox.Server.OpenAsync(route.Delete(), UndoTimeout, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is CodeSandboxException or OperationCanceledException or ObjectDisposedException)
        {
            // It was never started, or cannot be reached; its timeout ends it.
        }
    }
}
