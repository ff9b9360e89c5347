using System.Net.Http.Headers;
using DonkeyWork.CodeSandbox.Client.Connection;
using DonkeyWork.CodeSandbox.Client.Executions;
using DonkeyWork.CodeSandbox.Client.Terminals;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client;

/// <summary>
/// An executor without a Manager: runs commands in the one sandbox it lives in, at <c>http://host:8666</c>.
/// All members may be used at once from several threads.
/// </summary>
public sealed class ExecutorClient : IAsyncDisposable, IDisposable
{
    private const string ExecuteRoute = $"{Routes.Executor}/execute";

    private readonly ServerConnection _server;
    private readonly SandboxRoute _route;
    private readonly ExecutionStarter _executions;

    /// <summary>A client with connections of its own.</summary>
    /// <param name="address">The executor's, such as <c>http://10.42.1.15:8666</c>.</param>
    /// <param name="options">The token and the timeouts.</param>
    public ExecutorClient(Uri address, ExecutorClientOptions? options = null)
        : this(address, HttpClients.Own([address], options), options)
    {
    }

    /// <summary>A client that sends through an <see cref="HttpClient"/> of the caller's, which is not disposed.</summary>
    /// <param name="address">The executor's.</param>
    /// <param name="httpClient">Sends the requests.</param>
    /// <param name="options">The token and the timeouts.</param>
    public ExecutorClient(Uri address, HttpClient httpClient, ExecutorClientOptions? options = null)
        : this(address, HttpClients.Of(httpClient), options)
    {
    }

    /// <summary>A client that sends through a handler of the caller's, which is not disposed: one that connects to a Unix socket, say.</summary>
    /// <param name="address">The executor's.</param>
    /// <param name="handler">Sends the requests.</param>
    /// <param name="options">The token and the timeouts.</param>
    public ExecutorClient(Uri address, HttpMessageHandler handler, ExecutorClientOptions? options = null)
        : this(address, HttpClients.Over(handler), options)
    {
    }

    private ExecutorClient(Uri address, HttpClients http, ExecutorClientOptions? options)
    {
        options ??= new ExecutorClientOptions();
        _server = new ServerConnection([address], http, options, Authorize);
        _route = new SandboxRoute(_server, Routes.Executor, sandbox: null);
        _executions = new ExecutionStarter(_route);
        Files = new SandboxFiles(_route);

        void Authorize(HttpRequestHeaders headers)
        {
            if (options.Token is { } token)
                headers.Add(ExecutorProtocol.TokenHeader, token);
        }
    }

    /// <inheritdoc cref="Sandbox.Files"/>
    public SandboxFiles Files { get; }

    /// <inheritdoc cref="Sandbox.RunAsync"/>
    public Task<RunResult> RunAsync(string command, RunOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new RunOptions();
        return OutputCollector.CollectAsync(ExecuteAsync(command, options, cancellationToken), options.MaxOutputCharacters, cancellationToken);
    }

    /// <inheritdoc cref="Sandbox.ExecuteAsync"/>
    public IAsyncEnumerable<ExecutionEvent> ExecuteAsync(
        string command, ExecuteOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(command);
        return CommandEvents.ReadAsync(
            _server,
            ExecuteRoute,
            (options ?? new ExecuteOptions()).ToRequest(command),
            // Nobody else can be asked what became of the sandbox.
            static (interrupted, _) => Task.FromResult(interrupted),
            cancellationToken);
    }

    /// <inheritdoc cref="Sandbox.StartAsync(string, StartOptions?, CancellationToken)"/>
    public Task<Execution> StartAsync(string command, StartOptions? options = null, CancellationToken cancellationToken = default) =>
        _executions.StartAsync(command, options, cancellationToken);

    /// <inheritdoc cref="Sandbox.StartAsync(IReadOnlyList{string}, StartOptions?, CancellationToken)"/>
    public Task<Execution> StartAsync(IReadOnlyList<string> argv, StartOptions? options = null, CancellationToken cancellationToken = default) =>
        _executions.StartAsync(argv, options, cancellationToken);

    /// <inheritdoc cref="Sandbox.GetExecution"/>
    public Execution GetExecution(string id) => _executions.Get(id);

    /// <inheritdoc cref="Sandbox.ListExecutionsAsync"/>
    public Task<IReadOnlyList<ExecutionState>> ListExecutionsAsync(CancellationToken cancellationToken = default) =>
        _executions.ListAsync(cancellationToken);

    /// <inheritdoc cref="Sandbox.OpenTerminalAsync"/>
    public Task<Terminal> OpenTerminalAsync(TerminalOptions? options = null, CancellationToken cancellationToken = default) =>
        new TerminalRoute(_route, options ?? new TerminalOptions()).OpenAsync(cancellationToken);

    /// <summary>Closes the client's connections.</summary>
    public void Dispose() => _server.Dispose();

    /// <inheritdoc cref="Dispose"/>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }
}
