using System.Runtime.InteropServices;
using DonkeyWork.CodeSandbox.Server.Posix;
using Microsoft.Win32.SafeHandles;
using static DonkeyWork.CodeSandbox.Server.Files.FileSystemCalls;

namespace DonkeyWork.CodeSandbox.Server.Files;

/// <summary>
/// Files by the descriptor of their directory and their name in it, a single component as bytes: so no path is too long,
/// and nothing is followed that the caller has not looked at. <c>Try…</c> returns the errno, or 0; the others throw
/// <see cref="FileSystemException"/>.
/// </summary>
internal static unsafe class FileSystem
{
    private const int MaxNameBytes = 255;
    private const int MaxTargetBytes = 4095;

    /// <summary>The directory <c>/</c>, to start from.</summary>
    public static SafeFileHandle OpenRoot()
    {
        var descriptor = Native.Open("/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
        return descriptor < 0 ? throw LastError() : new SafeFileHandle(descriptor, ownsHandle: true);
    }

    /// <summary>Opens without following a link, without waiting, and without getting a controlling terminal.</summary>
    public static int TryOpen(SafeFileHandle directory, ReadOnlySpan<byte> name, int flags, out SafeFileHandle file, int mode = 0)
    {
        file = null!;
        var buffer = stackalloc byte[MaxNameBytes + 1];
        if (!Terminate(name, buffer, MaxNameBytes))
            return FileError.ENAMETOOLONG;
        var descriptor = OpenAt(directory, buffer, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, mode);
        if (descriptor < 0)
            return Marshal.GetLastPInvokeError();
        file = new SafeFileHandle(descriptor, ownsHandle: true);
        return 0;
    }

    public static SafeFileHandle Open(SafeFileHandle directory, ReadOnlySpan<byte> name, int flags, int mode = 0) =>
        TryOpen(directory, name, flags, out var file, mode) is not 0 and var error ? throw new FileSystemException(error) : file;

    /// <summary>What it is; of a link, the link itself.</summary>
    public static int TryGetStatus(SafeFileHandle directory, ReadOnlySpan<byte> name, out FileStatus status)
    {
        status = default;
        var buffer = stackalloc byte[MaxNameBytes + 1];
        if (!Terminate(name, buffer, MaxNameBytes))
            return FileError.ENAMETOOLONG;
        StatusBuffer found;
        if (Status(directory, buffer, AT_SYMLINK_NOFOLLOW | (name.IsEmpty ? AT_EMPTY_PATH : 0), STATX_BASIC_STATS, &found) < 0)
            return Marshal.GetLastPInvokeError();
        status = new FileStatus(
            found.Mode, found.Owner, found.Group, found.Size, found.Inode, ((ulong)found.DeviceMajor << 32) | found.DeviceMinor,
            new FileTime(found.ModifiedSeconds, found.ModifiedNanoseconds), new FileTime(found.ChangedSeconds, found.ChangedNanoseconds));
        return 0;
    }

    /// <summary>What an open descriptor is.</summary>
    public static FileStatus StatusOf(SafeFileHandle file) =>
        TryGetStatus(file, default, out var status) is not 0 and var error ? throw new FileSystemException(error) : status;

    /// <summary>The number of its file system (statfs(2)).</summary>
    public static long KindOf(SafeFileHandle file) => MountOf(file).Kind;

    /// <summary>Whether nothing can be changed where it is.</summary>
    public static bool IsReadOnly(SafeFileHandle file)
    {
        const long readOnly = 1;
        return (MountOf(file).Flags & readOnly) != 0;
    }

    /// <summary>Whether the sandbox user may write to it.</summary>
    public static bool IsWritable(SafeFileHandle directory, ReadOnlySpan<byte> name)
    {
        var buffer = stackalloc byte[MaxNameBytes + 1];
        return Terminate(name, buffer, MaxNameBytes) && AccessAt(directory, buffer, W_OK, 0) == 0;
    }

    /// <summary>Where a link points.</summary>
    public static int TryReadLink(SafeFileHandle directory, ReadOnlySpan<byte> name, out byte[] target)
    {
        target = [];
        var buffer = stackalloc byte[MaxNameBytes + 1];
        var found = stackalloc byte[MaxTargetBytes + 1];
        if (!Terminate(name, buffer, MaxNameBytes))
            return FileError.ENAMETOOLONG;
        var length = ReadLinkAt(directory, buffer, found, MaxTargetBytes + 1);
        if (length < 0)
            return Marshal.GetLastPInvokeError();
        target = new ReadOnlySpan<byte>(found, (int)length).ToArray();
        return 0;
    }

    public static int TryMakeDirectory(SafeFileHandle directory, ReadOnlySpan<byte> name, int mode = 0x1ED)
    {
        var buffer = stackalloc byte[MaxNameBytes + 1];
        return !Terminate(name, buffer, MaxNameBytes) ? FileError.ENAMETOOLONG : ErrorOf(MakeDirectoryAt(directory, buffer, mode));
    }

    /// <summary>Removes a file, a link, or with <paramref name="isDirectory"/> an empty directory.</summary>
    public static int TryRemove(SafeFileHandle directory, ReadOnlySpan<byte> name, bool isDirectory = false)
    {
        var buffer = stackalloc byte[MaxNameBytes + 1];
        return !Terminate(name, buffer, MaxNameBytes) ? FileError.ENAMETOOLONG : ErrorOf(UnlinkAt(directory, buffer, isDirectory ? AT_REMOVEDIR : 0));
    }

    /// <summary>Renames; without <paramref name="replace"/> what is there already makes it fail with EEXIST, at once and for certain.</summary>
    public static int TryRename(SafeFileHandle from, ReadOnlySpan<byte> name, SafeFileHandle to, ReadOnlySpan<byte> newName, bool replace)
    {
        var oldBuffer = stackalloc byte[MaxNameBytes + 1];
        var newBuffer = stackalloc byte[MaxNameBytes + 1];
        if (!Terminate(name, oldBuffer, MaxNameBytes) || !Terminate(newName, newBuffer, MaxNameBytes))
            return FileError.ENAMETOOLONG;
        return ErrorOf(RenameAt(from, oldBuffer, to, newBuffer, replace ? 0 : RENAME_NOREPLACE));
    }

    /// <summary>A second name of a file; a link is not followed.</summary>
    public static int TryLink(SafeFileHandle from, ReadOnlySpan<byte> name, SafeFileHandle to, ReadOnlySpan<byte> newName)
    {
        var oldBuffer = stackalloc byte[MaxNameBytes + 1];
        var newBuffer = stackalloc byte[MaxNameBytes + 1];
        return !Terminate(name, oldBuffer, MaxNameBytes) || !Terminate(newName, newBuffer, MaxNameBytes)
            ? FileError.ENAMETOOLONG
            : ErrorOf(LinkAt(from, oldBuffer, to, newBuffer, 0));
    }

    public static int TryMakeSymlink(ReadOnlySpan<byte> target, SafeFileHandle directory, ReadOnlySpan<byte> name)
    {
        var targetBuffer = stackalloc byte[MaxTargetBytes + 1];
        var buffer = stackalloc byte[MaxNameBytes + 1];
        return !Terminate(target, targetBuffer, MaxTargetBytes) || !Terminate(name, buffer, MaxNameBytes)
            ? FileError.ENAMETOOLONG
            : ErrorOf(SymlinkAt(targetBuffer, directory, buffer));
    }

    public static void SetMode(SafeFileHandle file, uint permissions) => Check(ErrorOf(ChangeMode(file, permissions)));

    /// <summary>Sets when its content last changed. A time that its file system cannot hold is left out.</summary>
    public static void SetModified(SafeFileHandle file, FileTime time)
    {
        const long now = 0x3FFFFFFF;
        var times = stackalloc long[] { 0, now, time.Seconds, time.Nanoseconds };
        if (ErrorOf(ChangeTimes(file, times)) is not (0 or FileError.EINVAL) and var error)
            throw new FileSystemException(error);
    }

    /// <summary>Reads at a place; 0 is the end.</summary>
    public static int Read(SafeFileHandle file, Span<byte> bytes, long offset)
    {
        nint count;
        while ((count = ReadAt(file, bytes, bytes.Length, offset)) < 0)
        {
            if (Marshal.GetLastPInvokeError() != FileError.EINTR)
                throw LastError();
        }

        return (int)count;
    }

    /// <summary>Writes all of it.</summary>
    public static void WriteAll(SafeFileHandle file, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var count = Native.Write(file, bytes, bytes.Length);
            if (count < 0 && Marshal.GetLastPInvokeError() != FileError.EINTR)
                throw LastError();
            bytes = bytes[(int)Math.Max(count, 0)..];
        }
    }

    public static void Check(int error)
    {
        if (error != 0)
            throw new FileSystemException(error);
    }

    private static (long Kind, long Flags) MountOf(SafeFileHandle file)
    {
        // struct statfs on 64 bits: words, of which the first is the kind and the eleventh the flags.
        const int words = 32;
        const int flags = 10;
        var status = stackalloc long[words];
        return FileSystemStatus(file, status) < 0 ? throw LastError() : (status[0], status[flags]);
    }

    private static int ErrorOf(int result) => result < 0 ? Marshal.GetLastPInvokeError() : 0;

    private static FileSystemException LastError() => new(Marshal.GetLastPInvokeError());

    private static bool Terminate(ReadOnlySpan<byte> name, byte* buffer, int maxBytes)
    {
        if (name.Length > maxBytes)
            return false;
        name.CopyTo(new Span<byte>(buffer, maxBytes));
        buffer[name.Length] = 0;
        return true;
    }
}
