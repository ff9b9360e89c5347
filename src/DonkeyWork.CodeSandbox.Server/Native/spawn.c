/*
 * Starts a process the way glibc's posix_spawn does: clone(CLONE_VM | CLONE_VFORK) with a stack of its own, every signal
 * blocked meanwhile. posix_spawn itself can neither enter a cgroup nor set limits before exec.
 */
#define _GNU_SOURCE
#include "codesandbox.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_SIZE (64 * 1024)
#define SIGNALS 64
#define COMMAND_OOM_SCORE 400
#define MAX_OOM_SCORE 1000

struct kernel_sigaction {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

static struct rlimit original_nofile;
static cpu_set_t original_affinity;
static int dev_null = -1;
static int oom_score_fd = -1;
static char own_oom_score[12];
static char command_oom_score[12];

/*
 * Before the runtime's start, and while /proc/self is still our own. The executor may have as many descriptors as it can;
 * commands get the soft limit that it was given, for those that use select(2).
 */
__attribute__((constructor)) static void remember(void)
{
    getrlimit(RLIMIT_NOFILE, &original_nofile);
    struct rlimit nofile = { original_nofile.rlim_max, original_nofile.rlim_max };
    setrlimit(RLIMIT_NOFILE, &nofile);
    sched_getaffinity(0, sizeof original_affinity, &original_affinity);
    dev_null = open("/dev/null", O_RDWR | O_CLOEXEC);

    oom_score_fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
    if (oom_score_fd >= 0 && pread(oom_score_fd, own_oom_score, sizeof own_oom_score - 1, 0) > 0) {
        int score = atoi(own_oom_score) + COMMAND_OOM_SCORE;
        snprintf(command_oom_score, sizeof command_oom_score, "%d", score < MAX_OOM_SCORE ? score : MAX_OOM_SCORE);
    }
}

static void fail(struct cs_spawn_request *request, int step)
{
    request->error = errno;
    request->step = step;
    _exit(127);
}

/*
 * System calls that need nothing but the uid of their target, and whose effect the executor could not take back: prlimit
 * (one lowered hard limit ends or starves it), setpriority, ioprio_set, and the scheduler's policy. Commands may use them on
 * themselves (0) alone, with the harmless exceptions of reading limits and of asking for SCHED_OTHER, which is what
 * pthread_setschedparam does, by number. The price is that "renice -p PID" is refused. sched_setaffinity stays free, as
 * numerical libraries pin their threads by number: restore_affinity() makes up for it. sched_setparam changes nothing
 * under SCHED_OTHER.
 */
#if defined(__x86_64__)
#define COMPAT_ARCH AUDIT_ARCH_I386
#define COMPAT_RULES RULES(340, 97, 289, 156, 351, 291, 332, 338)
#elif defined(__aarch64__)
#define COMPAT_ARCH AUDIT_ARCH_ARM
#define COMPAT_RULES RULES(369, 97, 314, 156, 380, 316, 360, 367)
#endif
/* 64-bit ARM has only the younger of the two. */
#if !defined(SYS_inotify_init)
#define SYS_inotify_init SYS_inotify_init1
#endif
#define NATIVE_RULES \
    RULES(SYS_prlimit64, SYS_setpriority, SYS_ioprio_set, SYS_sched_setscheduler, SYS_sched_setattr, \
          SYS_inotify_init, SYS_inotify_init1, SYS_fanotify_init)
/* Of the x32 calls, which are x86-64's with this bit. No other call has it. */
#define X32_BIT 0x40000000U
/* linux/ioprio.h is missing from older headers. */
#define IOPRIO_WHO_USER 3

#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define ARGUMENT(index) LOAD(offsetof(struct seccomp_data, args[index]))
#define HIGH_HALF(index) LOAD(offsetof(struct seccomp_data, args[index]) + sizeof(uint32_t))
#define IF_EQUAL(value, then, otherwise) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, then, otherwise)
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define REFUSE BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

/* A rule is passed over when the call is another one. All but the pointer are ints: their low half is what counts. */
#define NO_FOREIGN_LIMIT(call) \
    IF_EQUAL(call, 0, 8), ARGUMENT(0), IF_EQUAL(0, 4, 0), ARGUMENT(2), IF_EQUAL(0, 0, 3), HIGH_HALF(2), IF_EQUAL(0, 0, 1), ALLOW, REFUSE
#define NO_FOREIGN_PRIORITY(call, all_of_the_user) \
    IF_EQUAL(call, 0, 6), ARGUMENT(0), IF_EQUAL(all_of_the_user, 3, 0), ARGUMENT(1), IF_EQUAL(0, 0, 1), ALLOW, REFUSE
#define NO_FOREIGN_POLICY(call) \
    IF_EQUAL(call, 0, 6), ARGUMENT(0), IF_EQUAL(0, 2, 0), ARGUMENT(1), IF_EQUAL(SCHED_OTHER, 0, 1), ALLOW, REFUSE
#define NO_FOREIGN_ATTRIBUTES(call) \
    IF_EQUAL(call, 0, 4), ARGUMENT(0), IF_EQUAL(0, 0, 1), ALLOW, REFUSE
/* Instances are counted for the whole host: with --no-inotify it is as if the kernel had none, for commands alone. */
#define NO_INSTANCE(call) IF_EQUAL(call, 0, 1), BPF_STMT(BPF_RET | BPF_K, answer_to_inotify)
#define RULES(prlimit, setpriority, ioprio_set, setscheduler, setattr, inotify_init, inotify_init1, fanotify_init) \
    NO_INSTANCE(inotify_init), NO_INSTANCE(inotify_init1), NO_INSTANCE(fanotify_init), \
    NO_FOREIGN_LIMIT(prlimit), NO_FOREIGN_PRIORITY(setpriority, PRIO_USER), NO_FOREIGN_PRIORITY(ioprio_set, IOPRIO_WHO_USER), \
    NO_FOREIGN_POLICY(setscheduler), NO_FOREIGN_ATTRIBUTES(setattr), ALLOW

static uint32_t answer_to_inotify = SECCOMP_RET_ALLOW;

/* Before the first command. */
void cs_forbid_inotify(void)
{
    answer_to_inotify = SECCOMP_RET_ERRNO | ENOSYS;
}

static int forbid_foreign_settings(void)
{
    const struct sock_filter compat[] = { COMPAT_RULES };
    struct sock_filter code[] = {
        LOAD(offsetof(struct seccomp_data, arch)),
        IF_EQUAL(COMPAT_ARCH, 0, 1 + sizeof compat / sizeof *compat),
        LOAD(offsetof(struct seccomp_data, nr)),
        COMPAT_RULES,
        LOAD(offsetof(struct seccomp_data, nr)),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~X32_BIT),
        NATIVE_RULES,
    };
    struct sock_fprog program = { sizeof code / sizeof *code, code };
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? -1 : 0;
}

/*
 * Commands can pin the executor's threads to one CPU, and what it starts inherits that. It goes back at each start, which
 * needs no right; failing is no reason not to start. CPUs that came later stay.
 */
static void restore_affinity(void)
{
    DIR *threads = opendir("/proc/self/task");
    struct dirent *entry;
    while (threads && (entry = readdir(threads))) {
        int thread = atoi(entry->d_name);
        cpu_set_t now, kept;
        if (thread == 0 || sched_getaffinity(thread, sizeof now, &now) < 0)
            continue;
        CPU_AND(&kept, &now, &original_affinity);
        if (!CPU_EQUAL(&kept, &original_affinity))
            sched_setaffinity(thread, sizeof original_affinity, &original_affinity);
    }
    if (threads)
        closedir(threads);
}

/*
 * Queued signals are counted per user: commands that fill the queue leave the runtime's own signals half of it. Lowering
 * needs no right, so EPERM is gVisor's, which has no such limit.
 */
static int halve_signal_queue(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_SIGPENDING, &limit) < 0)
        return -1;
    limit.rlim_cur = limit.rlim_max = limit.rlim_cur / 2;
    return setrlimit(RLIMIT_SIGPENDING, &limit) < 0 && errno != EPERM ? -1 : 0;
}

static int nothing(void *unused)
{
    (void)unused;
    syscall(SYS_exit, 0);
    return 0;
}

/*
 * Whether another process could be made under RLIMIT_NPROC. Without asking, a full sandbox would start commands that
 * cannot start anything themselves, each on one of the tasks that are kept for the executor. (Since Linux 5.17
 * setting the same uid again no longer makes execve check, kernel/sys.c: flag_nproc_exceeded.)
 */
static int has_room(char *stack)
{
    int pid = clone(nothing, stack, CLONE_VM | CLONE_VFORK, NULL);
    if (pid < 0)
        return 0;
    while (syscall(SYS_wait4, pid, NULL, __WCLONE, NULL) < 0 && errno == EINTR)
        ;
    return 1;
}

struct child {
    struct cs_spawn_request *request;
    char *probe_stack;
};

static int child_main(void *argument)
{
    struct child *child = argument;
    struct cs_spawn_request *request = child->request;

    /* Raw: glibc refuses the two signals that it uses itself. */
    struct kernel_sigaction standard = { .handler = SIG_DFL };
    for (int signal = 1; signal <= SIGNALS; signal++)
        syscall(SYS_rt_sigaction, signal, &standard, NULL, sizeof standard.mask);

    if (setsid() < 0)
        fail(request, CS_STEP_SETUP);
    if (request->cgroup_procs_fd >= 0 && write(request->cgroup_procs_fd, "0", 1) != 1)
        fail(request, CS_STEP_SETUP);
    if (request->tasks_limit >= 0) {
        struct rlimit limit = { (rlim_t)request->tasks_limit, (rlim_t)request->tasks_limit };
        if (setrlimit(RLIMIT_NPROC, &limit) < 0)
            fail(request, CS_STEP_SETUP);
        if (!has_room(child->probe_stack))
            fail(request, CS_STEP_CLONE);
    }

    /* The pipes were opened by the executor and so are above 3. */
    if (dup2(request->in_fd >= 0 ? request->in_fd : dev_null, 0) < 0 || dup2(request->out_fd, 1) < 0 || dup2(request->err_fd, 2) < 0)
        fail(request, CS_STEP_SETUP);
    if (request->takes_terminal && ioctl(0, TIOCSCTTY, 0) < 0)
        fail(request, CS_STEP_SETUP);
    int first_closed = 3;
    if (request->status_fd >= 0) {
        if (dup2(request->status_fd, 3) < 0)
            fail(request, CS_STEP_SETUP);
        first_closed = 4;
    }
    /* Not ~0U: gVisor knows no descriptor above INT_MAX and refuses. */
    if (syscall(SYS_close_range, first_closed, INT_MAX, 0) < 0)
        fail(request, CS_STEP_SETUP);

    umask(022);
    if (setrlimit(RLIMIT_NOFILE, &original_nofile) < 0 || halve_signal_queue() < 0 || forbid_foreign_settings() < 0)
        fail(request, CS_STEP_SETUP);
    if (request->directory && chdir(request->directory) < 0)
        fail(request, CS_STEP_DIRECTORY);

    uint64_t none = 0;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none);
    execve(request->path, request->argv, request->envp);
    fail(request, CS_STEP_EXEC);
    return 0;
}

/*
 * Commands are the kernel's first choice when memory runs out, as long as they want to be: each may lower its score to the
 * executor's again, fill memory that belongs to no process, and so have the executor killed, which ends the sandbox and
 * nothing else. They inherit the score from the executor, which takes it for a moment: a child cannot set it itself, for
 * until exec its /proc entries belong to root, as those of all that is not dumpable.
 */
static void set_oom_score(const char *score)
{
    if (oom_score_fd < 0)
        return;
    ssize_t ignored = pwrite(oom_score_fd, score, strlen(score), 0);
    (void)ignored;
}

/* One at a time. Returns the pid, or -1 with step and error set. A child that failed has been reaped. */
int32_t cs_spawn(struct cs_spawn_request *request)
{
    request->pid = 0;
    request->step = CS_STEP_NONE;
    request->error = 0;
    char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) {
        request->error = errno;
        request->step = CS_STEP_CLONE;
        return -1;
    }

    restore_affinity();
    set_oom_score(command_oom_score);
    uint64_t all = ~0ULL, previous;
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, &previous, sizeof all);
    struct child child = { request, stack + STACK_SIZE / 2 };
    int pid = clone(child_main, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | SIGCHLD, &child, &request->pid);
    int clone_error = errno;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &previous, NULL, sizeof previous);
    munmap(stack, STACK_SIZE);
    set_oom_score(own_oom_score);

    if (pid < 0) {
        request->error = clone_error;
        request->step = CS_STEP_CLONE;
        return -1;
    }
    if (request->step != CS_STEP_NONE) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
        return -1;
    }
    return pid;
}

/* Waits for any child to end and leaves it unreaped. 0, or the errno: ECHILD when there is none. */
int32_t cs_wait_peek(int32_t *pid)
{
    siginfo_t info = { 0 };
    while (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) < 0)
        if (errno != EINTR)
            return errno;
    *pid = info.si_pid;
    return 0;
}

/* Reaps one child if it has ended. 0, or the errno: ECHILD when it is no child, EAGAIN when it still runs. */
int32_t cs_reap(int32_t pid, int32_t *status, struct cs_usage *usage)
{
    struct rusage used = { 0 };
    int reaped = wait4(pid, status, WNOHANG, &used);
    usage->cpu_microseconds = (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000LL + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
    usage->peak_memory_bytes = used.ru_maxrss * 1024LL;
    return reaped > 0 ? 0 : reaped == 0 ? EAGAIN : errno;
}

/*
 * A child of cs_spawn shares the executor's memory until its exec, which counts that as its own (fs/exec.c: exec_mmap). What
 * it needed itself is known only above this.
 */
int64_t cs_own_peak_memory(void)
{
    struct rusage used;
    return getrusage(RUSAGE_SELF, &used) < 0 ? -1 : used.ru_maxrss * 1024LL;
}
