using System.Buffers;
using System.Globalization;

namespace DonkeyWork.CodeSandbox.Server.Files.Archives;

/// <summary>What headers before an entry say instead of its own. One serves all entries, one after the other.</summary>
internal sealed class ArchiveExtension
{
    private readonly ArrayBufferWriter<byte> _name = new();
    private readonly ArrayBufferWriter<byte> _target = new();
    private bool _hasName;
    private bool _hasTarget;
    private long? _size;
    private FileTime? _modified;

    public bool IsEmpty => !_hasName && !_hasTarget && _size is null && _modified is null;

    /// <summary>For the next entry.</summary>
    public void Clear()
    {
        _hasName = _hasTarget = false;
        _size = null;
        _modified = null;
    }

    public void SetName(ReadOnlySpan<byte> name)
    {
        _hasName = true;
        _name.ResetWrittenCount();
        _name.Write(name);
    }

    public void SetTarget(ReadOnlySpan<byte> target)
    {
        _hasTarget = true;
        _target.ResetWrittenCount();
        _target.Write(target);
    }

    /// <summary>pax records: <c>LENGTH KEY=VALUE\n</c>.</summary>
    /// <exception cref="BadArchiveException">They are none, or tell of a file with holes.</exception>
    public void AddRecords(ReadOnlySpan<byte> records)
    {
        while (!records.IsEmpty)
        {
            var blank = records.IndexOf((byte)' ');
            if (blank is < 1 or > 10 || !int.TryParse(records[..blank], NumberStyles.None, CultureInfo.InvariantCulture, out var length)
                || length <= blank + 1 || length > records.Length || records[length - 1] != (byte)'\n')
                throw Broken();
            var record = records[(blank + 1)..(length - 1)];
            var equals = record.IndexOf((byte)'=');
            if (equals < 1)
                throw Broken();
            Add(record[..equals], record[(equals + 1)..]);
            records = records[length..];
        }
    }

    /// <returns>Valid until this is changed.</returns>
    public ArchiveEntry Apply(ArchiveEntry header) => header with
    {
        Name = _hasName ? _name.WrittenMemory : header.Name,
        Target = _hasTarget ? _target.WrittenMemory : header.Target,
        Size = _size ?? header.Size,
        Modified = _modified ?? header.Modified,
    };

    private void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (key.StartsWith("GNU.sparse."u8))
            throw new BadArchiveException("Files with holes (GNU.sparse) are not taken; pack them without --sparse.");
        if (key.SequenceEqual("path"u8))
            SetName(WithoutNul(value));
        else if (key.SequenceEqual("linkpath"u8))
            SetTarget(WithoutNul(value));
        else if (key.SequenceEqual("size"u8))
            _size = long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? size : throw Broken();
        else if (key.SequenceEqual("mtime"u8))
            _modified = ParseTime(value);
    }

    private static ReadOnlySpan<byte> WithoutNul(ReadOnlySpan<byte> value) => value.Contains((byte)0) ? throw Broken() : value;

    /// <summary>Seconds, with or without a fraction.</summary>
    private static FileTime ParseTime(ReadOnlySpan<byte> text)
    {
        if (!decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var time)
            || time < long.MinValue || time > long.MaxValue)
            throw Broken();
        var seconds = decimal.Floor(time);
        return new FileTime((long)seconds, (uint)((time - seconds) * 1_000_000_000));
    }

    private static BadArchiveException Broken() => new("A pax header is broken.");
}
