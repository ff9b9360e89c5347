using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Server.Executions.Logs;

/// <summary>One reader of a log: at its own pace, and without a buffer while there is nothing for it. One caller at a time.</summary>
internal sealed class OutputLogReader : IDisposable, IValueTaskSource
{
    /// <summary>A record of the largest size.</summary>
    private const int MaxRead = LogRecords.MaxPayloadBytes + LogRecords.HeaderBytes;

    private readonly OutputLog _log;
    private LogPosition _at;
    private long _recordStart;
    private long? _recordEnd;
    private long _headAtRead;
    private OutputChannel _channel;
    private LogItem? _alsoLost;
    private byte[]? _buffer;
    private int _bufferAt;
    private int _bufferEnd;
    private ManualResetValueTaskSourceCore<bool> _wait = new() { RunContinuationsAsynchronously = true };
    private int _waiting;
    private int _woken;
    private bool _disposed;

    internal OutputLogReader(OutputLog log, LogPosition place, long recordStart, bool withOutput)
    {
        _log = log;
        WithOutput = withOutput;
        _at = place;
        _recordStart = recordStart;
        _recordEnd = place.Raw == recordStart ? recordStart : null;
    }

    /// <summary>
    /// The next item; <see cref="LogItemKind.End"/> is given again and again. The bytes of the one before are no longer valid.
    /// </summary>
    /// <exception cref="Http.RequestException">With <c>execution_deleted</c>.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the reader may go on.</exception>
    public ValueTask<LogItem> NextAsync(CancellationToken cancellationToken) =>
        TryParse(out var item) ? new ValueTask<LogItem>(item) : ReadAsync(cancellationToken);

    /// <summary>Whether it is given output.</summary>
    public bool WithOutput { get; }

    /// <summary>Whether the next item is at hand, so that <see cref="NextAsync"/> costs nothing.</summary>
    public bool HasNext => _bufferAt < _bufferEnd;

    /// <summary>Gives back its buffer while its caller waits for something else; the last item's bytes are no longer valid.</summary>
    public void Rest()
    {
        if (!HasNext)
            ReturnBuffer();
    }

    /// <summary>Makes the one <see cref="NextAsync"/> that waits, or the next that would, return <see cref="LogItemKind.None"/>.</summary>
    public void Wake()
    {
        Volatile.Write(ref _woken, 1);
        EndWait();
    }

    /// <summary>This reader's caller has been sent everything up to <paramref name="position"/>: who prints may go on.</summary>
    public void Sent(long position)
    {
        // What it has not been sent is a few bytes at the end, in as many records at most.
        if (WithOutput)
            _log.Sent(_at.Raw - ((_at.Position - position) * (1 + LogRecords.HeaderBytes)));
    }

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _log.Close(this);
        ReturnBuffer();
    }

    /// <summary>Under the log's lock: what is there now, if anything is.</summary>
    internal bool TryRead(LogRecords records, out LogItem item)
    {
        if (_alsoLost is { } lost)
        {
            item = lost;
            _alsoLost = null;
            return true;
        }

        if (!records.Has(_at.Raw))
        {
            item = Skip(records);
            return true;
        }

        item = default;
        if (_at.Raw == records.Head.Raw)
            return false;
        // The last record may have grown since, and a reader may begin within one.
        if ((_recordEnd is null || _recordEnd == _headAtRead) && _recordStart < _at.Raw)
        {
            if (records.Has(_recordStart))
            {
                (_channel, var length) = records.ReadHeader(_recordStart);
                _recordEnd = _recordStart + LogRecords.HeaderBytes + length;
            }
            else
            {
                // Records go whole: it was at the end of that one.
                _recordEnd = _at.Raw;
            }
        }

        _buffer ??= OutputBuffers.Rent();
        _bufferAt = 0;
        _bufferEnd = records.Read(_at.Raw, _buffer.AsSpan(0, MaxRead));
        _headAtRead = records.Head.Raw;
        return TryParse(out item);
    }

    /// <summary>Under the log's lock: from now on <see cref="EndWait"/> ends the wait. <see langword="false"/> when it was woken before.</summary>
    internal bool BeginWait()
    {
        ReturnBuffer();
        if (Interlocked.Exchange(ref _woken, 0) == 1)
            return false;
        _wait.Reset();
        Interlocked.Exchange(ref _waiting, 1);
        if (Volatile.Read(ref _woken) == 1)
            EndWait();
        return true;
    }

    internal void EndWait()
    {
        if (Interlocked.Exchange(ref _waiting, 0) == 1)
            _wait.SetResult(true);
    }

    void IValueTaskSource.GetResult(short token) => _wait.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _wait.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wait.OnCompleted(continuation, state, token, flags);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<LogItem> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var item = _log.Next(this, out var mustWait);
            if (!mustWait)
                return item;
            using (cancellationToken.UnsafeRegister(static reader => ((OutputLogReader)reader!).EndWait(), this))
                await new ValueTask(this, _wait.Version);
        }
    }

    private bool TryParse(out LogItem item)
    {
        if (_at.Raw == _recordEnd && _bufferEnd - _bufferAt > LogRecords.HeaderBytes)
        {
            (_channel, var length) = LogRecords.ParseHeader(_buffer.AsSpan(_bufferAt));
            _recordStart = _at.Raw;
            _recordEnd = _recordStart + LogRecords.HeaderBytes + length;
            _bufferAt += LogRecords.HeaderBytes;
            _at = _at with { Raw = _at.Raw + LogRecords.HeaderBytes };
        }
        else if (_at.Raw == _recordEnd)
        {
            // The rest of the buffer is a piece of a header.
            _bufferAt = _bufferEnd = 0;
        }

        var count = (int)Math.Min(_bufferEnd - _bufferAt, (_recordEnd ?? _at.Raw) - _at.Raw);
        if (count == 0)
        {
            item = default;
            return false;
        }

        _at = new LogPosition(_at.Raw + count, _at.Position + count, _at.First + (_channel == OutputChannel.Stderr ? 0 : count));
        item = new LogItem(LogItemKind.Output, _channel, _buffer.AsMemory(_bufferAt, count), count, _at.Position);
        _bufferAt += count;
        return true;
    }

    private LogItem Skip(LogRecords records)
    {
        var first = new LogItem(
            LogItemKind.Truncated, records.FirstChannel, default, records.Tail.First - _at.First, _at.Position + records.Tail.First - _at.First);
        var second = new LogItem(
            LogItemKind.Truncated, OutputChannel.Stderr, default, records.Tail.Second - _at.Second, records.Tail.Position);
        _at = records.Tail;
        _recordStart = _at.Raw;
        _recordEnd = _at.Raw;
        if (first.Count == 0)
            return second;
        _alsoLost = second.Count == 0 ? null : second;
        return first;
    }

    private void ReturnBuffer()
    {
        if (_buffer is not null)
            OutputBuffers.Return(_buffer);
        _buffer = null;
        _bufferAt = _bufferEnd = 0;
    }
}
