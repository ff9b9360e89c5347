using System.Globalization;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Server.Files;

/// <summary>What statx(2) says of a file.</summary>
internal readonly record struct FileStatus(
    uint Mode, uint Owner, uint Group, long Size, ulong Inode, ulong Device, FileTime Modified, FileTime Changed)
{
    private const uint TypeMask = 0xF000;

    public FileEntryType Type => (Mode & TypeMask) switch
    {
        0x8000 => FileEntryType.File,
        0x4000 => FileEntryType.Directory,
        0xA000 => FileEntryType.Symlink,
        _ => FileEntryType.Other,
    };

    /// <summary>The permission bits, set-id and sticky ones included.</summary>
    public uint Permissions => Mode & 0xFFF;

    /// <summary>The permission bits in octal, such as <c>0644</c>.</summary>
    public string ModeText => Convert.ToString(Permissions, 8).PadLeft(4, '0');

    /// <summary>
    /// The strong entity tag. The time of change is in it, which no program can set, so that a new content with an old
    /// date is not taken for the old one.
    /// </summary>
    public string Tag => string.Create(
        CultureInfo.InvariantCulture,
        $"\"{Device:x}.{Inode:x}-{Size:x}-{Modified.Seconds:x}.{Modified.Nanoseconds:x}-{Changed.Seconds:x}.{Changed.Nanoseconds:x}\"");

    /// <summary>Whether it is the same file, whatever its content.</summary>
    public bool IsSameFile(FileStatus other) => Inode == other.Inode && Device == other.Device;
}

/// <summary>A time of a file; any that a program sets, also such as no calendar has.</summary>
internal readonly record struct FileTime(long Seconds, uint Nanoseconds)
{
    /// <summary>The nearest time between the years 1 and 9999.</summary>
    public DateTimeOffset Nearest =>
        DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(Seconds, DateTimeOffset.MinValue.ToUnixTimeSeconds(), DateTimeOffset.MaxValue.ToUnixTimeSeconds()))
            .AddTicks(Seconds < DateTimeOffset.MaxValue.ToUnixTimeSeconds() ? Nanoseconds / 100 : 0);
}
