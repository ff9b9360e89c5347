using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Local.Posix;

/// <summary>The calls of the kernel and the C library (glibc 2.34 or later, for closefrom) that .NET does not offer.</summary>
internal static partial class LibC
{
    public const int AtFdCwd = -100;
    public const int Efault = 14;
    public const int Ebusy = 16;
    public const int Eexist = 17;
    public const int Einval = 22;
    public const int Enoent = 2;
    public const int Esrch = 3;
    public const int Enxio = 6;

    private const string Library = "libc";
    private const int SysOpenTree = 428;
    private const int SysPidFdSendSignal = 424;
    private const int SysPidFdOpen = 434;
    private const int SysOpenAt2 = 437;

    [LibraryImport(Library, EntryPoint = "geteuid")]
    public static partial uint GetEffectiveUserId();

    [LibraryImport(Library, EntryPoint = "getegid")]
    public static partial uint GetEffectiveGroupId();

    [LibraryImport(Library, EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    public static partial int Open(string path, int flags, int mode);

    [LibraryImport(Library, EntryPoint = "access", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    public static partial int Access(string path, int mode);

    [LibraryImport(Library, EntryPoint = "fcntl", SetLastError = true)]
    public static partial int Fcntl(SafeHandle descriptor, int command, nint argument);

    [LibraryImport(Library, EntryPoint = "flock", SetLastError = true)]
    public static partial int Flock(SafeHandle descriptor, int operation);

    [LibraryImport(Library, EntryPoint = "ioctl", SetLastError = true)]
    public static partial int Ioctl(SafeHandle descriptor, nuint request, nint argument);

    [LibraryImport(Library, EntryPoint = "chown", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    public static partial int Chown(string path, uint user, uint group);

    [LibraryImport(Library, EntryPoint = "mount", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    public static partial int Mount(string source, string target, string type, nuint flags, string? data);

    [LibraryImport(Library, EntryPoint = "umount2", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    public static partial int Unmount(string target, int flags);

    [LibraryImport(Library, EntryPoint = "lseek", SetLastError = true)]
    public static partial long Seek(SafeHandle descriptor, long offset, int whence);

    [LibraryImport(Library, EntryPoint = "copy_file_range", SetLastError = true)]
    public static partial nint CopyFileRange(SafeHandle source, ref long sourceOffset, SafeHandle target, ref long targetOffset, nuint length, uint flags);

    [LibraryImport(Library, EntryPoint = "memfd_create", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    public static partial int MemFdCreate(string name, uint flags);

    [LibraryImport(Library, EntryPoint = "waitpid", SetLastError = true)]
    public static partial int WaitPid(int pid, out int status, int options);

    [LibraryImport(Library, EntryPoint = "epoll_create1", SetLastError = true)]
    public static partial int EpollCreate(int flags);

    [LibraryImport(Library, EntryPoint = "epoll_ctl", SetLastError = true)]
    public static unsafe partial int EpollControl(SafeHandle epoll, int operation, SafeHandle descriptor, void* change);

    [LibraryImport(Library, EntryPoint = "epoll_wait", SetLastError = true)]
    public static unsafe partial int EpollWait(SafeHandle epoll, void* events, int capacity, int timeoutMilliseconds);

    [LibraryImport(Library, EntryPoint = "eventfd", SetLastError = true)]
    public static partial int EventFd(uint initial, int flags);

    [LibraryImport(Library, EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(SafeHandle descriptor, in ulong value, nuint size);

    [LibraryImport(Library, EntryPoint = "posix_spawn", StringMarshalling = StringMarshalling.Utf8)]
    public static unsafe partial int Spawn(out int pid, string path, void* actions, void* attributes, byte** arguments, byte** environment);

    [LibraryImport(Library, EntryPoint = "posix_spawnattr_init")]
    public static unsafe partial int SpawnAttributesInit(void* attributes);

    [LibraryImport(Library, EntryPoint = "posix_spawnattr_destroy")]
    public static unsafe partial int SpawnAttributesDestroy(void* attributes);

    [LibraryImport(Library, EntryPoint = "posix_spawnattr_setflags")]
    public static unsafe partial int SpawnAttributesSetFlags(void* attributes, short flags);

    [LibraryImport(Library, EntryPoint = "posix_spawnattr_setsigmask")]
    public static unsafe partial int SpawnAttributesSetMask(void* attributes, void* signals);

    [LibraryImport(Library, EntryPoint = "posix_spawnattr_setsigdefault")]
    public static unsafe partial int SpawnAttributesSetDefault(void* attributes, void* signals);

    [LibraryImport(Library, EntryPoint = "posix_spawn_file_actions_init")]
    public static unsafe partial int SpawnActionsInit(void* actions);

    [LibraryImport(Library, EntryPoint = "posix_spawn_file_actions_destroy")]
    public static unsafe partial int SpawnActionsDestroy(void* actions);

    [LibraryImport(Library, EntryPoint = "posix_spawn_file_actions_adddup2")]
    public static unsafe partial int SpawnActionsAddDup(void* actions, int source, int target);

    [LibraryImport(Library, EntryPoint = "posix_spawn_file_actions_addclosefrom_np")]
    public static unsafe partial int SpawnActionsAddCloseFrom(void* actions, int first);

    [LibraryImport(Library, EntryPoint = "sigemptyset")]
    public static unsafe partial int SignalsNone(void* signals);

    [LibraryImport(Library, EntryPoint = "sigfillset")]
    public static unsafe partial int SignalsAll(void* signals);

    /// <summary>open_tree(2) with OPEN_TREE_CLONE.</summary>
    public static int OpenTree(string path, uint flags) => (int)SystemCall(SysOpenTree, AtFdCwd, path, (nint)flags, 0);

    /// <summary>pidfd_open(2).</summary>
    public static int PidFdOpen(int pid) => (int)SystemCall(SysPidFdOpen, pid, 0, 0, 0);

    /// <summary>pidfd_send_signal(2).</summary>
    public static int PidFdSendSignal(SafeHandle pidFd, int signal) =>
        (int)SystemCall(SysPidFdSendSignal, (int)pidFd.DangerousGetHandle(), signal, 0, 0);

    /// <summary>openat2(2).</summary>
    public static unsafe int OpenAt2(SafeHandle directory, string path, ulong flags, ulong resolve)
    {
        var how = stackalloc ulong[3] { flags, 0, resolve };
        return (int)SystemCall(SysOpenAt2, (int)directory.DangerousGetHandle(), path, (nint)how, 3 * sizeof(ulong));
    }

    /// <summary>The descriptor of a call that may have failed.</summary>
    /// <exception cref="PosixException">It has.</exception>
    public static SafeFileHandle Owned(int descriptor, string what) =>
        descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw PosixException.Last(what);

    /// <summary>Throws where a call has failed.</summary>
    /// <exception cref="PosixException">It has.</exception>
    public static void Check(long result, string what)
    {
        if (result < 0)
            throw PosixException.Last(what);
    }

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, nint first, nint second, nint third, nint fourth);

    [LibraryImport(Library, EntryPoint = "syscall", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial nint SystemCall(nint number, nint first, string path, nint third, nint fourth);
}
