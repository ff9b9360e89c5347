using System.Runtime.InteropServices;

namespace DonkeyWork.CodeSandbox.Local.Oci;

/// <summary>
/// The system calls of a sandbox: an allow-list for this machine's architecture alone, since compiling the filter is
/// paid at every start and each further architecture doubles it. Names that an architecture lacks are skipped by libseccomp.
/// </summary>
internal static class SeccompProfile
{
    private const string Allow = "SCMP_ACT_ALLOW";
    private const string Refuse = "SCMP_ACT_ERRNO";
    private const string EqualTo = "SCMP_CMP_EQ";
    private const string MaskedEqualTo = "SCMP_CMP_MASKED_EQ";
    private const uint PermissionDenied = 1;
    private const uint NotImplemented = 38;

    /// <summary>CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET (clone(2)).</summary>
    private const ulong NewNamespaces = 0x7E02_0000;

    /// <summary>AF_UNIX, AF_INET, AF_INET6, AF_NETLINK: the others are rarely needed and often were the kernel's weak spot.</summary>
    private static readonly ulong[] SocketFamilies = [1, 2, 10, 16];

    /// <summary>PER_LINUX, PER_LINUX32, UNAME26 of both, ADDR_NO_RANDOMIZE, and the question what it is.</summary>
    private static readonly ulong[] Personalities = [0x0, 0x8, 0x2_0000, 0x2_0008, 0x4_0000, 0xffff_ffff];

    /// <summary>
    /// The C library and others try these and fall back where the kernel does not have them; "not permitted" would be an
    /// error to them. The number of AIO's places is the host's: one sandbox could take them all. So is that of inotify
    /// instances: the executor may have one, commands none, which is its own filter's to see to (--no-inotify).
    /// </summary>
    private static readonly string[] Missing =
    [
        "clone3", "io_uring_setup", "io_uring_enter", "io_uring_register", "userfaultfd", "memfd_secret",
        "inotify_init", "fanotify_init", "fanotify_mark",
        "io_setup", "io_submit", "io_cancel", "io_getevents", "io_pgetevents", "io_destroy",
    ];

    private static readonly string[] Files =
    [
        "access", "chdir", "chmod", "chown", "close", "close_range", "copy_file_range", "creat", "dup", "dup2", "dup3",
        "faccessat", "faccessat2", "fadvise64", "fallocate", "fchdir", "fchmod", "fchmodat", "fchmodat2", "fchown",
        "fchownat", "fcntl", "fdatasync", "fgetxattr", "flistxattr", "flock", "fremovexattr", "fsetxattr", "fstat",
        "fstatfs", "fsync", "ftruncate", "futimesat", "getcwd", "getdents", "getdents64", "getxattr",
        "inotify_add_watch", "inotify_init1", "inotify_rm_watch", "ioctl", "lchown", "lgetxattr", "link", "linkat",
        "listxattr", "llistxattr", "lremovexattr", "lseek", "lsetxattr", "lstat", "mkdir", "mkdirat", "mknod", "mknodat",
        "newfstatat", "open", "openat", "openat2", "pread64", "preadv", "preadv2", "pwrite64", "pwritev", "pwritev2",
        "read", "readahead", "readlink", "readlinkat", "readv", "removexattr", "rename", "renameat", "renameat2",
        "rmdir", "sendfile", "setxattr", "splice", "stat", "statfs", "statx", "symlink", "symlinkat", "sync",
        "sync_file_range", "syncfs", "tee", "truncate", "umask", "unlink", "unlinkat", "utime", "utimensat", "utimes",
        "vmsplice", "write", "writev",
    ];

    private static readonly string[] Memory =
    [
        "brk", "cachestat", "get_mempolicy", "madvise", "mbind", "membarrier", "memfd_create", "mincore", "mlock", "mlock2",
        "mlockall", "mmap", "mprotect", "mremap", "mseal", "msync", "munlock", "munlockall", "munmap", "pkey_alloc",
        "pkey_free", "pkey_mprotect", "remap_file_pages", "set_mempolicy",
    ];

    // ptrace reaches no further than the caller's own rights: the executor is not dumpable, so it cannot be traced.
    private static readonly string[] Processes =
    [
        "arch_prctl", "capget", "capset", "execve", "execveat", "exit", "exit_group", "fork", "get_robust_list",
        "getcpu", "getegid", "geteuid", "getgid", "getgroups", "getpgid", "getpgrp", "getpid", "getppid",
        "getpriority", "getresgid", "getresuid", "getrlimit", "getrusage", "getsid", "gettid", "getuid", "ioprio_get",
        "ioprio_set", "kill", "pidfd_getfd", "pidfd_open", "pidfd_send_signal", "prctl", "prlimit64",
        "process_madvise", "process_mrelease", "process_vm_readv", "process_vm_writev", "ptrace", "rseq",
        "sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity", "sched_getattr", "sched_getparam",
        "sched_getscheduler", "sched_rr_get_interval", "sched_setaffinity", "sched_setattr", "sched_setparam",
        "sched_setscheduler", "sched_yield", "seccomp", "set_robust_list", "set_tid_address", "setfsgid", "setfsuid",
        "setgid", "setgroups", "setpgid", "setpriority", "setregid", "setresgid", "setresuid", "setreuid", "setrlimit",
        "setsid", "setuid", "sysinfo", "tgkill", "time", "times", "tkill", "uname", "vfork", "wait4", "waitid",
        "landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self",
    ];

    private static readonly string[] SignalsAndTime =
    [
        "alarm", "clock_getres", "clock_gettime", "clock_nanosleep", "getitimer", "gettimeofday", "nanosleep", "pause",
        "restart_syscall", "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn",
        "rt_sigsuspend", "rt_sigtimedwait", "rt_tgsigqueueinfo", "setitimer", "sigaltstack", "signalfd", "signalfd4",
        "timer_create", "timer_delete", "timer_getoverrun", "timer_gettime", "timer_settime", "timerfd_create",
        "timerfd_gettime", "timerfd_settime",
    ];

    private static readonly string[] Communication =
    [
        "accept", "accept4", "bind", "connect", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait",
        "epoll_pwait2", "epoll_wait", "eventfd", "eventfd2", "futex", "futex_requeue", "futex_wait", "futex_waitv",
        "futex_wake", "getpeername", "getrandom", "getsockname", "getsockopt", "listen", "mq_getsetattr", "mq_notify", "mq_open", "mq_timedreceive",
        "mq_timedsend", "mq_unlink", "msgctl", "msgget", "msgrcv", "msgsnd", "pipe", "pipe2", "poll", "ppoll",
        "pselect6", "recvfrom", "recvmmsg", "recvmsg", "select", "semctl", "semget", "semop", "semtimedop", "sendmmsg",
        "sendmsg", "sendto", "setsockopt", "shmat", "shmctl", "shmdt", "shmget", "shutdown", "socketpair",
    ];

    /// <summary>For this machine.</summary>
    /// <exception cref="PlatformNotSupportedException">It is neither x86-64 nor 64-bit ARM.</exception>
    public static OciSeccomp Create() => new()
    {
        DefaultAction = Refuse,
        DefaultErrnoRet = PermissionDenied,
        Architectures =
        [
            RuntimeInformation.ProcessArchitecture switch
            {
                Architecture.X64 => "SCMP_ARCH_X86_64",
                Architecture.Arm64 => "SCMP_ARCH_AARCH64",
                var other => throw new PlatformNotSupportedException($"Sandboxes on this machine need x86-64 or 64-bit ARM, not {other}."),
            },
        ],
        Syscalls =
        [
            new([.. Files, .. Memory, .. Processes, .. SignalsAndTime, .. Communication], Allow),
            new(["clone"], Allow) { Args = [new(0, NewNamespaces, MaskedEqualTo) { ValueTwo = 0 }] },
            .. SocketFamilies.Select(family => new OciSyscalls(["socket"], Allow) { Args = [new(0, family, EqualTo)] }),
            .. Personalities.Select(personality => new OciSyscalls(["personality"], Allow) { Args = [new(0, personality, EqualTo)] }),
            new(Missing, Refuse) { ErrnoRet = NotImplemented },
        ],
    };
}
