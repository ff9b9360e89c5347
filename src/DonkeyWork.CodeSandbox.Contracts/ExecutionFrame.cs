using System.Buffers.Binary;

namespace DonkeyWork.CodeSandbox.Contracts;

/// <summary>
/// The header of a binary frame, big-endian: stream (u8), position (u64), length (u32), then that many bytes. On stream 0
/// the payload is one JSON event with its name in <c>event</c>, and length 0 is the keep-alive.
/// </summary>
/// <param name="Stream">0 for an event, else an <see cref="OutputChannel"/>.</param>
/// <param name="Position">The position in the execution's log behind this frame.</param>
/// <param name="Length">Bytes of payload.</param>
public readonly record struct ExecutionFrame(byte Stream, long Position, int Length)
{
    /// <summary>The size of a header in bytes.</summary>
    public const int HeaderBytes = 13;

    /// <summary>The largest payload in bytes.</summary>
    public const int MaxPayloadBytes = 65_536;

    /// <summary>The stream of events and keep-alives.</summary>
    public const byte EventStream = 0;

    /// <summary>Reads a header.</summary>
    /// <exception cref="InvalidDataException">It is none: a stream above 3, a negative position, a payload that is too large.</exception>
    public static ExecutionFrame Read(ReadOnlySpan<byte> header)
    {
        var stream = header[0];
        var position = BinaryPrimitives.ReadUInt64BigEndian(header[1..]);
        var length = BinaryPrimitives.ReadUInt32BigEndian(header[9..]);
        return stream <= (byte)OutputChannel.Pty && position <= long.MaxValue && length <= MaxPayloadBytes
            ? new ExecutionFrame(stream, (long)position, (int)length)
            : throw new InvalidDataException($"Not a frame: stream {stream}, position {position}, length {length}.");
    }

    /// <summary>Writes the header into the first <see cref="HeaderBytes"/> of <paramref name="destination"/>.</summary>
    public void Write(Span<byte> destination)
    {
        destination[0] = Stream;
        BinaryPrimitives.WriteUInt64BigEndian(destination[1..], (ulong)Position);
        BinaryPrimitives.WriteUInt32BigEndian(destination[9..], (uint)Length);
    }
}
