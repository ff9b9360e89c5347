namespace DonkeyWork.CodeSandbox.Server.Files.Archives;

/// <summary>Reads one block of an archive as a header.</summary>
internal static class ArchiveBlock
{
    /// <summary>What the block says, before any extension.</summary>
    /// <exception cref="BadArchiveException">It is no header.</exception>
    public static ArchiveEntry Parse(byte[] block)
    {
        if (Number(block.AsSpan()[ArchiveFormat.Checksum], "checksum") != ArchiveHeader.Sum(block))
            throw new BadArchiveException("A header's checksum is wrong; this is no tar archive, or a compressed one.");
        var size = Number(block.AsSpan()[ArchiveFormat.Size], "size");
        if (size < 0)
            throw new BadArchiveException("An entry has a negative size.");
        var name = Text(block.AsSpan()[ArchiveFormat.Name]);
        // GNU has other things where POSIX has the beginning of a long name.
        if (block.AsSpan()[ArchiveFormat.Magic].StartsWith("ustar\0"u8) && Text(block.AsSpan()[ArchiveFormat.Prefix]) is { Length: > 0 } prefix)
            name = [.. prefix, (byte)'/', .. name];
        return new ArchiveEntry
        {
            Type = block[ArchiveFormat.Type],
            Name = name,
            Target = Text(block.AsSpan()[ArchiveFormat.LinkTarget]),
            Size = size,
            Permissions = (uint)Number(block.AsSpan()[ArchiveFormat.Mode], "mode") & 0x1FF,
            Modified = new FileTime(Number(block.AsSpan()[ArchiveFormat.Modified], "time"), 0),
        };
    }

    /// <summary>Up to the first NUL.</summary>
    public static byte[] Text(ReadOnlySpan<byte> field)
    {
        var end = field.IndexOf((byte)0);
        return field[..(end < 0 ? field.Length : end)].ToArray();
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
