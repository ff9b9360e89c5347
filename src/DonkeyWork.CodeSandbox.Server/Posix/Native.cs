using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>The C parts of the executor (Native/codesandbox.h) and the few system calls that .NET has no name for.</summary>
internal static unsafe partial class Native
{
    private const string Library = "codesandbox_native";

    [LibraryImport(Library, EntryPoint = "cs_spawn")]
    public static partial int Spawn(SpawnRequest* request);

    [LibraryImport(Library, EntryPoint = "cs_wait_peek")]
    public static partial int WaitPeek(out int pid);

    [LibraryImport(Library, EntryPoint = "cs_reap")]
    public static partial int Reap(int pid, out int status, out ChildUsage usage);

    [LibraryImport(Library, EntryPoint = "cs_own_peak_memory")]
    public static partial long OwnPeakMemory();

    [LibraryImport(Library, EntryPoint = "cs_forbid_inotify")]
    public static partial void ForbidInotify();

    [LibraryImport(Library, EntryPoint = "cs_protect")]
    public static partial int Protect(int dumpableGuard, int signalGuard, int quitDescriptor);

    [LibraryImport(Library, EntryPoint = "cs_sweep")]
    public static partial int Sweep(int helper, ReadOnlySpan<int> helpers, int count);

    [LibraryImport("libc", EntryPoint = "pipe2", SetLastError = true)]
    public static partial int Pipe(int* descriptors, int flags);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(SafeFileHandle descriptor, ReadOnlySpan<byte> bytes, nint count);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(SafeFileHandle descriptor, Span<byte> bytes, nint count);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int IoControl(SafeFileHandle descriptor, nuint request, out int value);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int IoControl(SafeFileHandle descriptor, nuint request, ReadOnlySpan<byte> value);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int IoControl(SafeFileHandle descriptor, nuint request, Span<byte> value);

    [LibraryImport("libc", EntryPoint = "socketpair", SetLastError = true)]
    public static partial int SocketPair(int domain, int type, int protocol, int* descriptors);

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    public static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    public static partial int EpollControl(int epoll, int operation, SafeHandle descriptor, ref EpollEvent request);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    public static partial int EpollWait(int epoll, byte* events, int count, int timeoutMilliseconds);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    public static partial int FileControl(SafeFileHandle descriptor, int command, int value);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int pid, int signal);

    public const int F_SETFD = 2;
    public const int FD_CLOEXEC = 1;
    public const int F_SETFL = 4;
    public const int F_DUPFD_CLOEXEC = 1030;
    public const nuint FIONREAD = 0x541B;
    public const nuint TCGETS = 0x5401;
    public const nuint TCSETS = 0x5402;
    public const nuint TIOCSWINSZ = 0x5414;
    public const nuint TIOCSPTLCK = 0x40045431;
    public const nuint TIOCGPTN = 0x80045430;
    public const uint EPOLLIN = 1;
    public const uint EPOLLOUT = 4;
    public const uint EPOLLONESHOT = 1u << 30;
    public const int EPOLL_CTL_ADD = 1;
    public const int EPOLL_CTL_DEL = 2;
    public const int EPOLL_CTL_MOD = 3;
    public const int SIGHUP = 1;
    public const int SIGKILL = 9;
    public const int SIGCONT = 18;
    public const int EINTR = 4;
    public const int EIO = 5;
    public const int EAGAIN = 11;
    public const int ENOMEM = 12;
    public const int ECHILD = 10;
    public const int EPIPE = 32;
    public const int ECONNRESET = 104;
}
