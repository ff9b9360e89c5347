using System.Buffers.Binary;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Server.Executions.Logs;

/// <summary>
/// The records of a log: a header (channel and length, u32) and up to 64 KiB that were printed there. The last one grows
/// while it is the same channel that prints. One caller at a time.
/// </summary>
/// <param name="ring">Where they are.</param>
/// <param name="keepsHead">Whether the first quarter is never overwritten.</param>
internal sealed class LogRecords(LogRing ring, bool keepsHead)
{
    /// <summary>The size of a record's header.</summary>
    public const int HeaderBytes = 4;

    /// <summary>The most that is in a record.</summary>
    public const int MaxPayloadBytes = 64 * 1024;

    private const int SmallPayloadBytes = 2 * 1024;
    private const int LengthBits = 24;

    private readonly Checkpoints _checkpoints = new();
    private (long Start, OutputChannel Channel, int Length)? _last;

    /// <summary>Behind the newest byte.</summary>
    public LogPosition Head { get; private set; } = LogPosition.Origin;

    /// <summary>Before the oldest byte that can still be read, those at the front apart.</summary>
    public LogPosition Tail { get; private set; } = LogPosition.Origin;

    /// <summary>Behind the bytes at the front that are never overwritten.</summary>
    public LogPosition Front { get; private set; } = LogPosition.Origin;

    /// <summary>Where it prints what is not standard error.</summary>
    public OutputChannel FirstChannel { get; private set; } = OutputChannel.Stdout;

    /// <summary>Whether bytes between <see cref="Front"/> and <see cref="Tail"/> are gone.</summary>
    public bool HasGap => Tail.Raw > Front.Raw;

    /// <summary>What a record written now could hold, once closed.</summary>
    private long Free => ring.Size - (Head.Raw - Tail.Raw) - HeaderBytes;

    private long MaxRecord => Math.Min(MaxPayloadBytes, ring.Capacity / 4);

    /// <summary>How many bytes of output can be written now; old records go for it.</summary>
    /// <param name="wanted">At most so many.</param>
    /// <param name="mayGo">Only records that end at or before it go.</param>
    public int MakeRoom(int wanted, long mayGo)
    {
        while (!ring.IsClosed)
        {
            wanted = (int)Math.Min(wanted, MaxRecord);
            if (ring.TryGrow(Head.Raw + HeaderBytes + wanted))
                return wanted;
            Close();
        }

        wanted = (int)Math.Min(wanted, MaxRecord);
        while (Free < wanted && TryDropOldest(mayGo))
        {
        }

        return (int)Math.Clamp(Free, 0, wanted);
    }

    /// <summary>Writes what there is room for. <see langword="false"/> when the disk refused: room must be made anew.</summary>
    public bool TryWrite(OutputChannel channel, ReadOnlySpan<byte> bytes)
    {
        if (!TryWriteRecord(channel, bytes))
        {
            GiveUpDisk();
            return false;
        }

        if (channel != OutputChannel.Stderr)
            FirstChannel = channel;
        var first = Head.First + (channel == OutputChannel.Stderr ? 0 : bytes.Length);
        Head = new LogPosition(_last!.Value.Start + HeaderBytes + _last.Value.Length, Head.Position + bytes.Length, first);
        return true;
    }

    /// <summary>The channel and the length of the record at <paramref name="raw"/>.</summary>
    public (OutputChannel Channel, int Length) ReadHeader(long raw)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        ring.Read(header, raw);
        return ParseHeader(header);
    }

    /// <summary>Reads as many bytes of records as there are from <paramref name="raw"/> on without a gap.</summary>
    public int Read(long raw, Span<byte> buffer)
    {
        var end = raw < Front.Raw && HasGap ? Front.Raw : Head.Raw;
        var count = (int)Math.Min(buffer.Length, end - raw);
        ring.Read(buffer[..count], raw);
        return count;
    }

    /// <summary>Whether the record at <paramref name="raw"/> can be read.</summary>
    public bool Has(long raw) => raw < Front.Raw || raw >= Tail.Raw;

    /// <summary>The place to read from for what lies behind <paramref name="position"/>, and the record it is in.</summary>
    public (LogPosition Place, long RecordStart) Find(long position)
    {
        if (position >= Front.Position && position < Tail.Position)
            return (_checkpoints.Estimate(position, Tail) with { Raw = Front.Raw }, Front.Raw);
        var place = _checkpoints.Before(position);
        if (position >= Tail.Position && place.Raw < Tail.Raw)
            place = Tail;
        while (place.Raw < Head.Raw)
        {
            var (channel, length) = ReadHeader(place.Raw);
            var count = Math.Min(length, position - place.Position);
            var first = channel == OutputChannel.Stderr ? 0 : count;
            if (count < length)
                return (new LogPosition(place.Raw + (count > 0 ? HeaderBytes + count : 0), position, place.First + first), place.Raw);
            place = new LogPosition(place.Raw + HeaderBytes + length, place.Position + length, place.First + first);
        }

        // The last record may yet grow.
        return (place, _last?.Start ?? place.Raw);
    }

    /// <summary>Forgets everything that was printed, but for how much it was.</summary>
    public LogShare Empty()
    {
        Front = LogPosition.Origin;
        Tail = Head;
        _last = null;
        return ring.Empty();
    }

    /// <summary>Reads a header.</summary>
    public static (OutputChannel Channel, int Length) ParseHeader(ReadOnlySpan<byte> header)
    {
        var value = BinaryPrimitives.ReadUInt32LittleEndian(header);
        return ((OutputChannel)(value >> LengthBits), (int)(value & ((1 << LengthBits) - 1)));
    }

    private static void WriteHeader(Span<byte> header, OutputChannel channel, int length) =>
        BinaryPrimitives.WriteUInt32LittleEndian(header, ((uint)channel << LengthBits) | (uint)length);

    private bool TryWriteRecord(OutputChannel channel, ReadOnlySpan<byte> bytes)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        if (_last is { } last && last.Channel == channel && last.Length + bytes.Length <= MaxRecord)
        {
            _last = last with { Length = last.Length + bytes.Length };
            WriteHeader(header, channel, _last.Value.Length);
            return ring.TryWrite(bytes, Head.Raw) && ring.TryWrite(header, last.Start);
        }

        _checkpoints.Add(Head, Front, Tail);
        _last = (Head.Raw, channel, bytes.Length);
        WriteHeader(header, channel, bytes.Length);
        if (bytes.Length > SmallPayloadBytes)
            return ring.TryWrite(bytes, Head.Raw + HeaderBytes) && ring.TryWrite(header, Head.Raw);
        Span<byte> record = stackalloc byte[HeaderBytes + bytes.Length];
        header.CopyTo(record);
        bytes.CopyTo(record[HeaderBytes..]);
        return ring.TryWrite(record, Head.Raw);
    }

    private bool TryDropOldest(long mayGo)
    {
        var (channel, length) = ReadHeader(Tail.Raw);
        var next = Tail.Raw + HeaderBytes + length;
        if (next > mayGo)
            return false;
        if (_last?.Start == Tail.Raw)
            _last = null;
        Tail = new LogPosition(next, Tail.Position + length, Tail.First + (channel == OutputChannel.Stderr ? 0 : length));
        return true;
    }

    /// <summary>It has grown as far as it can: what it has come to is its size, unless that is less than memory has room for.</summary>
    private void Close()
    {
        if (ring.Reserved < MemoryStorage.Capacity && !ring.IsInMemory)
        {
            ring.MoveToMemory(Head.Raw);
            return;
        }

        if (keepsHead)
            Front = Tail = _checkpoints.BeforeRaw(ring.Reserved / 4);
        ring.Close(Front.Raw);
    }

    /// <summary>A disk that refuses to grow leaves what was written; one that refuses to overwrite leaves nothing.</summary>
    private void GiveUpDisk()
    {
        _last = null;
        if (!ring.IsClosed)
        {
            ring.Limit(Head.Raw);
            Close();
            return;
        }

        Front = LogPosition.Origin;
        Tail = Head;
        ring.MoveToMemory(0);
        ring.Close(0);
    }
}
