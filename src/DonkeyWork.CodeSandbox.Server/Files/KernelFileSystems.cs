using DonkeyWork.CodeSandbox.Server.Posix;
using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Server.Files;

/// <summary>
/// File systems that show or change the kernel's and other processes' state, the executor's own before all:
/// <c>/proc/self/fd</c> leads to its open files, wherever those are. Nothing in them, and nothing through them, is read,
/// written, listed or watched.
/// </summary>
internal static class KernelFileSystems
{
    private static readonly bool IsOff = Guards.IsDisabled("kernel-files");

    /// <summary>Of linux/magic.h.</summary>
    private static readonly HashSet<uint> Numbers =
    [
        0x9FA0,      // proc
        0x62656572,  // sysfs
        0x27E0EB,    // cgroup
        0x63677270,  // cgroup2
        0x1CD1,      // devpts
        0x19800202,  // mqueue
        0x64626720,  // debugfs
        0x74726163,  // tracefs
        0x73636673,  // securityfs
        0xCAFE4A11,  // bpf
        0x6E736673,  // nsfs
        0x50494446,  // pidfs
        0x62656570,  // configfs
        0x65735543,  // fusectl
        0x42494E4D,  // binfmt_misc
        0xF97CFF8C,  // selinuxfs
        0xDE5E81E4,  // efivarfs
        0x6165676C,  // pstore
    ];

    /// <summary>Refuses a descriptor that belongs to one.</summary>
    /// <exception cref="FileSystemException">With EPERM.</exception>
    public static void Refuse(SafeFileHandle file)
    {
        if (Contains(file))
            throw new FileSystemException(FileError.EPERM);
    }

    public static bool Contains(SafeFileHandle file) => !IsOff && Numbers.Contains((uint)FileSystem.KindOf(file));
}
