/*
 * attack ROUTE NUMBER: what a command can do to the executor (PID 1) of its sandbox without any right but the same uid.
 * Sends signal NUMBER by every kind of system call, with every field forged that a sender may fill in; or lowers limit
 * NUMBER by prlimit; or takes every thread's priority away by way NUMBER. Ends with 0 whatever the kernel answers: what counts is whether PID 1 is still well.
 * Of "inotify" the exit code is how many instances could be made.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TARGET 1
#define ROUNDS 10
#define COUNT(array) (sizeof(array) / sizeof *(array))

static int number;

static siginfo_t forge(int code, int pid)
{
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = number;
    info.si_code = code;
    info.si_pid = pid;
    info.si_uid = getuid();
    return info;
}

static const int codes[] = { SI_QUEUE, SI_TIMER, SI_MESGQ, SI_ASYNCIO, SI_SIGIO, SI_TKILL, SI_USER, 1, 2, SI_KERNEL, -60 };
static const int senders[] = { 0, TARGET };

#define FOR_EACH_FORGERY(call)                                        \
    for (unsigned c = 0; c < COUNT(codes); c++)                       \
        for (unsigned s = 0; s < COUNT(senders); s++) {               \
            siginfo_t info = forge(codes[c], senders[s]);             \
            call;                                                     \
        }

static void by_tgkill(int thread) { syscall(SYS_tgkill, TARGET, thread, number); }
static void by_tkill(int thread) { syscall(SYS_tkill, thread, number); }
static void by_tgsigqueue(int thread) { FOR_EACH_FORGERY(syscall(SYS_rt_tgsigqueueinfo, TARGET, thread, number, &info)) }

static void by_owner(int type, int id)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        return;
    struct f_owner_ex owner = { type, id };
    fcntl(ends[0], F_SETSIG, number);
    fcntl(ends[0], F_SETOWN_EX, &owner);
    fcntl(ends[0], F_SETFL, O_ASYNC | O_NONBLOCK);
    ssize_t ignored = write(ends[1], "x", 1);
    ignored = send(ends[1], "u", 1, MSG_OOB);
    (void)ignored;
    close(ends[0]);
    close(ends[1]);
}

static void by_thread_owner(int thread) { by_owner(F_OWNER_TID, thread); }

/* sched_setattr(2). */
struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

/* The calls of 32-bit programs have numbers of their own. */
static int call_compat(int call, int first, int second, int third)
{
#if defined(__x86_64__)
    int result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(call), "b"(first), "c"(second), "d"(third) : "memory", "r8", "r9", "r10", "r11");
    return result;
#else
    (void)call, (void)first, (void)second, (void)third;
    return -1;
#endif
}

/* How many inotify and fanotify instances can be made, by every number that the calls have. */
static int count_instances(void)
{
    enum { REPORT_FID = 0x200 };
    int made = 0;
#if defined(SYS_inotify_init)
    made += syscall(SYS_inotify_init) >= 0;
    made += syscall(0x40000000 | SYS_inotify_init) >= 0;
#endif
    made += syscall(SYS_inotify_init1, 0) >= 0;
    made += syscall(0x40000000 | SYS_inotify_init1, 0) >= 0;
    made += syscall(SYS_fanotify_init, REPORT_FID, 0) >= 0;
    made += call_compat(291, 0, 0, 0) >= 0;
    made += call_compat(332, 0, 0, 0) >= 0;
    made += call_compat(338, REPORT_FID, 0, 0) >= 0;
    return made;
}

static void by_scheduling(int thread)
{
    enum { OF_PROCESS = 1, OF_USER = 3, IDLE_CLASS = 3 << 13, LOWEST = 19 };
    struct sched_param none = { 0 };
    struct attributes attributes = { .size = sizeof attributes, .policy = SCHED_BATCH, .nice = LOWEST };
    cpu_set_t first;
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    switch (number) {
    case 0: setpriority(PRIO_PROCESS, thread, LOWEST); break;
    case 1: setpriority(PRIO_USER, 0, LOWEST); break;
    case 2: setpriority(PRIO_USER, getuid(), LOWEST); break;
    case 3: syscall(SYS_ioprio_set, OF_PROCESS, thread, IDLE_CLASS); break;
    case 4: syscall(SYS_ioprio_set, OF_USER, 0, IDLE_CLASS); break;
    case 5: sched_setscheduler(thread, SCHED_IDLE, &none); break;
    case 6: syscall(SYS_sched_setattr, thread, &attributes, 0); break;
    case 7: sched_setaffinity(thread, sizeof first, &first); break;
    case 8: setpriority(PRIO_PGRP, TARGET, LOWEST); break;
    case 9: sched_setparam(thread, &none); break;
    case 10: call_compat(97, PRIO_PROCESS, thread, LOWEST); break;
    case 11: call_compat(289, OF_PROCESS, thread, IDLE_CLASS); break;
    case 12: syscall(0x40000000 | SYS_setpriority, PRIO_PROCESS, thread, LOWEST); break;
    }
}

static void each_thread(void (*attack)(int))
{
    DIR *threads = opendir("/proc/1/task");
    struct dirent *entry;
    while (threads && (entry = readdir(threads)))
        if (entry->d_name[0] != '.')
            attack(atoi(entry->d_name));
    if (threads)
        closedir(threads);
}

int main(int count, char **arguments)
{
    if (count != 3)
        return 2;
    const char *route = arguments[1];
    number = atoi(arguments[2]);
    if (!strcmp(route, "inotify"))
        return count_instances();
    for (int round = 0; round < ROUNDS; round++) {
        if (!strcmp(route, "kill")) {
            kill(TARGET, number);
        } else if (!strcmp(route, "tgkill")) {
            each_thread(by_tgkill);
        } else if (!strcmp(route, "tkill")) {
            each_thread(by_tkill);
        } else if (!strcmp(route, "sigqueue")) {
            FOR_EACH_FORGERY(syscall(SYS_rt_sigqueueinfo, TARGET, number, &info))
        } else if (!strcmp(route, "tgsigqueue")) {
            each_thread(by_tgsigqueue);
        } else if (!strcmp(route, "pidfd")) {
            int pidfd = (int)syscall(SYS_pidfd_open, TARGET, 0);
            syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0);
            FOR_EACH_FORGERY(syscall(SYS_pidfd_send_signal, pidfd, number, &info, 0))
            close(pidfd);
        } else if (!strcmp(route, "owner")) {
            by_owner(F_OWNER_PID, TARGET);
            each_thread(by_thread_owner);
        } else if (!strcmp(route, "prlimit")) {
            struct rlimit nothing = { 0, 0 };
            syscall(SYS_prlimit64, TARGET, number, &nothing, NULL);
        } else if (!strcmp(route, "scheduling")) {
            each_thread(by_scheduling);
        } else {
            return 2;
        }
    }
    return 0;
}
