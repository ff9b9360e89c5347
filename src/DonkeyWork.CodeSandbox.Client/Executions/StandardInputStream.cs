using DonkeyWork.CodeSandbox.Client.Connection;
using DonkeyWork.CodeSandbox.Client.Executions;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client;

/// <summary>
/// What an execution reads. A write is over when all of it is in the process's pipe, and waits for that as long as the process
/// takes. Every byte arrives exactly once: a request that breaks is repeated from the byte that it came to. A write that is
/// cancelled may have arrived in part; the next one goes on behind that. One writer at a time. Nothing is buffered here:
/// put a <see cref="BufferedStream"/> or <see cref="StreamWriter"/> before it for many small writes.
/// </summary>
public sealed class StandardInputStream : AsyncStream
{
    // What is sent again when a connection breaks.
    private const int MaxRequestBytes = 1024 * 1024;

    private readonly ExecutionRoute _route;
    private readonly bool _mayBeTerminal;
    // How many bytes were taken. Not known before anybody has said so: others may have written.
    private long? _offset;
    private bool _completed;
    // Whether the process was told so, or on a terminal may have been.
    private bool _told;

    internal StandardInputStream(ExecutionRoute route, bool mayBeTerminal)
    {
        _route = route;
        _mayBeTerminal = mayBeTerminal;
    }

    /// <summary>Whether it is open as far as this side knows.</summary>
    public override bool CanWrite => !_completed;

    /// <summary>Writes, and waits until all of it is in the process's pipe.</summary>
    /// <param name="buffer">The bytes.</param>
    /// <param name="cancellationToken">Ends the wait; some of the bytes may have arrived.</param>
    /// <exception cref="StandardInputClosedException">It was not kept open, was closed, or nobody is left to read it.</exception>
    /// <exception cref="SandboxLostException">The sandbox is gone.</exception>
    /// <exception cref="InterruptedException">No connection within <see cref="ConnectionOptions.ReconnectTimeout"/>; some of it may have arrived.</exception>
    /// <exception cref="CodeSandboxException">Anything else, by its code.</exception>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_completed, this);
        while (!buffer.IsEmpty)
        {
            // A request that only asks: below what was taken, nothing is taken again.
            var offset = _offset ?? await SendAsync(0, default, cancellationToken).ConfigureAwait(false);
            var part = buffer[..Math.Min(buffer.Length, MaxRequestBytes)];
            _offset = null;
            var taken = await SendAsync(offset, part, cancellationToken).ConfigureAwait(false);
            if (taken != offset + part.Length)
                throw new CodeSandboxException(
                    ClientErrorCodes.UnexpectedResponse,
                    $"After {part.Length} bytes from {offset} on, execution {_route.Id} is said to have taken {taken}: somebody else writes to it, too.");
            _offset = taken;
            buffer = buffer[part.Length..];
        }
    }

    /// <summary>End-of-file: what was written is all there is. On a terminal it is Ctrl+D, which is sent once where there is one or
    /// nobody knows (<see cref="Sandbox.GetExecution"/>): where the answer is lost, whether it arrived is unknown. Where it fails otherwise it
    /// may be called again, and disposing does.</summary>
    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)" path="/exception[not(contains(@cref, 'StandardInputClosed'))]"/>
    public async Task CompleteAsync(CancellationToken cancellationToken = default)
    {
        _completed = true;
        try
        {
            // A second Ctrl+D would be typed to whatever reads by then.
            await (_mayBeTerminal
                ? _route.Sandbox.TellOnceAsync(_route.EndInput(), cancellationToken)
                : _route.Sandbox.TellAsync(_route.EndInput(), cancellationToken)).ConfigureAwait(false);
            _told = true;
        }
        catch (StandardInputClosedException)
        {
            // As was wanted.
            _told = true;
        }
        catch (Exception e) when (_mayBeTerminal && !(e is CodeSandboxException failure && Persistence.WasNotBegun(failure)))
        {
            _told = true;
            throw;
        }
    }

    /// <summary>End-of-file, unless it was said before and arrived, or on a terminal may have. Does not throw.</summary>
    public override async ValueTask DisposeAsync()
    {
        await TryCompleteAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            TryCompleteAsync().GetAwaiter().GetResult();
        base.Dispose(disposing);
    }

    private async Task TryCompleteAsync()
    {
        if (_told)
            return;
        try
        {
            await CompleteAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is CodeSandboxException or ObjectDisposedException or OperationCanceledException)
        {
            // The process has nothing more to read all the same, or nobody can tell it.
        }
    }

    private Task<long> SendAsync(long offset, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        _route.Sandbox.PersistAsync(
            async (_, token) =>
            {
                // Without a limit: the process reads when it likes.
                var result = await _route.Sandbox.Server
                    .AskAsync<StdinResult>(_route.Input(offset, bytes), Timeout.InfiniteTimeSpan, token).ConfigureAwait(false);
                return result.Offset;
            },
            cancellationToken,
            resumes: true);
}
