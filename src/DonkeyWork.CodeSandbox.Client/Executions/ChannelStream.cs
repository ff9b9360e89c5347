using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client.Executions;

/// <summary>The bytes of some of an execution's channels. It begins to read with the first read.</summary>
internal sealed class ChannelStream(Execution execution, params OutputChannel[] channels) : AsyncStream
{
    private readonly LogReader _reader = execution.OpenLog();
    private IDisposable? _membership;
    private ReadOnlyMemory<byte> _left;
    private bool _ended;
    private bool _disposed;

    public override bool CanRead => !_disposed;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        cancellationToken.ThrowIfCancellationRequested();
        if (buffer.IsEmpty)
            return 0;
        while (_left.IsEmpty && !_ended)
            await FillAsync(cancellationToken).ConfigureAwait(false);

        var count = Math.Min(buffer.Length, _left.Length);
        _left[..count].CopyTo(buffer);
        _left = _left[count..];
        return count;
    }

    public override async ValueTask DisposeAsync()
    {
        _disposed = true;
        await CloseAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            CloseAsync().AsTask().GetAwaiter().GetResult();
        }

        base.Dispose(disposing);
    }

    private async ValueTask FillAsync(CancellationToken cancellationToken)
    {
        _membership ??= execution.Join();
        var next = await execution.NextAsync(_reader, cancellationToken).ConfigureAwait(false);
        switch (next.Event)
        {
            case null when channels.Contains(next.Channel):
                _left = next.Output;
                break;
            case OutputTruncated lost when channels.Contains(lost.Channel) && lost.Bytes > 0:
                throw new OutputTruncatedException(lost);
            case ProcessExited:
                _ended = true;
                await _reader.EndAsync().ConfigureAwait(false);
                await CloseAsync().ConfigureAwait(false);
                break;
        }
    }

    private ValueTask CloseAsync()
    {
        _membership?.Dispose();
        return _reader.DisposeAsync();
    }
}
