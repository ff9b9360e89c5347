using DonkeyWork.CodeSandbox.Client.Connection;
using DonkeyWork.CodeSandbox.Client.Executions;
using DonkeyWork.CodeSandbox.Client.Terminals;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client;

/// <summary>
/// One sandbox. Disposing it deletes it where this client created or claimed it, and does nothing where it was attached to.
/// All members may be used at once from several threads.
/// </summary>
public sealed class Sandbox : IAsyncDisposable
{
    private readonly CodeSandboxClient _client;
    private readonly SandboxRoute _route;
    private readonly ExecutionStarter _executions;
    private int _keep;

    internal Sandbox(CodeSandboxClient client, string name, bool deleteOnDispose)
    {
        _client = client;
        Name = name;
        _route = new SandboxRoute(client.Server, Routes.Sandbox(name), name);
        _executions = new ExecutionStarter(_route);
        Files = new SandboxFiles(_route);
        _keep = deleteOnDispose ? 0 : 1;
    }

    /// <summary>The sandbox's name.</summary>
    public string Name { get; }

    /// <summary>Its files.</summary>
    public SandboxFiles Files { get; }

    /// <summary>The sandbox as the Manager shows it now.</summary>
    /// <exception cref="SandboxNotFoundException">It is gone.</exception>
    public Task<SandboxInfo> GetInfoAsync(CancellationToken cancellationToken = default) => _client.GetAsync(Name, cancellationToken);

    /// <summary>Runs a command to its end and returns what it printed. Any exit code is a result, not an exception.</summary>
    /// <param name="command">Given to <c>/bin/bash -c</c> as one argument, byte for byte; at most 131,071 bytes of UTF-8.</param>
    /// <param name="options">Timeout, working directory, environment, and how much output to keep.</param>
    /// <param name="cancellationToken">Ends the command and everything it started.</param>
    /// <exception cref="OutputTooLargeException">It printed more than is to be kept; it has been ended.</exception>
    /// <exception cref="SandboxLostException">The sandbox went away in the middle.</exception>
    /// <exception cref="InterruptedException">The connection broke; how the command ended is unknown.</exception>
    /// <exception cref="SandboxNotFoundException">There is no such sandbox.</exception>
    /// <exception cref="SandboxNotReadyException">It is still being created.</exception>
    /// <exception cref="InvalidRequestException">An option is out of range.</exception>
    /// <exception cref="CodeSandboxException">Anything else, by its code.</exception>
    public Task<RunResult> RunAsync(string command, RunOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new RunOptions();
        return OutputCollector.CollectAsync(ExecuteAsync(command, options, cancellationToken), options.MaxOutputCharacters, cancellationToken);
    }

    /// <summary>
    /// Runs a command and yields what it prints, line by line as it comes, then exactly one <see cref="CompletedEvent"/>.
    /// The command starts with the enumeration, each enumeration anew. Leaving the loop early ends the command, and so does
    /// cancelling; a loop that is slow holds the command, as a full pipe would.
    /// </summary>
    /// <inheritdoc cref="RunAsync" path="/exception[not(contains(@cref, 'OutputTooLarge'))]"/>
    /// <param name="command">Given to <c>/bin/bash -c</c> as one argument, byte for byte; at most 131,071 bytes of UTF-8.</param>
    /// <param name="options">Timeout, working directory, environment.</param>
    /// <param name="cancellationToken">Ends the command and everything it started.</param>
    public IAsyncEnumerable<ExecutionEvent> ExecuteAsync(
        string command, ExecuteOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(command);
        return CommandEvents.ReadAsync(
            _client.Server, $"{Routes.Sandbox(Name)}/execute", (options ?? new ExecuteOptions()).ToRequest(command), _route.ExplainAsync, cancellationToken);
    }

    /// <summary>
    /// Starts a process that needs nobody: it runs on when the caller, the connection or the Manager goes. The start is safe to
    /// repeat, and is repeated where its answer is lost, for <see cref="ConnectionOptions.ReconnectTimeout"/>: it stays one process.
    /// </summary>
    /// <param name="command">Given to <c>/bin/bash -c</c> as one argument, byte for byte; at most 131,071 bytes of UTF-8.</param>
    /// <param name="options">Its id, directory, environment, timeout, input, terminal, and how its output is kept.</param>
    /// <param name="cancellationToken">
    /// Gives it up. Unless <see cref="StartOptions.Id"/> was given, what was started by then is deleted, which takes at most 10 s.
    /// Once the start is over it does nothing: see <see cref="Execution.KillAsync"/>.
    /// </param>
    /// <exception cref="ExecutionExistsException">The id belongs to another command.</exception>
    /// <exception cref="ExecutionDeletedException">The id belonged to an execution that was deleted.</exception>
    /// <exception cref="InterruptedException">The connection broke each time; whether it runs is unknown.</exception>
    /// <exception cref="SandboxNotFoundException">There is no such sandbox, or not any more.</exception>
    /// <exception cref="SandboxNotReadyException">It is still being created.</exception>
    /// <exception cref="InvalidRequestException">An option is out of range.</exception>
    /// <exception cref="CodeSandboxException">Anything else, by its code, such as <see cref="ErrorCodes.StartFailed"/>.</exception>
    public Task<Execution> StartAsync(string command, StartOptions? options = null, CancellationToken cancellationToken = default) =>
        _executions.StartAsync(command, options, cancellationToken);

    /// <summary>The same without a shell.</summary>
    /// <inheritdoc cref="StartAsync(string, StartOptions?, CancellationToken)"/>
    /// <param name="argv">The program and its arguments; a name without a slash is looked for along the command's PATH.</param>
    /// <param name="options">Its id, directory, environment, timeout, input, terminal, and how its output is kept.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    public Task<Execution> StartAsync(IReadOnlyList<string> argv, StartOptions? options = null, CancellationToken cancellationToken = default) =>
        _executions.StartAsync(argv, options, cancellationToken);

    /// <summary>
    /// A handle on an execution by its id, whoever has started it, such as <c>startup</c>. Nothing is sent: one that is not there
    /// shows at first use.
    /// </summary>
    public Execution GetExecution(string id) => _executions.Get(id);

    /// <summary>Every execution that was started here and not deleted, those that have ended too; a list of more than 64 MiB is refused.</summary>
    public Task<IReadOnlyList<ExecutionState>> ListExecutionsAsync(CancellationToken cancellationToken = default) =>
        _executions.ListAsync(cancellationToken);

    /// <summary>
    /// Opens a terminal: a login shell in the user's home, or the command that is asked for. Where its name is that of a terminal that is
    /// there, it is attached to, and begins with what that showed last.
    /// </summary>
    /// <param name="options">Its name, command and size.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <returns>The terminal; disposing it hangs up.</returns>
    /// <exception cref="ExecutionExistsException">The name belongs to another command.</exception>
    /// <exception cref="SandboxNotFoundException">There is no such sandbox, or not any more.</exception>
    /// <exception cref="InvalidRequestException">An option is out of range.</exception>
    /// <exception cref="CodeSandboxException">Anything else, by its code.</exception>
    public Task<Terminal> OpenTerminalAsync(TerminalOptions? options = null, CancellationToken cancellationToken = default) =>
        new TerminalRoute(_route, options ?? new TerminalOptions()).OpenAsync(cancellationToken);

    /// <summary>Keeps the sandbox although nothing uses it; never past its maximum lifetime.</summary>
    /// <param name="time">For how long from now, in whole seconds rounded up: zero (it counts as used just now) to a day.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The sandbox with its new <see cref="SandboxInfo.ExpiresAt"/>.</returns>
    /// <exception cref="SandboxNotFoundException">It is gone.</exception>
    /// <exception cref="InvalidRequestException">The time is out of range.</exception>
    public Task<SandboxInfo> KeepAliveAsync(TimeSpan time, CancellationToken cancellationToken = default)
    {
        var seconds = (int)Math.Clamp(Math.Ceiling(time.TotalSeconds), int.MinValue, int.MaxValue);
        return _client.Server.AskAsync<KeepAliveRequest, SandboxInfo>(
            $"{Routes.Sandbox(Name)}/keepalive", new KeepAliveRequest { Seconds = seconds }, _client.Options.RequestTimeout, cancellationToken);
    }

    /// <summary>Deletes the sandbox with everything in it. Disposing does nothing afterwards.</summary>
    /// <exception cref="SandboxNotFoundException">It is gone already.</exception>
    public async Task DeleteAsync(CancellationToken cancellationToken = default)
    {
        await _client.DeleteAsync(Name, cancellationToken).ConfigureAwait(false);
        Interlocked.Exchange(ref _keep, 1);
    }

    /// <summary>
    /// Deletes the sandbox where this client created or claimed it. Never throws and takes at most
    /// <see cref="CodeSandboxClientOptions.CleanupTimeout"/>: a sandbox that could not be deleted goes when nothing
    /// has used it for the Manager's <c>IdleTimeoutMinutes</c>.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _keep, 1) == 0)
            await _client.TryDeleteAsync(Name).ConfigureAwait(false);
    }
}
