using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Local.Posix;

/// <summary>Opening and copying descriptors; all of them close on exec.</summary>
internal static class Descriptors
{
    private const int ReadWrite = 2;
    private const int NonBlocking = 0x800;
    private const int CloseOnExec = 0x80000;
    private const int PathOnly = 0x200000;
    private const int DuplicateCloseOnExec = 1030;
    private const uint MemFdCloseOnExec = 1;
    private const uint OpenTreeClone = 1;
    private const ulong NoSymlinks = 4;
    private const ulong Beneath = 8;

    // O_DIRECTORY differs between the architectures (asm/fcntl.h).
    private static readonly int DirectoryOnly = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 ? 0x4000 : 0x10000;

    /// <summary>A copy, numbered 64 or above, so that it never is the target of a child's descriptor map.</summary>
    public static SafeFileHandle Duplicate(SafeHandle descriptor) =>
        LibC.Owned(LibC.Fcntl(descriptor, DuplicateCloseOnExec, 64), "fcntl");

    /// <summary>A file in memory, to catch what a program prints.</summary>
    public static SafeFileHandle InMemory(string name) => LibC.Owned(LibC.MemFdCreate(name, MemFdCloseOnExec), "memfd_create");

    /// <summary>A pidfd.</summary>
    /// <exception cref="PosixException">There is no such process (ESRCH).</exception>
    public static SafeFileHandle Process(int pid) => LibC.Owned(LibC.PidFdOpen(pid), $"pidfd_open of {pid}");

    /// <summary>A directory, to name what is in it through <see cref="PathOf"/>.</summary>
    public static SafeFileHandle Directory(string path) =>
        LibC.Owned(LibC.Open(path, PathOnly | DirectoryOnly | CloseOnExec, 0), path);

    /// <summary>A device, to be driven by ioctl.</summary>
    public static SafeFileHandle Device(string path) => LibC.Owned(LibC.Open(path, ReadWrite | CloseOnExec, 0), path);

    /// <summary>A file to lock, made where it is missing. Not by .NET's own open, which puts a lock of its own on files.</summary>
    public static SafeFileHandle LockFile(string path)
    {
        const int Create = 0x40;
        const int OwnerOnly = 0x180;
        return LibC.Owned(LibC.Open(path, ReadWrite | Create | CloseOnExec, OwnerOnly), path);
    }

    /// <summary>For reading. Never waits for a writer where the file turns out to be a FIFO.</summary>
    public static SafeFileHandle Reader(string path) => LibC.Owned(LibC.Open(path, NonBlocking | CloseOnExec, 0), path);

    /// <summary>
    /// A directory as a detached mount of its own: <c>..</c> from it leads nowhere, so that a sandbox that got hold of
    /// the descriptor could not walk out to the host's files.
    /// </summary>
    /// <exception cref="PosixException">Among others EPERM: this takes CAP_SYS_ADMIN.</exception>
    public static SafeFileHandle DetachedDirectory(string path) =>
        LibC.Owned(LibC.OpenTree(path, OpenTreeClone | CloseOnExec), $"open_tree of {path}");

    /// <summary>What has this name right in the directory.</summary>
    /// <exception cref="PosixException">Among others ELOOP: it is a symbolic link; none is ever followed.</exception>
    public static SafeFileHandle EntryOf(SafeFileHandle directory, string name) =>
        LibC.Owned(LibC.OpenAt2(directory, name, PathOnly | CloseOnExec, NoSymlinks | Beneath), name);

    /// <summary>A path for calls that take no descriptor; also the way around the 107 bytes of a Unix socket's path.</summary>
    public static string PathOf(SafeFileHandle descriptor) => $"/proc/self/fd/{(int)descriptor.DangerousGetHandle()}";

    /// <summary>
    /// How a process ended that need not be a child of ours, as wait(2) would give it; <see langword="null"/> before
    /// that and on kernels that do not tell (before 6.15).
    /// </summary>
    public static unsafe int? StatusOf(SafeFileHandle pidFd)
    {
        // struct pidfd_info: mask (u64) first, exit_code (s32) last of its first 64 bytes (linux/pidfd.h).
        const nuint GetInfo = 0xC040_FF0B;
        const ulong Exit = 1 << 3;
        var info = stackalloc byte[64];
        *(ulong*)info = Exit;
        return LibC.Ioctl(pidFd, GetInfo, (nint)info) == 0 && (*(ulong*)info & Exit) != 0 ? *(int*)(info + 60) : null;
    }

    /// <summary>SIGKILL, without the risk of hitting another process that got the number since.</summary>
    public static void Kill(SafeFileHandle pidFd)
    {
        const int Kill = 9;
        if (LibC.PidFdSendSignal(pidFd, Kill) < 0 && Marshal.GetLastPInvokeError() != LibC.Esrch)
            throw PosixException.Last("pidfd_send_signal");
    }
}
