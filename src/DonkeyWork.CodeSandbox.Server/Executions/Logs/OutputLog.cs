using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Http;

namespace DonkeyWork.CodeSandbox.Server.Executions.Logs;

/// <summary>
/// What an execution has printed: written by its pumps, read by any number of readers from any position. Bounded: where the
/// log is full, either those who print are held until a reader has been sent more of it (<c>wait</c>), or the middle goes and
/// is counted (<c>drop</c>).
/// </summary>
internal sealed class OutputLog
{
    /// <summary>The least that a file is worth: 512 KiB.</summary>
    public const long MinKeepBytes = 512 * 1024;

    /// <summary>Room for what was read and not yet written, what is in the pipes at the end, and a record half sent.</summary>
    private const int SlackBytes = 256 * 1024;

    /// <summary>Pumps are not woken for less.</summary>
    private const int MinRoom = 4 * 1024;

    private readonly Lock _gate = new();
    private readonly bool _holds;
    private readonly long _keep;
    private readonly LogRing _ring;
    private readonly LogRecords _records;
    private readonly List<OutputLogReader> _readers = [];
    private TaskCompletionSource? _room;
    private long _sentRaw;
    private bool _unheld;
    private bool _complete;
    private volatile bool _emptied;
    private bool _deleted;

    /// <param name="place">Where it may be.</param>
    /// <param name="keepBytes">How much of the output is kept; up to <see cref="MemoryStorage.Capacity"/> it is in memory alone.</param>
    /// <param name="holds">Whether those who print are held when it is full.</param>
    public OutputLog(LogPlace place, long keepBytes, bool holds)
    {
        _holds = holds;
        _keep = keepBytes <= MemoryStorage.Capacity ? MemoryStorage.Capacity : Math.Max(keepBytes, MinKeepBytes);
        _ring = new LogRing(place, _keep <= MemoryStorage.Capacity ? _keep : _keep + SlackBytes);
        _records = new LogRecords(_ring, !holds);
    }

    /// <summary>Whether everything was forgotten.</summary>
    public bool IsEmptied => _emptied;

    /// <summary>Bytes printed to standard output or the terminal, to standard error, and those of both that are not kept.</summary>
    public (long First, long Second, long Truncated) Counts
    {
        get
        {
            lock (_gate)
                return (_records.Head.First, _records.Head.Second, _records.Tail.Position - _records.Front.Position);
        }
    }

    /// <summary>The position behind what was printed so far, and, once complete, behind <c>exited</c>.</summary>
    public long End
    {
        get
        {
            lock (_gate)
                return _records.Head.Position + (_complete ? 1 : 0);
        }
    }

    /// <summary>
    /// Takes what was printed: all of it, or as much as there is room for; then <see cref="RoomAsync"/> says when more is.
    /// </summary>
    /// <returns>How many bytes were taken.</returns>
    public int Append(OutputChannel channel, ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            var taken = 0;
            while (taken < bytes.Length && !_deleted && MakeRoom(bytes.Length - taken) is var room and > 0)
            {
                if (_records.TryWrite(channel, bytes.Slice(taken, room)))
                    taken += room;
            }

            if (taken > 0)
                WakeReaders();
            return _deleted ? bytes.Length : taken;
        }
    }

    /// <summary>Waits while those who print are held.</summary>
    /// <returns>How many bytes there is room for now; at most 64 KiB.</returns>
    public async ValueTask<int> RoomAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task wait;
            lock (_gate)
            {
                if (FreeRoom() is var room and > 0)
                    return room;
                _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                wait = _room.Task;
            }

            await wait.WaitAsync(cancellationToken);
        }
    }

    /// <summary>The process has ended: what little it left in its pipes is not held, as long as a reader has room for it.</summary>
    public void Unhold()
    {
        lock (_gate)
        {
            _unheld = true;
            LetGoOn();
        }
    }

    /// <summary>Nothing more will be printed.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _complete = true;
            WakeReaders();
        }

        _ring.Budget?.AddFinished(this);
    }

    /// <summary>A reader of everything behind a position.</summary>
    /// <param name="after">The position; 0 for everything.</param>
    /// <param name="withOutput">Whether it is given output; else only the end, and nobody waits for it.</param>
    /// <exception cref="RequestException">With <c>invalid_request</c>: nothing is there yet.</exception>
    public OutputLogReader OpenReader(long after, bool withOutput = true)
    {
        lock (_gate)
        {
            var end = _records.Head.Position + (_complete ? 1 : 0);
            if (after < 0 || after > end)
            {
                throw new RequestException(
                    StatusCodes.Status400BadRequest, ErrorCodes.InvalidRequest, $"after: is no position of this execution, whose last is {end}");
            }

            return Open(Math.Clamp(after, LogPosition.Origin.Position, _records.Head.Position), withOutput);
        }
    }

    /// <summary>A reader of the last <paramref name="bytes"/> that are kept, and of what follows.</summary>
    public OutputLogReader OpenTail(long bytes)
    {
        lock (_gate)
            return Open(Math.Max(_records.HasGap ? _records.Tail.Position : LogPosition.Origin.Position, _records.Head.Position - bytes));
    }

    /// <summary>Forgets what was printed. Readers are told how much they miss.</summary>
    /// <returns>What it held of its budget; the caller's to give back.</returns>
    public LogShare Empty()
    {
        lock (_gate)
        {
            _emptied = true;
            var share = _records.Empty();
            WakeReaders();
            return share;
        }
    }

    /// <summary>Forgets what was printed, and gives back what it held.</summary>
    public void Expire()
    {
        var budget = _ring.Budget;
        var share = Empty();
        budget?.RemoveFinished(this);
        budget?.Give(share);
    }

    /// <summary>Ends every reader with <c>execution_deleted</c>, and takes whatever is still printed for nothing.</summary>
    public void Delete()
    {
        lock (_gate)
        {
            _deleted = true;
            LetGoOn();
        }

        Expire();
    }

    /// <summary>What the reader has next, or <see cref="LogItemKind.None"/> with <paramref name="mustWait"/>; it is then woken once.</summary>
    internal LogItem Next(OutputLogReader reader, out bool mustWait)
    {
        lock (_gate)
        {
            mustWait = false;
            if (_deleted)
                throw new RequestException(StatusCodes.Status410Gone, ErrorCodes.ExecutionDeleted, "The execution was deleted.");
            if (reader.WithOutput && reader.TryRead(_records, out var item))
                return item;
            if (_complete)
                return new LogItem(LogItemKind.End, default, default, 0, _records.Head.Position + 1);
            mustWait = reader.BeginWait();
            return default;
        }
    }

    /// <summary>Somebody was sent everything before <paramref name="raw"/>.</summary>
    internal void Sent(long raw)
    {
        lock (_gate)
        {
            if (raw <= _sentRaw)
                return;
            _sentRaw = raw;
            LetGoOn();
        }
    }

    internal void Close(OutputLogReader reader)
    {
        lock (_gate)
        {
            _readers.Remove(reader);
            LetGoOn();
        }
    }

    private OutputLogReader Open(long position, bool withOutput = true)
    {
        var (place, recordStart) = withOutput ? _records.Find(position) : default;
        var reader = new OutputLogReader(this, place, recordStart, withOutput);
        _readers.Add(reader);
        return reader;
    }

    private int FreeRoom() => _deleted ? LogRecords.MaxPayloadBytes : MakeRoom(LogRecords.MaxPayloadBytes) is var room && room >= MinRoom ? room : 0;

    private int MakeRoom(int wanted)
    {
        // At the end of a process nobody waits for a reader who does not exist.
        if (!_holds || (_unheld && !_readers.Exists(static reader => reader.WithOutput)))
            return _records.MakeRoom(wanted, long.MaxValue);
        var size = _ring.IsClosed ? Math.Min(_ring.Size, _keep) : _keep;
        var limit = _unheld ? long.MaxValue : size / 4 * 3;
        var allowed = limit - (_records.Head.Raw - _sentRaw) - LogRecords.HeaderBytes;
        return allowed <= 0 ? 0 : _records.MakeRoom((int)Math.Min(wanted, allowed), _sentRaw);
    }

    private void LetGoOn()
    {
        if (_room is null || FreeRoom() == 0)
            return;
        _room.SetResult();
        _room = null;
    }

    private void WakeReaders()
    {
        foreach (var reader in _readers)
            reader.EndWait();
    }
}
