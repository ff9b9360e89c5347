using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Server.Files;

/// <summary>System calls on descriptors and names as bytes, which .NET has not: its file API knows paths of UTF-16 alone.</summary>
internal static unsafe partial class FileSystemCalls
{
    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true)]
    public static partial int OpenAt(SafeFileHandle directory, byte* name, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    public static partial int Status(SafeFileHandle directory, byte* name, int flags, uint mask, StatusBuffer* status);

    [LibraryImport("libc", EntryPoint = "fstatfs", SetLastError = true)]
    public static partial int FileSystemStatus(SafeFileHandle file, long* status);

    [LibraryImport("libc", EntryPoint = "faccessat", SetLastError = true)]
    public static partial int AccessAt(SafeFileHandle directory, byte* name, int mode, int flags);

    [LibraryImport("libc", EntryPoint = "readlinkat", SetLastError = true)]
    public static partial nint ReadLinkAt(SafeFileHandle directory, byte* name, byte* target, nint size);

    [LibraryImport("libc", EntryPoint = "mkdirat", SetLastError = true)]
    public static partial int MakeDirectoryAt(SafeFileHandle directory, byte* name, int mode);

    [LibraryImport("libc", EntryPoint = "unlinkat", SetLastError = true)]
    public static partial int UnlinkAt(SafeFileHandle directory, byte* name, int flags);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true)]
    public static partial int RenameAt(SafeFileHandle from, byte* name, SafeFileHandle to, byte* newName, uint flags);

    [LibraryImport("libc", EntryPoint = "linkat", SetLastError = true)]
    public static partial int LinkAt(SafeFileHandle from, byte* name, SafeFileHandle to, byte* newName, int flags);

    [LibraryImport("libc", EntryPoint = "symlinkat", SetLastError = true)]
    public static partial int SymlinkAt(byte* target, SafeFileHandle directory, byte* name);

    [LibraryImport("libc", EntryPoint = "fchmod", SetLastError = true)]
    public static partial int ChangeMode(SafeFileHandle file, uint mode);

    [LibraryImport("libc", EntryPoint = "futimens", SetLastError = true)]
    public static partial int ChangeTimes(SafeFileHandle file, long* times);

    [LibraryImport("libc", EntryPoint = "getdents64", SetLastError = true)]
    public static partial nint ReadDirectory(SafeFileHandle directory, byte* buffer, nint size);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    public static partial long Seek(SafeFileHandle file, long offset, int whence);

    [LibraryImport("libc", EntryPoint = "pread", SetLastError = true)]
    public static partial nint ReadAt(SafeFileHandle file, Span<byte> bytes, nint count, long offset);

    private static readonly bool IsArm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    public const int AT_SYMLINK_NOFOLLOW = 0x100;
    public const int AT_REMOVEDIR = 0x200;
    public const int AT_EMPTY_PATH = 0x1000;
    public const int O_RDONLY = 0;
    public const int O_WRONLY = 1;
    public const int O_RDWR = 2;
    public const int O_CREAT = 0x40;
    public const int O_EXCL = 0x80;
    public const int O_NOCTTY = 0x100;
    public const int O_NONBLOCK = 0x800;
    public const int O_CLOEXEC = 0x80000;
    public const int O_PATH = 0x200000;
    public static readonly int O_DIRECTORY = IsArm ? 0x4000 : 0x10000;
    public static readonly int O_NOFOLLOW = IsArm ? 0x8000 : 0x20000;
    public const uint STATX_BASIC_STATS = 0x7FF;
    public const uint RENAME_NOREPLACE = 1;
    public const int SEEK_SET = 0;
    public const int W_OK = 2;

    /// <summary>struct statx (statx(2)): the same on every architecture.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    public struct StatusBuffer
    {
        [FieldOffset(20)] public uint Owner;
        [FieldOffset(24)] public uint Group;
        [FieldOffset(28)] public ushort Mode;
        [FieldOffset(32)] public ulong Inode;
        [FieldOffset(40)] public long Size;
        [FieldOffset(96)] public long ChangedSeconds;
        [FieldOffset(104)] public uint ChangedNanoseconds;
        [FieldOffset(112)] public long ModifiedSeconds;
        [FieldOffset(120)] public uint ModifiedNanoseconds;
        [FieldOffset(136)] public uint DeviceMajor;
        [FieldOffset(140)] public uint DeviceMinor;
    }
}
