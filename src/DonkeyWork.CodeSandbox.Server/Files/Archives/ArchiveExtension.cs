using System.Globalization;
using System.Text;

namespace DonkeyWork.CodeSandbox.Server.Files.Archives;

/// <summary>What headers before an entry say instead of its own.</summary>
internal sealed class ArchiveExtension
{
    private long? _size;
    private FileTime? _modified;

    public byte[]? Name { get; set; }

    public byte[]? Target { get; set; }

    public bool IsEmpty => Name is null && Target is null && _size is null && _modified is null;

    /// <summary>pax records: <c>LENGTH KEY=VALUE\n</c>.</summary>
    /// <exception cref="BadArchiveException">They are none, or tell of a file with holes.</exception>
    public void AddRecords(ReadOnlySpan<byte> records)
    {
        while (!records.IsEmpty)
        {
            var blank = records.IndexOf((byte)' ');
            if (blank < 1 || !int.TryParse(Encoding.ASCII.GetString(records[..Math.Min(blank, 10)]), NumberStyles.None, CultureInfo.InvariantCulture, out var length)
                || length <= blank + 1 || length > records.Length || records[length - 1] != (byte)'\n')
                throw Broken();
            var record = records[(blank + 1)..(length - 1)];
            var equals = record.IndexOf((byte)'=');
            if (equals < 1)
                throw Broken();
            Add(Encoding.ASCII.GetString(record[..equals]), record[(equals + 1)..]);
            records = records[length..];
        }
    }

    public ArchiveEntry Apply(ArchiveEntry header) => header with
    {
        Name = Name ?? header.Name,
        Target = Target ?? header.Target,
        Size = _size ?? header.Size,
        Modified = _modified ?? header.Modified,
    };

    private void Add(string key, ReadOnlySpan<byte> value)
    {
        if (key.StartsWith("GNU.sparse.", StringComparison.Ordinal))
            throw new BadArchiveException("Files with holes (GNU.sparse) are not taken; pack them without --sparse.");
        if (key is "path" or "linkpath" && value.Contains((byte)0))
            throw Broken();
        switch (key)
        {
            case "path":
                Name = value.ToArray();
                break;
            case "linkpath":
                Target = value.ToArray();
                break;
            case "size":
                _size = long.TryParse(Encoding.ASCII.GetString(value), NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? size : throw Broken();
                break;
            case "mtime":
                _modified = ParseTime(Encoding.ASCII.GetString(value));
                break;
        }
    }

    /// <summary>Seconds, with or without a fraction.</summary>
    private static FileTime ParseTime(string text)
    {
        if (!decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var time)
            || time < long.MinValue || time > long.MaxValue)
            throw Broken();
        var seconds = decimal.Floor(time);
        return new FileTime((long)seconds, (uint)((time - seconds) * 1_000_000_000));
    }

    private static BadArchiveException Broken() => new("A pax header is broken.");
}
