using System.Globalization;
using System.Text;

namespace DonkeyWork.CodeSandbox.Server.Files.Archives;

/// <summary>The headers of an archive that is sent: ustar's, and before it pax records for what does not fit.</summary>
internal static class ArchiveHeader
{
    private const long MaxOctalSize = (1L << 33) - 1;
    private const uint MaxOctalId = (1u << 21) - 1;

    /// <summary>Writes the header of an entry.</summary>
    /// <param name="type">One of <see cref="ArchiveEntryType"/>.</param>
    /// <param name="name">UTF-8.</param>
    /// <param name="target">Of a link: UTF-8.</param>
    /// <param name="status">The rest.</param>
    public static byte[] Make(byte type, byte[] name, byte[] target, FileStatus status)
    {
        var size = type == ArchiveEntryType.File ? status.Size : 0;
        var records = new List<byte>();
        if (NeedsRecord(name))
            AddRecord(records, "path", name);
        if (NeedsRecord(target))
            AddRecord(records, "linkpath", target);
        if (size > MaxOctalSize)
            AddRecord(records, "size", size);
        if (status.Modified.Seconds is < 0 or > MaxOctalSize)
            AddRecord(records, "mtime", status.Modified.Seconds);
        if (status.Owner > MaxOctalId)
            AddRecord(records, "uid", status.Owner);
        if (status.Group > MaxOctalId)
            AddRecord(records, "gid", status.Group);

        var block = Block(type, name, target, size, status);
        if (records.Count == 0)
            return block;
        var extended = Block(ArchiveEntryType.Extended, "PaxHeader"u8.ToArray(), [], records.Count, status with { Mode = 0x1A4 });
        return [.. extended, .. records, .. new byte[ArchiveFormat.Padding(records.Count)], .. block];
    }

    private static bool NeedsRecord(byte[] text) => text.Length > 100 || !Ascii.IsValid(text);

    private static void AddRecord(List<byte> records, string key, long value) =>
        AddRecord(records, key, Encoding.ASCII.GetBytes(value.ToString(CultureInfo.InvariantCulture)));

    /// <summary><c>LENGTH KEY=VALUE\n</c>, where the length counts itself.</summary>
    private static void AddRecord(List<byte> records, string key, byte[] value)
    {
        var rest = key.Length + value.Length + 3;
        var length = rest + Digits(rest);
        length = rest + Digits(length);
        records.AddRange(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{length} {key}=")));
        records.AddRange(value);
        records.Add((byte)'\n');
    }

    private static int Digits(int number) => number.ToString(CultureInfo.InvariantCulture).Length;

    private static byte[] Block(byte type, byte[] name, byte[] target, long size, FileStatus status)
    {
        var block = new byte[ArchiveFormat.BlockBytes];
        Cut(name).CopyTo(block.AsSpan()[ArchiveFormat.Name]);
        PutOctal(block.AsSpan()[ArchiveFormat.Mode], status.Permissions);
        PutOctal(block.AsSpan()[ArchiveFormat.Owner], Math.Min(status.Owner, MaxOctalId));
        PutOctal(block.AsSpan()[ArchiveFormat.Group], Math.Min(status.Group, MaxOctalId));
        PutOctal(block.AsSpan()[ArchiveFormat.Size], Math.Min(size, MaxOctalSize));
        PutOctal(block.AsSpan()[ArchiveFormat.Modified], Math.Clamp(status.Modified.Seconds, 0, MaxOctalSize));
        block[ArchiveFormat.Type] = type;
        Cut(target).CopyTo(block.AsSpan()[ArchiveFormat.LinkTarget]);
        "ustar\000"u8.CopyTo(block.AsSpan()[ArchiveFormat.Magic]);
        PutOctal(block.AsSpan()[ArchiveFormat.Checksum][..7], Sum(block));
        return block;
    }

    /// <summary>The sum of a header, its own field counted as blanks.</summary>
    public static uint Sum(ReadOnlySpan<byte> block)
    {
        uint sum = 8 * ' ';
        for (var i = 0; i < ArchiveFormat.BlockBytes; i++)
            sum += i is >= 148 and < 156 ? 0u : block[i];
        return sum;
    }

    private static ReadOnlySpan<byte> Cut(byte[] text) => text.AsSpan(0, Math.Min(text.Length, 100));

    /// <summary>Digits, as many as fit before a NUL.</summary>
    private static void PutOctal(Span<byte> field, long value)
    {
        for (var i = field.Length - 2; i >= 0; i--, value >>= 3)
            field[i] = (byte)('0' + (value & 7));
    }
}
