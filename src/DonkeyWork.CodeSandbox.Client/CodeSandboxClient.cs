using System.Net.Http.Headers;
using DonkeyWork.CodeSandbox.Client.Connection;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client;

/// <summary>
/// A Manager: creates sandboxes, hands out warm ones, finds them, deletes them. One client serves a whole application; all members may be used
/// at once from several threads, and any number of commands may run at once, each on a connection of its own.
/// </summary>
public sealed class CodeSandboxClient : IAsyncDisposable, IDisposable
{
    /// <summary>A client with connections of its own: HTTP/1.1, no redirects, no cookies, as many at once as are used.</summary>
    /// <param name="address">The Manager's, such as <c>http://127.0.0.1:8668</c>; a path is kept as a prefix.</param>
    /// <param name="options">The key and the timeouts.</param>
    public CodeSandboxClient(Uri address, CodeSandboxClientOptions? options = null)
        : this([address], options)
    {
    }

    /// <summary>
    /// The same for several Managers of the same sandboxes. One that cannot be reached or cannot serve is left for the next:
    /// executions go on there by themselves.
    /// </summary>
    /// <param name="addresses">The Managers', the one to begin with first.</param>
    /// <param name="options">The key and the timeouts.</param>
    public CodeSandboxClient(IReadOnlyList<Uri> addresses, CodeSandboxClientOptions? options = null)
        : this(addresses, HttpClients.Own(addresses, options), options)
    {
    }

    /// <summary>
    /// A client that sends through an <see cref="HttpClient"/> of the caller's, which is not disposed. Its timeout, headers and
    /// handlers apply; set its handler's <see cref="SocketsHttpHandler.ResponseDrainTimeout"/> to zero for commands to end
    /// the moment that their stream is left (otherwise it takes up to 2 s).
    /// </summary>
    /// <param name="address">The Manager's; the HttpClient's own base address is not used.</param>
    /// <param name="httpClient">Sends the requests.</param>
    /// <param name="options">The key and the timeouts.</param>
    public CodeSandboxClient(Uri address, HttpClient httpClient, CodeSandboxClientOptions? options = null)
        : this([address], httpClient, options)
    {
    }

    /// <inheritdoc cref="CodeSandboxClient(Uri, HttpClient, CodeSandboxClientOptions)"/>
    /// <param name="addresses">The Managers', the one to begin with first.</param>
    /// <param name="httpClient">Sends the requests.</param>
    /// <param name="options">The key and the timeouts.</param>
    public CodeSandboxClient(IReadOnlyList<Uri> addresses, HttpClient httpClient, CodeSandboxClientOptions? options = null)
        : this(addresses, HttpClients.Of(httpClient), options)
    {
    }

    /// <summary>A client that sends through a handler of the caller's, which is not disposed.</summary>
    /// <inheritdoc cref="CodeSandboxClient(Uri, HttpClient, CodeSandboxClientOptions)" path="/summary"/>
    /// <param name="address">The Manager's.</param>
    /// <param name="handler">Sends the requests.</param>
    /// <param name="options">The key and the timeouts.</param>
    public CodeSandboxClient(Uri address, HttpMessageHandler handler, CodeSandboxClientOptions? options = null)
        : this([address], handler, options)
    {
    }

    /// <summary>A client that sends through a handler of the caller's, which is not disposed.</summary>
    /// <inheritdoc cref="CodeSandboxClient(Uri, HttpClient, CodeSandboxClientOptions)" path="/summary"/>
    /// <param name="addresses">The Managers', the one to begin with first.</param>
    /// <param name="handler">Sends the requests.</param>
    /// <param name="options">The key and the timeouts.</param>
    public CodeSandboxClient(IReadOnlyList<Uri> addresses, HttpMessageHandler handler, CodeSandboxClientOptions? options = null)
        : this(addresses, HttpClients.Over(handler), options)
    {
    }

    private CodeSandboxClient(IReadOnlyList<Uri> addresses, HttpClients http, CodeSandboxClientOptions? options)
    {
        Options = options ?? new CodeSandboxClientOptions();
        Server = new ServerConnection(addresses, http, Options, Authorize);
    }

    internal CodeSandboxClientOptions Options { get; }

    internal ServerConnection Server { get; }

    /// <summary>
    /// Creates a sandbox and waits until it takes commands. Where the wait fails or is cancelled, what was created is deleted.
    /// </summary>
    /// <param name="options">What it is to be.</param>
    /// <param name="cancellationToken">
    /// Gives it up. The task ends once the sandbox is deleted, at most twice <see cref="CodeSandboxClientOptions.CleanupTimeout"/> later.
    /// </param>
    /// <returns>The sandbox; disposing it deletes it.</returns>
    /// <exception cref="LimitReachedException">There are as many as the operator allows.</exception>
    /// <exception cref="InvalidRequestException">Some fields are wrong.</exception>
    /// <exception cref="CreationFailedException">It did not become ready.</exception>
    /// <exception cref="InterruptedException">The connection broke before it was ready.</exception>
    /// <exception cref="CodeSandboxException">Anything else, by its code.</exception>
    public async Task<Sandbox> CreateAsync(CreateSandboxOptions? options = null, CancellationToken cancellationToken = default)
    {
        var creation = CreateWithProgressAsync(options);
        try
        {
            return await creation.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await creation.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>
    /// The same with its progress: enumerate the creation for its events, then take the sandbox with
    /// <see cref="SandboxCreation.WaitAsync"/>. Nothing is sent before either.
    /// </summary>
    /// <param name="options">What the sandbox is to be.</param>
    public SandboxCreation CreateWithProgressAsync(CreateSandboxOptions? options = null) =>
        new(this, (options ?? new CreateSandboxOptions()).ToRequest());

    /// <summary>
    /// Takes a warm sandbox that is this user's alone from then on. Where the answer is lost (a Manager stops, a connection
    /// breaks), or the Manager cannot serve just then, it is asked for again, up to three times within the time of the answer;
    /// that never gives a second sandbox.
    /// </summary>
    /// <param name="userId">Whose it will be; 1-256 characters.</param>
    /// <param name="options">Environment, lifetime, and what to do where none is free.</param>
    /// <param name="cancellationToken">
    /// Gives it up. Unless <see cref="AllocateOptions.ClaimId"/> was given, what was claimed by then is deleted: the task ends
    /// at most twice <see cref="CodeSandboxClientOptions.CleanupTimeout"/> later.
    /// </param>
    /// <returns>The sandbox, ready; disposing it deletes it.</returns>
    /// <exception cref="PoolExhaustedException">None is free.</exception>
    /// <exception cref="LimitReachedException">None is free, and no more may be created.</exception>
    /// <exception cref="InvalidRequestException">Some fields are wrong.</exception>
    /// <exception cref="InterruptedException">The connection broke each time.</exception>
    /// <exception cref="CodeSandboxException">Anything else, by its code.</exception>
    public async Task<Sandbox> AllocateAsync(string userId, AllocateOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(userId);
        cancellationToken.ThrowIfCancellationRequested();
        options ??= new AllocateOptions();
        var claim = new Claim(this, options.ToRequest(userId));
        try
        {
            return new Sandbox(this, await claim.AskAsync(cancellationToken).ConfigureAwait(false), deleteOnDispose: true);
        }
        catch (Exception e) when (options.ClaimId is null
            && e is OperationCanceledException or CodeSandboxException { Code: ClientErrorCodes.RequestTimeout or ClientErrorCodes.ResponseCut })
        {
            // It may have succeeded, and nobody else knows its id.
            await claim.UndoAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>How many sandboxes are warm, claimed and being made.</summary>
    public Task<PoolStatistics> GetPoolStatusAsync(CancellationToken cancellationToken = default) =>
        Server.AskAsync<PoolStatistics>(HttpMethod.Get, Routes.PoolStatus, cancellationToken);

    /// <summary>Every sandbox of this Manager.</summary>
    public Task<IReadOnlyList<SandboxInfo>> ListAsync(CancellationToken cancellationToken = default) =>
        Server.AskAsync<IReadOnlyList<SandboxInfo>>(HttpMethod.Get, Routes.Sandboxes, cancellationToken);

    /// <summary>One sandbox as it is now.</summary>
    /// <exception cref="SandboxNotFoundException">There is none of this name.</exception>
    public Task<SandboxInfo> GetAsync(string name, CancellationToken cancellationToken = default) =>
        Server.AskAsync<SandboxInfo>(HttpMethod.Get, Routes.Sandbox(name), cancellationToken);

    /// <summary>
    /// A handle on a sandbox that exists already, by its name. Nothing is sent: a sandbox that is not there shows at first use.
    /// Disposing the handle leaves the sandbox alone.
    /// </summary>
    public Sandbox Attach(string name) => new(this, SandboxName.Require(name), deleteOnDispose: false);

    /// <summary>Deletes a sandbox with everything in it.</summary>
    /// <exception cref="SandboxNotFoundException">There is none of this name.</exception>
    public Task<DeleteSandboxResult> DeleteAsync(string name, CancellationToken cancellationToken = default) =>
        Server.AskAsync<DeleteSandboxResult>(HttpMethod.Delete, Routes.Sandbox(name), cancellationToken);

    /// <summary>Deletes every sandbox of this Manager, other callers' too.</summary>
    /// <returns>The names of those that were deleted, and of those that could not be.</returns>
    public Task<DeleteAllResult> DeleteAllAsync(CancellationToken cancellationToken = default) =>
        Server.AskAsync<DeleteAllResult>(HttpMethod.Delete, Routes.Sandboxes, cancellationToken);

    /// <summary>Closes the client's connections. Sandboxes are not deleted by this: dispose them first.</summary>
    public void Dispose() => Server.Dispose();

    /// <inheritdoc cref="Dispose"/>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Deletes for want of further use: within the time that cleaning up may take, and whatever comes of it.</summary>
    internal async Task TryDeleteAsync(string name)
    {
        using var limit = new CancellationTokenSource(Options.CleanupTimeout, Options.TimeProvider);
        try
        {
            await DeleteAsync(name, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is CodeSandboxException or OperationCanceledException or ObjectDisposedException)
        {
            // It is gone already, or its Manager cannot be reached: there is nothing more to do here.
        }
    }

    private void Authorize(HttpRequestHeaders headers)
    {
        if (Options.ApiKey is { } key)
            headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }
}
