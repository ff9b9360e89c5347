using System.Diagnostics.CodeAnalysis;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Http;
using DonkeyWork.CodeSandbox.Server.Posix;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary>
/// Standard input of an execution: bytes counted from its start, so that a caller who was cut off goes on where it was. A new
/// writer takes the place of one that is still at it: that one may have been cut off without anybody noticing.
/// </summary>
/// <param name="channels">Its channels.</param>
[SuppressMessage("Reliability", "CA1001", Justification = "A semaphore without a wait handle has nothing to dispose of.")]
internal sealed class ExecutionStdin(ProcessChannels channels)
{
    private const int BufferBytes = 16 * 1024;

    /// <summary>What ends the input at a terminal: Ctrl-D.</summary>
    private static readonly byte[] EndOfTransmission = [4];

    private readonly SemaphoreSlim _turn = new(1);
    private readonly Lock _gate = new();
    private CancellationTokenSource? _writer;
    private volatile bool _closed = channels.Input is null;
    private long _taken;

    /// <summary>How many bytes were taken.</summary>
    public long Taken => Interlocked.Read(ref _taken);

    /// <summary>Puts bytes into the pipe, but those that were taken before. Takes as long as the process does to read.</summary>
    /// <param name="bytes">From <paramref name="offset"/> on.</param>
    /// <param name="offset">Where in the input they begin; <see langword="null"/>: behind what was taken.</param>
    /// <param name="cancellationToken">The writer is gone; what went in is counted.</param>
    /// <returns>How many were taken in all.</returns>
    /// <exception cref="RequestException">With <c>stdin_gap</c>, also where another writer has come, or <c>stdin_closed</c>.</exception>
    /// <exception cref="OperationCanceledException">The writer is gone.</exception>
    public async Task<long> WriteAsync(Stream bytes, long? offset, CancellationToken cancellationToken)
    {
        using var mine = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        lock (_gate)
        {
            _writer?.Cancel();
            _writer = mine;
        }

        try
        {
            await _turn.WaitAsync(mine.Token);
            try
            {
                return await TakeAsync(bytes, offset, mine.Token);
            }
            finally
            {
                _turn.Release();
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw _closed ? Closed() : Gap("Another writer has taken over.");
        }
        finally
        {
            lock (_gate)
            {
                if (_writer == mine)
                    _writer = null;
            }
        }
    }

    /// <summary>Types at a terminal, beside whoever else does: nobody takes another's place.</summary>
    /// <exception cref="RequestException">With <c>stdin_closed</c>.</exception>
    /// <exception cref="OperationCanceledException">Who types is gone; what went in is counted.</exception>
    public async Task TypeAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            ThrowIfClosed();
            await WriteAsync(bytes, cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>The input ends here; at a terminal Ctrl-D is typed.</summary>
    public async Task CloseAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
            _writer?.Cancel();
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_closed)
                return;
            if (channels.IsTerminal)
                _ = await channels.Input!.WriteAsync(EndOfTransmission, cancellationToken);
            else
                End();
        }
        catch (Exception error) when (error is BrokenPipeException or ObjectDisposedException)
        {
            // Nobody is left to be told.
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Nothing is taken any more.</summary>
    public void End()
    {
        _closed = true;
        lock (_gate)
            _writer?.Cancel();
        channels.Input?.Dispose();
    }

    private async Task<long> TakeAsync(Stream bytes, long? offset, CancellationToken cancellationToken)
    {
        var skip = Taken - (offset ?? Taken);
        if (skip < 0)
            throw _closed ? Closed() : Gap($"Only {Taken} bytes of standard input were taken so far.");
        // What was taken before was taken, also when the answer comes to be asked for after the end.
        if (skip == 0)
            ThrowIfClosed();
        var buffer = new byte[BufferBytes];
        int count;
        while ((count = await bytes.ReadAsync(buffer, cancellationToken)) > 0)
        {
            var skipped = (int)Math.Min(skip, count);
            skip -= skipped;
            if (skipped == count)
                continue;
            ThrowIfClosed();
            await WriteAsync(buffer.AsMemory(skipped, count - skipped), cancellationToken);
        }

        return Taken;
    }

    private async Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            while (!bytes.IsEmpty)
            {
                var count = await channels.Input!.WriteAsync(bytes, cancellationToken);
                Interlocked.Add(ref _taken, count);
                bytes = bytes[count..];
            }
        }
        catch (Exception error) when (error is BrokenPipeException or ObjectDisposedException)
        {
            throw Closed();
        }
    }

    private void ThrowIfClosed()
    {
        if (_closed)
            throw Closed();
    }

    private RequestException Gap(string detail) =>
        new(StatusCodes.Status409Conflict, ErrorCodes.StdinGap, detail) { Offset = Taken };

    private static RequestException Closed() =>
        new(StatusCodes.Status409Conflict, ErrorCodes.StdinClosed, "Standard input is closed, or nobody reads it.");
}
