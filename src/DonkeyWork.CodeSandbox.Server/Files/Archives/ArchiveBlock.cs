using System.Buffers;

namespace DonkeyWork.CodeSandbox.Server.Files.Archives;

/// <summary>Reads one block of an archive as a header.</summary>
internal static class ArchiveBlock
{
    /// <summary>What the block says, before any extension.</summary>
    /// <param name="block">Names are parts of it.</param>
    /// <param name="longName">Takes the name that is in two parts.</param>
    /// <exception cref="BadArchiveException">It is no header.</exception>
    public static ArchiveEntry Parse(byte[] block, ArrayBufferWriter<byte> longName)
    {
        if (Number(block.AsSpan()[ArchiveFormat.Checksum], "checksum") != ArchiveHeader.Sum(block))
            throw new BadArchiveException("A header's checksum is wrong; this is no tar archive, or a compressed one.");
        var size = Number(block.AsSpan()[ArchiveFormat.Size], "size");
        if (size < 0)
            throw new BadArchiveException("An entry has a negative size.");
        var name = Text(block.AsMemory()[ArchiveFormat.Name]);
        // GNU has other things where POSIX has the beginning of a long name.
        if (block.AsSpan()[ArchiveFormat.Magic].StartsWith("ustar\0"u8) && Text(block.AsMemory()[ArchiveFormat.Prefix]) is { IsEmpty: false } prefix)
        {
            longName.ResetWrittenCount();
            longName.Write(prefix.Span);
            longName.Write("/"u8);
            longName.Write(name.Span);
            name = longName.WrittenMemory;
        }

        return new ArchiveEntry
        {
            Type = block[ArchiveFormat.Type],
            Name = name,
            Target = Text(block.AsMemory()[ArchiveFormat.LinkTarget]),
            Size = size,
            Permissions = (uint)Number(block.AsSpan()[ArchiveFormat.Mode], "mode") & 0x1FF,
            Modified = new FileTime(Number(block.AsSpan()[ArchiveFormat.Modified], "time"), 0),
        };
    }

    /// <summary>Up to the first NUL.</summary>
    public static ReadOnlyMemory<byte> Text(ReadOnlyMemory<byte> field)
    {
        var end = field.Span.IndexOf((byte)0);
        return end < 0 ? field : field[..end];
    }

    /// <summary>Octal digits between blanks and NULs; or, marked by the highest bit, two's complement, which GNU writes for what is too large.</summary>
    private static long Number(ReadOnlySpan<byte> field, string what)
    {
        if ((field[0] & 0x80) != 0)
            return Binary(field, what);
        var digits = field.Trim(" \0"u8);
        long number = 0;
        foreach (var digit in digits)
        {
            if (digit is < (byte)'0' or > (byte)'7')
                throw new BadArchiveException($"The {what} of an entry is no number.");
            number = (number << 3) | (uint)(digit - '0');
        }

        return number;
    }

    private static long Binary(ReadOnlySpan<byte> field, string what)
    {
        // The mark is the highest bit, the sign the next.
        var isNegative = (field[0] & 0x40) != 0;
        Int128 number = isNegative ? -1 : 0;
        number = (number << 7) | (Int128)(field[0] & 0x7F);
        foreach (var digit in field[1..])
            number = (number << 8) | digit;
        return number >= long.MinValue && number <= long.MaxValue ? (long)number : throw new BadArchiveException($"The {what} of an entry is too large.");
    }
}
