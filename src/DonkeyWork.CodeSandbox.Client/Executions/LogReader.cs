using DonkeyWork.CodeSandbox.Client.Connection;

namespace DonkeyWork.CodeSandbox.Client.Executions;

/// <summary>An execution's log from a position on, over as many connections as it takes.</summary>
/// <param name="route">The execution.</param>
/// <param name="after">The position behind which it begins.</param>
/// <param name="output">Whether output is wanted; a reader that wants none never lets an execution go on that is held.</param>
internal sealed class LogReader(ExecutionRoute route, long after, bool output = true) : IAsyncDisposable
{
    private readonly Persistence _persistence = new(route.Sandbox.Options);
    private FrameStream? _frames;
    private volatile bool _disposed;

    /// <summary>The position behind the last frame.</summary>
    public long Position { get; private set; } = after;

    /// <summary>The next frame that is not a keep-alive. Cancelling it loses nothing: the next call has it.</summary>
    public async ValueTask<LogFrame> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ObjectDisposedException.ThrowIf(_disposed, this);
            try
            {
                var frames = _frames ?? await OpenAsync(cancellationToken).ConfigureAwait(false);
                if (await ReadAsync(frames, cancellationToken).ConfigureAwait(false) is not { } next)
                    continue;
                Position = next.Position;
                return next;
            }
            catch (CodeSandboxException e)
            {
                var broken = await CloseAsync().ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
                ObjectDisposedException.ThrowIf(_disposed, this);
                if (broken is not null)
                    route.Sandbox.Server.Leave(broken);
                await route.Sandbox.PauseAsync(_persistence, e, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Waits for the end of the response behind the last event.</summary>
    public ValueTask EndAsync() => _frames?.EndAsync() ?? ValueTask.CompletedTask;

    /// <summary>Ends the read in progress, too.</summary>
    public async ValueTask DisposeAsync()
    {
        _disposed = true;
        await CloseAsync().ConfigureAwait(false);
    }

    private async Task<FrameStream> OpenAsync(CancellationToken cancellationToken)
    {
        var answer = await route.Sandbox.Server
            .OpenAsync(route.Events(Position, output), _persistence.AttemptTimeout, cancellationToken).ConfigureAwait(false);
        var body = await answer.Response.Content.ReadAsStreamAsync(CancellationToken.None).ConfigureAwait(false);
        _persistence.Connected();
        var frames = new FrameStream(answer, body, route.Sandbox.Options, route.Id, Position, output);
        _frames = frames;
        // Disposed in between, which closes only what it finds.
        if (_disposed)
        {
            await CloseAsync().ConfigureAwait(false);
            ObjectDisposedException.ThrowIf(true, this);
        }

        return frames;
    }

    private async ValueTask<LogFrame?> ReadAsync(FrameStream frames, CancellationToken cancellationToken)
    {
        using var stop = cancellationToken.UnsafeRegister(static frames => ((FrameStream)frames!).Stop(), frames);
        var next = await frames.NextAsync().ConfigureAwait(false);
        _persistence.Progressed();
        // Stopped in the middle of a chunk: what had come is here, and the rest is asked for anew. The server has not failed.
        if (cancellationToken.IsCancellationRequested)
            await CloseAsync().ConfigureAwait(false);
        return next;
    }

    private async ValueTask<ServerAddress?> CloseAsync()
    {
        if (Interlocked.Exchange(ref _frames, null) is not { } frames)
            return null;
        await frames.DisposeAsync().ConfigureAwait(false);
        return frames.From;
    }
}
