namespace DonkeyWork.CodeSandbox.Client.Streaming;

/// <summary>
/// A response body that may not be silent for too long while somebody reads it, nor send more than
/// <see cref="MaxEventBytes"/> without a whole event where it is one of events; what breaks it is a <see cref="InterruptedException"/>.
/// </summary>
internal sealed class GuardedStream : AsyncStream
{
    /// <summary>
    /// A line part of 1 MiB is at most 6 MiB as JSON, every byte escaped as <c>\u0000</c>. What sends more is not our executor:
    /// bodies come from inside the sandbox, unparsed.
    /// </summary>
    public const int MaxEventBytes = 16 * 1024 * 1024;

    // The end follows the last event at once. Waiting for it keeps the connection for the next request; not for long.
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(1);

    private readonly Stream _inner;
    private readonly string _server;
    private readonly long _maxEventBytes;
    private readonly TimeProvider _time;
    private readonly TimeSpan _idleTimeout;
    private readonly CancellationToken _caller;
    // Never disposed, which it need not be: the timer may fire while the stream is being disposed.
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenRegistration _callerStops;
    private readonly ITimer _silence;
    private long _bytesSinceEvent;

    public GuardedStream(
        Stream inner, ConnectionOptions options, string server, CancellationToken caller, long maxEventBytes = MaxEventBytes)
    {
        _maxEventBytes = maxEventBytes;
        _inner = inner;
        _server = server;
        _time = options.TimeProvider;
        _idleTimeout = options.StreamIdleTimeout;
        _caller = caller;
        _callerStops = caller.UnsafeRegister(static stop => ((CancellationTokenSource)stop!).Cancel(), _stop);
        _silence = options.TimeProvider.CreateTimer(
            static stop => ((CancellationTokenSource)stop!).Cancel(), _stop, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public override bool CanRead => true;

    /// <summary>Ends the read in progress and every later one.</summary>
    public void Stop() => _stop.Cancel();

    /// <summary>A whole event has been seen.</summary>
    public void EventSeen() => _bytesSinceEvent = 0;

    /// <summary>Waits for the end after the last event that matters. Whatever comes instead changes nothing any more.</summary>
    public async ValueTask EndAsync()
    {
        using var limit = new CancellationTokenSource(EndTimeout, _time);
        using var stop = limit.Token.UnsafeRegister(static body => ((GuardedStream)body!).Stop(), this);
        try
        {
            await ReadAsync(new byte[1]).ConfigureAwait(false);
        }
        catch (Exception e) when (e is CodeSandboxException or OperationCanceledException)
        {
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            var pending = _inner.ReadAsync(buffer, _stop.Token);
            // What is there already needs no clock.
            var count = pending.IsCompleted ? await pending.ConfigureAwait(false) : await WithinIdleTimeoutAsync(pending).ConfigureAwait(false);
            _bytesSinceEvent += count;
            return _bytesSinceEvent <= _maxEventBytes
                ? count
                : throw new CodeSandboxException(ClientErrorCodes.UnexpectedResponse, $"{_server} sent an event of more than {_maxEventBytes} bytes.");
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or HttpRequestException or ObjectDisposedException)
        {
            if (_caller.IsCancellationRequested)
                throw new OperationCanceledException(e.Message, e, _caller);
            throw _stop.IsCancellationRequested
                ? new InterruptedException(ClientErrorCodes.StreamIdle, $"{_server} sent nothing for {_idleTimeout.TotalSeconds} s, not even a keep-alive.", e)
                : new InterruptedException(ClientErrorCodes.ResponseCut, $"The connection to {_server} broke in the middle of a stream.", e);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _silence.Dispose();
            _callerStops.Dispose();
            _inner.Dispose();
        }

        base.Dispose(disposing);
    }

    private async ValueTask<int> WithinIdleTimeoutAsync(ValueTask<int> pending)
    {
        _silence.Change(_idleTimeout, Timeout.InfiniteTimeSpan);
        try
        {
            return await pending.ConfigureAwait(false);
        }
        finally
        {
            _silence.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }
}
