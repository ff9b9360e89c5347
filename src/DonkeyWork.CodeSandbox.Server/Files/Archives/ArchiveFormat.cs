namespace DonkeyWork.CodeSandbox.Server.Files.Archives;

/// <summary>Where things are in a header of a tar archive (POSIX.1-2024, pax, "ustar Interchange Format").</summary>
internal static class ArchiveFormat
{
    public const string ContentType = "application/x-tar";
    public const int BlockBytes = 512;
    public static readonly Range Name = 0..100;
    public static readonly Range Mode = 100..108;
    public static readonly Range Owner = 108..116;
    public static readonly Range Group = 116..124;
    public static readonly Range Size = 124..136;
    public static readonly Range Modified = 136..148;
    public static readonly Range Checksum = 148..156;
    public const int Type = 156;
    public static readonly Range LinkTarget = 157..257;
    public static readonly Range Magic = 257..265;
    public static readonly Range Prefix = 345..500;

    /// <summary>What ends an archive, and fills up what is no whole block.</summary>
    public static readonly ReadOnlyMemory<byte> Zeros = new byte[2 * BlockBytes];

    /// <summary>How many bytes follow content of this size, up to the next block.</summary>
    public static int Padding(long size) => (int)(-size & (BlockBytes - 1));
}

/// <summary>What an archive's entry is.</summary>
internal static class ArchiveEntryType
{
    public const byte File = (byte)'0';
    public const byte OldFile = 0;
    public const byte HardLink = (byte)'1';
    public const byte Symlink = (byte)'2';
    public const byte Directory = (byte)'5';
    public const byte ContiguousFile = (byte)'7';
    public const byte Extended = (byte)'x';
    public const byte GlobalExtended = (byte)'g';
    public const byte GnuLongName = (byte)'L';
    public const byte GnuLongTarget = (byte)'K';
}

/// <summary>An entry of an archive; its content follows. Its names are valid until the next one is asked for.</summary>
internal readonly record struct ArchiveEntry
{
    public required byte Type { get; init; }

    /// <summary>As it is written: any bytes.</summary>
    public required ReadOnlyMemory<byte> Name { get; init; }

    /// <summary>Of a link: where it leads.</summary>
    public required ReadOnlyMemory<byte> Target { get; init; }

    public required long Size { get; init; }

    public required uint Permissions { get; init; }

    public required FileTime Modified { get; init; }
}
