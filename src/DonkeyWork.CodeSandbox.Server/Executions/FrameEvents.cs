using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Executions.Logs;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary>The events of an execution as <see cref="ExecutionFrame"/>s: output as it is.</summary>
/// <param name="output">The response.</param>
/// <param name="position">Where the reader begins.</param>
internal sealed class FrameEvents(PipeWriter output, long position) : IEventStream
{
    /// <summary>Escaped, a character is six bytes, or twelve of a pair.</summary>
    private const int MaxCommandChars = 8 * 1024;

    private readonly ResponseBuffer _buffer = new(output);

    public bool HasCollected => _buffer.HasCollected;

    public bool HoldsBack => false;

    public long Position { get; private set; } = position;

    public ValueTask StartedAsync(ExecutionStarted started, CancellationToken cancellationToken) =>
        EventAsync(ExecutionEventNames.Started, started, ContractsJsonContext.Default.ExecutionStarted, LogPosition.Origin.Position, cancellationToken);

    public ValueTask OutputAsync(LogItem item, CancellationToken cancellationToken) =>
        FrameAsync((byte)item.Channel, item.Bytes, item.Position, cancellationToken);

    public ValueTask TruncatedAsync(LogItem item, CancellationToken cancellationToken) =>
        EventAsync(
            ExecutionEventNames.Truncated,
            new ExecutionTruncated { Stream = item.Channel, Bytes = item.Count },
            ContractsJsonContext.Default.ExecutionTruncated,
            item.Position,
            cancellationToken);

    public ValueTask ReleaseAsync(CancellationToken cancellationToken) => default;

    /// <summary>A long command is left out: a frame has no room for it.</summary>
    public ValueTask ExitedAsync(ExecutionState state, long position, CancellationToken cancellationToken)
    {
        var length = (state.Command?.Length ?? 0) + (state.Argv?.Sum(argument => (long)argument.Length + 3) ?? 0);
        var told = length > MaxCommandChars ? state with { Command = null, Argv = null } : state;
        return EventAsync(ExecutionEventNames.Exited, told, ContractsJsonContext.Default.ExecutionState, position, cancellationToken);
    }

    public ValueTask KeepAliveAsync(CancellationToken cancellationToken) =>
        FrameAsync(ExecutionFrame.EventStream, default, Position, cancellationToken);

    public ValueTask FlushAsync(CancellationToken cancellationToken) => _buffer.FlushAsync(cancellationToken);

    private ValueTask EventAsync<T>(string name, T value, JsonTypeInfo<T> type, long behind, CancellationToken cancellationToken)
    {
        // Every object here has fields.
        byte[] payload = [.. Encoding.ASCII.GetBytes($"{{\"event\":\"{name}\","), .. JsonSerializer.SerializeToUtf8Bytes(value, type).AsSpan(1)];
        return FrameAsync(ExecutionFrame.EventStream, payload, behind, cancellationToken);
    }

    private async ValueTask FrameAsync(byte stream, ReadOnlyMemory<byte> payload, long behind, CancellationToken cancellationToken)
    {
        await _buffer.MakeRoomAsync(ExecutionFrame.HeaderBytes + payload.Length, cancellationToken);
        new ExecutionFrame(stream, behind, payload.Length).Write(_buffer.Free);
        _buffer.Advance(ExecutionFrame.HeaderBytes);
        _buffer.Append(payload.Span);
        Position = behind;
    }
}
