using System.Diagnostics.CodeAnalysis;

namespace DonkeyWork.CodeSandbox.Server.Executions.Logs;

/// <summary>
/// An endless run of bytes in a bounded place. It grows until it is closed; from then on the newest bytes overwrite the
/// oldest, but for those at its front that are kept. In a file while there is one to be had, else in memory.
/// </summary>
[SuppressMessage("Reliability", "CA1001", Justification = "Empty lets go of it.")]
internal sealed class LogRing
{
    private const int Step = 64 * 1024;

    private readonly LogPlace _place;
    private ILogStorage? _storage;
    private OutputBudget? _budget;
    private long _reserved;
    private long _kept;
    private long _size;

    /// <param name="place">Where files are, and how much they may take.</param>
    /// <param name="capacity">The most it grows to, in bytes; up to <see cref="MemoryStorage.Capacity"/> it is in memory from the start.</param>
    public LogRing(LogPlace place, long capacity)
    {
        _place = place;
        Capacity = capacity;
        if (capacity <= MemoryStorage.Capacity)
            UseMemory();
    }

    /// <summary>The most it grows to.</summary>
    public long Capacity { get; private set; }

    /// <summary>Whether it has come to its size, so that what is new overwrites what is old.</summary>
    public bool IsClosed => _size > 0;

    /// <summary>How many of the newest bytes it holds, once closed.</summary>
    public long Size => _size - _kept;

    /// <summary>Whether it is in memory.</summary>
    public bool IsInMemory => _storage is MemoryStorage;

    /// <summary>How far it can grow as it is.</summary>
    public long Reserved => _reserved;

    /// <summary>What it holds of <see cref="Budget"/>.</summary>
    public LogShare Share => new(_reserved, _storage is null ? 0 : 1);

    /// <summary>Whose it is a share of.</summary>
    public OutputBudget? Budget => _budget;

    /// <summary>Makes room for the first <paramref name="extent"/> bytes; <see langword="false"/> when it must be closed first.</summary>
    public bool TryGrow(long extent)
    {
        if (_storage is null && !TryOpenFile())
            UseMemory();
        while (!IsClosed && extent > _reserved)
        {
            var step = Math.Min(Step, Capacity - _reserved);
            if (step == 0 || !_budget!.TryTake(step, 0))
                return false;
            _reserved += step;
        }

        return !IsClosed;
    }

    /// <summary>It grows no further.</summary>
    public void Limit(long capacity) => Capacity = _reserved = Share.Bytes <= capacity ? _reserved : GiveBack(capacity);

    /// <summary>Begins to overwrite, but for the first <paramref name="kept"/> bytes.</summary>
    public void Close(long kept)
    {
        Capacity = _size = _reserved;
        _kept = kept;
    }

    /// <summary>Goes on in memory, with the first <paramref name="extent"/> bytes; they must fit in.</summary>
    public void MoveToMemory(long extent)
    {
        var bytes = new byte[extent];
        if (extent > 0)
            Read(bytes, 0);
        Release();
        UseMemory();
        _storage!.TryWrite(bytes, 0);
    }

    /// <summary>Writes at <paramref name="raw"/>, for which there is room; <see langword="false"/> when the disk refuses.</summary>
    public bool TryWrite(ReadOnlySpan<byte> bytes, long raw)
    {
        while (!bytes.IsEmpty)
        {
            var (offset, contiguous) = Locate(raw);
            var count = (int)Math.Min(bytes.Length, contiguous);
            if (!_storage!.TryWrite(bytes[..count], offset))
                return false;
            bytes = bytes[count..];
            raw += count;
        }

        return true;
    }

    /// <summary>Reads what was written at <paramref name="raw"/> and not overwritten.</summary>
    public void Read(Span<byte> bytes, long raw)
    {
        while (!bytes.IsEmpty)
        {
            var (offset, contiguous) = Locate(raw);
            var count = (int)Math.Min(bytes.Length, contiguous);
            _storage!.Read(bytes[..count], offset);
            bytes = bytes[count..];
            raw += count;
        }
    }

    /// <summary>Forgets everything. What is returned is still counted in the budget.</summary>
    public LogShare Empty()
    {
        var share = Share;
        _storage?.Dispose();
        _storage = null;
        _reserved = 0;
        return share;
    }

    private (long Offset, long Contiguous) Locate(long raw)
    {
        if (!IsClosed)
            return (raw, long.MaxValue);
        if (raw < _kept)
            return (raw, _kept - raw);
        var inRing = (raw - _kept) % Size;
        return (_kept + inRing, Size - inRing);
    }

    private bool TryOpenFile()
    {
        var first = Math.Min(Step, Capacity);
        if (!_place.Files.TryTake(first, 1))
            return false;
        _storage = _place.Create(_place.Directory);
        if (_storage is null)
        {
            _place.Files.Give(new LogShare(first, 1));
            return false;
        }

        _budget = _place.Files;
        _reserved = first;
        return true;
    }

    private void UseMemory()
    {
        _budget = _place.Memory;
        _budget.TryTake(MemoryStorage.Capacity, 1, must: true);
        _storage = new MemoryStorage();
        _reserved = Capacity = MemoryStorage.Capacity;
        _size = _kept = 0;
    }

    private void Release() => _budget!.Give(Empty());

    private long GiveBack(long capacity)
    {
        _budget!.Give(new LogShare(_reserved - capacity, 0));
        return capacity;
    }
}
