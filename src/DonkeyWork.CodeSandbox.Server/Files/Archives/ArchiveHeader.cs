using System.Buffers;
using System.Globalization;
using System.Text;

namespace DonkeyWork.CodeSandbox.Server.Files.Archives;

/// <summary>
/// The headers of an archive that is sent: ustar's, and before it pax records for what does not fit. One serves all entries,
/// one after the other.
/// </summary>
internal sealed class ArchiveHeader
{
    private const long MaxOctalSize = (1L << 33) - 1;
    private const uint MaxOctalId = (1u << 21) - 1;
    private const int MaxDigits = 20;

    private readonly ArrayBufferWriter<byte> _records = new();
    private readonly ArrayBufferWriter<byte> _header = new();

    /// <summary>Makes the header of an entry.</summary>
    /// <param name="type">One of <see cref="ArchiveEntryType"/>.</param>
    /// <param name="name">UTF-8.</param>
    /// <param name="target">Of a link: UTF-8.</param>
    /// <param name="status">The rest.</param>
    /// <returns>Valid until the next is made.</returns>
    public ReadOnlyMemory<byte> Make(byte type, ReadOnlySpan<byte> name, ReadOnlySpan<byte> target, FileStatus status)
    {
        var size = type == ArchiveEntryType.File ? status.Size : 0;
        _records.ResetWrittenCount();
        _header.ResetWrittenCount();
        if (NeedsRecord(name))
            AddRecord("path"u8, name);
        if (NeedsRecord(target))
            AddRecord("linkpath"u8, target);
        if (size > MaxOctalSize)
            AddRecord("size"u8, size);
        if (status.Modified.Seconds is < 0 or > MaxOctalSize)
            AddRecord("mtime"u8, status.Modified.Seconds);
        if (status.Owner > MaxOctalId)
            AddRecord("uid"u8, status.Owner);
        if (status.Group > MaxOctalId)
            AddRecord("gid"u8, status.Group);

        if (_records.WrittenCount > 0)
        {
            AddBlock(ArchiveEntryType.Extended, "PaxHeader"u8, [], _records.WrittenCount, status with { Mode = 0x1A4 });
            _header.Write(_records.WrittenSpan);
            _header.Write(ArchiveFormat.Zeros.Span[..ArchiveFormat.Padding(_records.WrittenCount)]);
        }

        AddBlock(type, name, target, size, status);
        return _header.WrittenMemory;
    }

    private static bool NeedsRecord(ReadOnlySpan<byte> text) => text.Length > 100 || !Ascii.IsValid(text);

    private void AddRecord(ReadOnlySpan<byte> key, long value)
    {
        Span<byte> digits = stackalloc byte[MaxDigits];
        value.TryFormat(digits, out var count, provider: CultureInfo.InvariantCulture);
        AddRecord(key, digits[..count]);
    }

    /// <summary><c>LENGTH KEY=VALUE\n</c>, where the length counts itself.</summary>
    private void AddRecord(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var rest = key.Length + value.Length + 3;
        Span<byte> length = stackalloc byte[MaxDigits];
        rest.TryFormat(length, out var digits, provider: CultureInfo.InvariantCulture);
        (rest + digits).TryFormat(length, out digits, provider: CultureInfo.InvariantCulture);
        (rest + digits).TryFormat(length, out digits, provider: CultureInfo.InvariantCulture);
        _records.Write(length[..digits]);
        _records.Write(" "u8);
        _records.Write(key);
        _records.Write("="u8);
        _records.Write(value);
        _records.Write("\n"u8);
    }

    private void AddBlock(byte type, ReadOnlySpan<byte> name, ReadOnlySpan<byte> target, long size, FileStatus status)
    {
        var block = _header.GetSpan(ArchiveFormat.BlockBytes)[..ArchiveFormat.BlockBytes];
        block.Clear();
        Cut(name).CopyTo(block[ArchiveFormat.Name]);
        PutOctal(block[ArchiveFormat.Mode], status.Permissions);
        PutOctal(block[ArchiveFormat.Owner], Math.Min(status.Owner, MaxOctalId));
        PutOctal(block[ArchiveFormat.Group], Math.Min(status.Group, MaxOctalId));
        PutOctal(block[ArchiveFormat.Size], Math.Min(size, MaxOctalSize));
        PutOctal(block[ArchiveFormat.Modified], Math.Clamp(status.Modified.Seconds, 0, MaxOctalSize));
        block[ArchiveFormat.Type] = type;
        Cut(target).CopyTo(block[ArchiveFormat.LinkTarget]);
        "ustar\000"u8.CopyTo(block[ArchiveFormat.Magic]);
        PutOctal(block[ArchiveFormat.Checksum][..7], Sum(block));
        _header.Advance(ArchiveFormat.BlockBytes);
    }

    /// <summary>The sum of a header, its own field counted as blanks.</summary>
    public static uint Sum(ReadOnlySpan<byte> block)
    {
        uint sum = 8 * ' ';
        for (var i = 0; i < ArchiveFormat.BlockBytes; i++)
            sum += i is >= 148 and < 156 ? 0u : block[i];
        return sum;
    }

    private static ReadOnlySpan<byte> Cut(ReadOnlySpan<byte> text) => text[..Math.Min(text.Length, 100)];

    /// <summary>Digits, as many as fit before a NUL.</summary>
    private static void PutOctal(Span<byte> field, long value)
    {
        for (var i = field.Length - 2; i >= 0; i--, value >>= 3)
            field[i] = (byte)('0' + (value & 7));
    }
}
