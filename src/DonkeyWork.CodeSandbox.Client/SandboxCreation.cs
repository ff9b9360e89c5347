using System.Runtime.CompilerServices;
using DonkeyWork.CodeSandbox.Client.Connection;
using DonkeyWork.CodeSandbox.Client.Streaming;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client;

/// <summary>
/// A sandbox being created. Enumerate it, once, for what happens; <see cref="WaitAsync"/> takes the sandbox.
/// One that nobody took is deleted: when the enumeration fails or is left before <see cref="SandboxReady"/>, and by disposing.
/// </summary>
public sealed class SandboxCreation : IAsyncEnumerable<CreationEvent>, IAsyncDisposable
{
    private readonly CodeSandboxClient _client;
    private readonly CreateSandboxRequest _request;
    private readonly CancellationTokenSource _stop = new();
    private Task<CreationEvent>? _announcement;
    private EventStream<CreationEvent>? _events;
    private bool _ready;
    private bool _done;

    internal SandboxCreation(CodeSandboxClient client, CreateSandboxRequest request)
    {
        _client = client;
        _request = request;
    }

    /// <summary>The sandbox's name, once it was announced.</summary>
    public string? Name { get; private set; }

    /// <summary>
    /// What happens: <see cref="SandboxCreated"/> first, <see cref="SandboxReady"/> last. Where a <see cref="SandboxFailed"/>
    /// comes, the next step throws.
    /// </summary>
    /// <param name="cancellationToken">Gives the sandbox up: it is deleted.</param>
    /// <exception cref="InvalidOperationException">It was enumerated before.</exception>
    /// <inheritdoc cref="CodeSandboxClient.CreateAsync" path="/exception"/>
    public IAsyncEnumerator<CreationEvent> GetAsyncEnumerator(CancellationToken cancellationToken = default) =>
        ReadAsync(cancellationToken).GetAsyncEnumerator(CancellationToken.None);

    /// <summary>Waits until the sandbox takes commands, where it does not yet, and hands it over: from here on it is the caller's.</summary>
    /// <param name="cancellationToken">Gives the sandbox up: it is deleted.</param>
    /// <exception cref="InvalidOperationException">It was taken before, or the enumeration was left before it was ready.</exception>
    /// <inheritdoc cref="CodeSandboxClient.CreateAsync" path="/exception"/>
    public async Task<Sandbox> WaitAsync(CancellationToken cancellationToken = default)
    {
        if (!_ready)
        {
            await foreach (var _ in this.WithCancellation(cancellationToken).ConfigureAwait(false))
            {
            }
        }

        if (_done)
            throw new InvalidOperationException("The sandbox was taken or deleted before.");
        _done = true;
        return new Sandbox(_client, Name!, deleteOnDispose: true);
    }

    /// <summary>Deletes the sandbox where nobody took it. Never throws, and takes at most twice <see cref="CodeSandboxClientOptions.CleanupTimeout"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_done)
        {
            _done = true;
            await AbandonAsync().ConfigureAwait(false);
        }

        _stop.Dispose();
    }

    private async IAsyncEnumerable<CreationEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (_announcement is not null || _done)
            throw new InvalidOperationException("A creation can be enumerated once.");
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            _announcement = AnnounceAsync();
            // What the request may have created has no name yet: cancelling leaves the request going, for AbandonAsync to hear it.
            var next = await _announcement.WaitAsync(cancellationToken).ConfigureAwait(false);
            yield return next;
            while (!_ready)
            {
                if (next is SandboxFailed failed)
                    throw new CreationFailedException(failed);
                next = await NextAsync(cancellationToken).ConfigureAwait(false);
                _ready = next is SandboxReady;
                yield return next;
            }

            await _events!.EndAsync().ConfigureAwait(false);
        }
        finally
        {
            if (_ready)
                await CloseAsync().ConfigureAwait(false);
            else
                await DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task<CreationEvent> AnnounceAsync()
    {
        _events = await _client.Server
            .OpenEventsAsync<CreateSandboxRequest, CreationEvent>(Routes.Sandboxes, _request, _stop.Token).ConfigureAwait(false);
        var first = await NextAsync(CancellationToken.None).ConfigureAwait(false);
        if (!SandboxName.IsValid(first.PodName))
            throw new CodeSandboxException(ClientErrorCodes.UnexpectedResponse, $"{_client.Server.Name} announced a sandbox without a usable name.");
        Name = first.PodName;
        return first;
    }

    private async Task<CreationEvent> NextAsync(CancellationToken cancellationToken)
    {
        using var stop = cancellationToken.UnsafeRegister(static stop => ((CancellationTokenSource)stop!).Cancel(), _stop);
        try
        {
            return await _events!.NextAsync().ConfigureAwait(false)
                ?? throw new InterruptedException(
                    ClientErrorCodes.ResponseCut, $"{_client.Server.Name} ended the stream before the sandbox was ready.");
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
    }

    private async Task AbandonAsync()
    {
        if (_announcement is null)
            return;

        using var limit = new CancellationTokenSource(_client.Options.CleanupTimeout, _client.Options.TimeProvider);
        using (limit.Token.UnsafeRegister(static stop => ((CancellationTokenSource)stop!).Cancel(), _stop))
        {
            try
            {
                await _announcement.ConfigureAwait(false);
            }
            catch (Exception e) when (e is CodeSandboxException or OperationCanceledException or ObjectDisposedException)
            {
                // Never announced. Whoever waited for it has been told.
            }
        }

        await CloseAsync().ConfigureAwait(false);
        if (Name is not null)
            await _client.TryDeleteAsync(Name).ConfigureAwait(false);
    }

    private async ValueTask CloseAsync()
    {
        if (_events is not null)
            await _events.DisposeAsync().ConfigureAwait(false);
    }
}
