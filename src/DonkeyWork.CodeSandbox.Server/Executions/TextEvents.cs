using System.Buffers;
using System.Buffers.Text;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Executions.Logs;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary>
/// The events of an execution as Server-Sent Events: text where it is UTF-8, else base64. A character that a chunk leaves
/// unfinished is held back for the next chunk of its channel.
/// </summary>
/// <param name="output">The response.</param>
/// <param name="position">Where the reader begins.</param>
internal sealed class TextEvents(PipeWriter output, long position) : IEventStream
{
    /// <summary>Encoded at a time: a multiple of three, so that the pieces are one.</summary>
    private const int Base64Piece = 3 * 1024;

    private readonly SseBuffer _buffer = new(output);
    private readonly byte[] _held = new byte[Utf8Repair.LongestIncomplete + 1];
    private int _heldCount;
    private OutputChannel _heldChannel;

    public bool HasCollected => _buffer.HasCollected;

    public bool HoldsBack => _heldCount > 0;

    public long Position { get; private set; } = position;

    public ValueTask StartedAsync(ExecutionStarted started, CancellationToken cancellationToken) =>
        JsonAsync(ExecutionEventNames.Started, JsonSerializer.SerializeToUtf8Bytes(started, ContractsJsonContext.Default.ExecutionStarted), LogPosition.Origin.Position, cancellationToken);

    public async ValueTask OutputAsync(LogItem item, CancellationToken cancellationToken)
    {
        var (channel, bytes) = (item.Channel, item.Bytes);
        if (_heldCount > 0 && (_heldChannel != channel || !TryComplete(ref bytes)))
            await ReleaseAsync(cancellationToken);
        // What is held now is a whole character, or none, or the chunk was no more than a further piece of one.
        if (bytes.IsEmpty && _heldCount > 0 && !IsCharacter(_held.AsSpan(0, _heldCount)))
            return;

        var tail = bytes[^Utf8Repair.IncompleteTail(bytes.Span)..];
        bytes = bytes[..^tail.Length];
        if (Utf8.IsValid(bytes.Span))
        {
            await TextAsync(channel, bytes, cancellationToken);
        }
        else
        {
            await TextAsync(channel, default, cancellationToken);
            await Base64Async(channel, bytes, cancellationToken);
        }

        tail.CopyTo(_held);
        (_heldCount, _heldChannel) = (tail.Length, channel);
    }

    public async ValueTask TruncatedAsync(LogItem item, CancellationToken cancellationToken)
    {
        await ReleaseAsync(cancellationToken);
        var truncated = new ExecutionTruncated { Stream = item.Channel, Bytes = item.Count };
        await JsonAsync(
            ExecutionEventNames.Truncated, JsonSerializer.SerializeToUtf8Bytes(truncated, ContractsJsonContext.Default.ExecutionTruncated), item.Position, cancellationToken);
    }

    public async ValueTask ReleaseAsync(CancellationToken cancellationToken)
    {
        if (_heldCount == 0)
            return;
        var held = _held.AsMemory(0, _heldCount);
        _heldCount = 0;
        await Base64Async(_heldChannel, held, cancellationToken);
    }

    public ValueTask ExitedAsync(ExecutionState state, long position, CancellationToken cancellationToken) =>
        JsonAsync(ExecutionEventNames.Exited, JsonSerializer.SerializeToUtf8Bytes(state, ContractsJsonContext.Default.ExecutionState), position, cancellationToken);

    public ValueTask KeepAliveAsync(CancellationToken cancellationToken) => _buffer.KeepAliveAsync(cancellationToken);

    public ValueTask FlushAsync(CancellationToken cancellationToken) => _buffer.FlushAsync(cancellationToken);

    private static bool IsCharacter(ReadOnlySpan<byte> bytes) =>
        Rune.DecodeFromUtf8(bytes, out _, out var used) == OperationStatus.Done && used == bytes.Length;

    /// <summary>Adds to the held-back bytes what makes a character of them; <see langword="false"/> when nothing can.</summary>
    private bool TryComplete(ref ReadOnlyMemory<byte> bytes)
    {
        var count = _heldCount;
        for (var i = 0; i < bytes.Length; i++)
        {
            _held[count++] = bytes.Span[i];
            var status = Rune.DecodeFromUtf8(_held.AsSpan(0, count), out _, out _);
            if (status == OperationStatus.InvalidData)
                return false;
            if (status == OperationStatus.Done || i == bytes.Length - 1)
            {
                _heldCount = count;
                bytes = bytes[(i + 1)..];
                break;
            }
        }

        return true;
    }

    /// <summary>The character that is held, and text behind it.</summary>
    private async ValueTask TextAsync(OutputChannel channel, ReadOnlyMemory<byte> text, CancellationToken cancellationToken)
    {
        if (_heldCount + text.Length == 0)
            return;
        await BeginAsync(channel, "data", cancellationToken);
        Position += _heldCount + text.Length;
        _buffer.Advance(JsonText.Escape(_held.AsSpan(0, _heldCount), _buffer.Free, out _));
        _heldCount = 0;
        await _buffer.AppendEscapedAsync(text, cancellationToken);
        await EndAsync(cancellationToken);
    }

    private async ValueTask Base64Async(OutputChannel channel, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        await BeginAsync(channel, "base64", cancellationToken);
        Position += bytes.Length;
        while (!bytes.IsEmpty)
        {
            var piece = bytes[..Math.Min(bytes.Length, Base64Piece)];
            await _buffer.MakeRoomAsync(Base64.GetMaxEncodedToUtf8Length(piece.Length), cancellationToken);
            Base64.EncodeToUtf8(piece.Span, _buffer.Free, out _, out var written);
            _buffer.Advance(written);
            bytes = bytes[piece.Length..];
        }

        await EndAsync(cancellationToken);
    }

    private async ValueTask BeginAsync(OutputChannel channel, string field, CancellationToken cancellationToken)
    {
        await _buffer.MakeRoomAsync(cancellationToken);
        _buffer.Append("event: output\ndata: {\"stream\":\""u8);
        _buffer.Append(channel switch
        {
            OutputChannel.Stdout => "stdout\",\""u8,
            OutputChannel.Stderr => "stderr\",\""u8,
            _ => "pty\",\""u8,
        });
        _buffer.Append(field == "data" ? "data\":\""u8 : "base64\":\""u8);
    }

    private async ValueTask EndAsync(CancellationToken cancellationToken)
    {
        await _buffer.MakeRoomAsync(cancellationToken);
        _buffer.Append("\"}"u8);
        _buffer.AppendId(Position);
    }

    private async ValueTask JsonAsync(string name, byte[] json, long behind, CancellationToken cancellationToken)
    {
        await _buffer.MakeRoomAsync(cancellationToken);
        _buffer.Append(Encoding.ASCII.GetBytes($"event: {name}\ndata: "));
        for (var rest = json.AsMemory(); !rest.IsEmpty;)
        {
            await _buffer.MakeRoomAsync(cancellationToken);
            var piece = rest[..Math.Min(rest.Length, _buffer.Free.Length)];
            _buffer.Append(piece.Span);
            rest = rest[piece.Length..];
        }

        await _buffer.MakeRoomAsync(cancellationToken);
        Position = behind;
        _buffer.AppendId(behind);
    }
}
