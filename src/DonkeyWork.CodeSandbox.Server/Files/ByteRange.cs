namespace DonkeyWork.CodeSandbox.Server.Files;

/// <summary>The part of a file that is asked for (RFC 9110, section 14).</summary>
/// <param name="Offset">The first byte.</param>
/// <param name="Length">How many.</param>
internal readonly record struct ByteRange(long Offset, long Length)
{
    /// <summary>
    /// The one range that is asked for. <see langword="null"/>: the whole file is to be sent, as no range is asked for, or
    /// what is asked for is not one that is understood; several at once are not, which 14.2 allows. A length of 0: the
    /// file has none of these bytes.
    /// </summary>
    public static ByteRange? Of(HttpRequest request, FileStatus status)
    {
        if (request.GetTypedHeaders().Range is not { } asked || asked.Unit != "bytes" || asked.Ranges.Count != 1 || !Preconditions.RangeHolds(request, status))
            return null;
        var range = asked.Ranges.Single();
        if (range.From is not { } from)
        {
            var last = Math.Min(range.To!.Value, status.Size);
            return new ByteRange(status.Size - last, last);
        }

        if (from >= status.Size)
            return new ByteRange(0, 0);
        var to = Math.Min(range.To ?? long.MaxValue, status.Size - 1);
        return new ByteRange(from, to - from + 1);
    }
}
