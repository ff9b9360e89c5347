namespace DonkeyWork.CodeSandbox.Server.Executions.Logs;

/// <summary>
/// Borders of records, every 64 KiB or so, from which any position is found by reading on. Those whose records were
/// overwritten are thinned out: they only tell how much of what is gone was standard error's.
/// </summary>
internal sealed class Checkpoints
{
    private const int Spacing = 64 * 1024;
    private const int MaxGone = 256;

    private readonly List<LogPosition> _all = [LogPosition.Origin];

    /// <summary>Remembers a border, if the last one is far enough behind.</summary>
    /// <param name="border">Where a record begins.</param>
    /// <param name="goneFrom">The first border whose record was overwritten.</param>
    /// <param name="goneTo">The first whose was not.</param>
    public void Add(LogPosition border, LogPosition goneFrom, LogPosition goneTo)
    {
        if (border.Raw - _all[^1].Raw < Spacing)
            return;
        _all.Add(border);
        var first = IndexOf(goneFrom.Position) + 1;
        var end = IndexOf(goneTo.Position);
        if (end - first <= MaxGone)
            return;
        var kept = first;
        for (var i = first; i < _all.Count; i++)
        {
            if (i >= end || (i - first) % 2 == 0)
                _all[kept++] = _all[i];
        }

        _all.RemoveRange(kept, _all.Count - kept);
    }

    /// <summary>The last border at or before <paramref name="position"/>.</summary>
    public LogPosition Before(long position) => _all[IndexOf(position)];

    /// <summary>The last border at or before <paramref name="raw"/> bytes of records.</summary>
    public LogPosition BeforeRaw(long raw)
    {
        var index = _all.FindLastIndex(border => border.Raw <= raw);
        return _all[index];
    }

    /// <summary>What is known of a position whose record is gone: the split of the bytes before it is estimated.</summary>
    /// <param name="position">Before <paramref name="next"/>.</param>
    /// <param name="next">A place behind it.</param>
    public LogPosition Estimate(long position, LogPosition next)
    {
        var index = IndexOf(position);
        var before = _all[index];
        var after = index + 1 < _all.Count && _all[index + 1].Position < next.Position ? _all[index + 1] : next;
        var share = (double)(position - before.Position) / Math.Max(1, after.Position - before.Position);
        // No more of either than were printed between the two.
        var first = Math.Clamp(
            before.First + (long)((after.First - before.First) * share),
            position - LogPosition.Origin.Position - after.Second,
            position - LogPosition.Origin.Position - before.Second);
        return new LogPosition(before.Raw, position, first);
    }

    private int IndexOf(long position)
    {
        int low = 0, high = _all.Count - 1;
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (_all[middle].Position <= position)
                low = middle;
            else
                high = middle - 1;
        }

        return low;
    }
}
