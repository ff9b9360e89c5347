using DonkeyWork.CodeSandbox.Client.Connection;
using DonkeyWork.CodeSandbox.Client.Streaming;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client.Executions;

/// <summary>
/// The frames of one response. They come from inside the sandbox, unparsed: whatever is not exactly of the protocol ends the
/// stream, and so do bytes that are missing without having been told.
/// </summary>
internal sealed class FrameStream : IAsyncDisposable
{
    private readonly Answer _answer;
    private readonly GuardedStream _body;
    private readonly string _executionId;
    private readonly bool _hasOutput;
    private readonly byte[] _header = new byte[ExecutionFrame.HeaderBytes];
    private readonly byte[] _payload = new byte[ExecutionFrame.MaxPayloadBytes];
    private readonly long _after;
    private long _position;
    // The position by what was received. It is ahead of the other one where lost bytes are told in several events.
    private long _accounted;
    private InterruptedException? _cut;

    public FrameStream(Answer answer, Stream body, ConnectionOptions options, string executionId, long after, bool hasOutput)
    {
        _answer = answer;
        _body = new GuardedStream(body, options, answer.From.Name, CancellationToken.None);
        _executionId = executionId;
        _after = _position = _accounted = after;
        _hasOutput = hasOutput;
    }

    public ServerAddress From => _answer.From;

    /// <summary>The next frame, or <see langword="null"/> for a keep-alive.</summary>
    /// <exception cref="InterruptedException">The stream broke, went silent, was stopped, or ended without its last event.</exception>
    /// <exception cref="CodeSandboxException">It is not of the protocol.</exception>
    public async ValueTask<LogFrame?> NextAsync()
    {
        if (_cut is not null)
            throw _cut;
        await FillAsync(_header).ConfigureAwait(false);
        var frame = Read(_header);
        if (frame.Position < _position)
            throw Malformed($"a position that goes back from {_position} to {frame.Position}");
        var payload = _payload.AsMemory(0, frame.Length);
        if (frame.Stream != ExecutionFrame.EventStream)
            return await OutputAsync(frame, payload).ConfigureAwait(false);

        await FillAsync(payload).ConfigureAwait(false);
        _body.EventSeen();
        if (frame.Length == 0)
            return null;
        var next = EventPayload.Parse(frame.Position, payload) ?? throw Malformed("an event that is none");
        Account(next);
        _position = frame.Position;
        return new LogFrame(frame.Position, next, default, default);
    }

    /// <summary>Ends the read in progress.</summary>
    public void Stop() => _body.Stop();

    /// <summary>Waits for the end behind the last event, to keep the connection for another request.</summary>
    public ValueTask EndAsync() => _body.EndAsync();

    public async ValueTask DisposeAsync()
    {
        await _body.DisposeAsync().ConfigureAwait(false);
        _answer.Dispose();
    }

    private async ValueTask<LogFrame> OutputAsync(ExecutionFrame frame, Memory<byte> payload)
    {
        if (frame.Length == 0)
            throw Malformed("empty output");
        var start = frame.Position - frame.Length;
        if (start < _position || (_hasOutput && start != _accounted))
            throw Malformed($"output from {start} on where {_accounted} was next");

        var filled = 0;
        try
        {
            while (filled < payload.Length)
                filled += await ReadAsync(payload[filled..]).ConfigureAwait(false);
        }
        catch (InterruptedException e) when (filled > 0)
        {
            // What has come has come: however often it is cut, some of it gets through.
            _cut = e;
        }

        _body.EventSeen();
        _position = _accounted = start + filled;
        return new LogFrame(_position, null, (OutputChannel)frame.Stream, payload[..filled]);
    }

    private void Account(ProcessEvent next)
    {
        switch (next)
        {
            case ProcessStarted when _accounted == 0:
                _accounted = 1;
                break;
            case OutputTruncated lost when lost.Bytes <= long.MaxValue - _accounted:
                _accounted += lost.Bytes;
                break;
            // Behind the end there is nothing but the end.
            case ProcessExited exited when exited.State.Id == _executionId && exited.State.Status == ExecutionStatus.Exited
                && (!_hasOutput || exited.Position == _accounted + 1 || (exited.Position == _accounted && _accounted == _after)):
                break;
            default:
                throw Malformed($"an event that cannot be where {_accounted} was next");
        }
    }

    private async ValueTask FillAsync(Memory<byte> buffer)
    {
        for (var filled = 0; filled < buffer.Length;)
            filled += await ReadAsync(buffer[filled..]).ConfigureAwait(false);
    }

    private async ValueTask<int> ReadAsync(Memory<byte> buffer)
    {
        var count = await _body.ReadAsync(buffer, CancellationToken.None).ConfigureAwait(false);
        return count > 0
            ? count
            : throw new InterruptedException(ClientErrorCodes.ResponseCut, $"{From.Name} ended the stream before the execution had.");
    }

    private ExecutionFrame Read(ReadOnlySpan<byte> header)
    {
        try
        {
            return ExecutionFrame.Read(header);
        }
        catch (InvalidDataException e)
        {
            throw new CodeSandboxException(ClientErrorCodes.UnexpectedResponse, $"{From.Name} sent a frame that is not of this protocol.", e);
        }
    }

    private CodeSandboxException Malformed(string what) =>
        new(ClientErrorCodes.UnexpectedResponse, $"{From.Name} sent {what} in the output of execution {_executionId}.");
}
