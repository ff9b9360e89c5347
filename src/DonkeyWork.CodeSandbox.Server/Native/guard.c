/*
 * Commands run under the executor's uid and may send it any signal. What a fault or the runtime itself raises goes to the
 * runtime; what somebody else sends is dropped. A sender can fill in si_pid and every si_code below zero but SI_TKILL
 * (sigqueue(3), kernel/signal.c: do_rt_sigqueueinfo), so only what the kernel alone writes counts: a positive code of a
 * fault, SI_USER with the pid as the kernel saw it, SI_TKILL from ourselves.
 */
#define _GNU_SOURCE
#include "codesandbox.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SA_RESTORER
#define SA_RESTORER 0x04000000
#endif
#define SIGNALS 64

struct kernel_sigaction {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

static struct sigaction previous[SIGNALS + 1];
static int own_pid;
static int quit_descriptor = -1;

static void chain(int signal, siginfo_t *info, void *context)
{
    const struct sigaction *action = &previous[signal];
    if (action->sa_flags & SA_SIGINFO) {
        action->sa_sigaction(signal, info, context);
    } else if (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN) {
        action->sa_handler(signal);
    } else {
        /* A fault that nobody handles: back to the default, and the instruction faults again. */
        struct sigaction standard = { .sa_handler = SIG_DFL };
        sigaction(signal, &standard, NULL);
    }
}

static int is_own(const siginfo_t *info)
{
    return info->si_code == SI_TKILL && info->si_pid == own_pid;
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
    if (info->si_code > 0)
        chain(signal, info, context);
}

static void on_abort(int signal, siginfo_t *info, void *context)
{
    (void)context;
    if (is_own(info))
        _exit(128 + signal);
}

static void on_runtime_signal(int signal, siginfo_t *info, void *context)
{
    if (is_own(info))
        chain(signal, info, context);
}

static void on_quit(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    /* 0: sent from outside this pid namespace. */
    if (info->si_code == SI_USER && (own_pid != 1 || info->si_pid == 0)) {
        int error = errno;
        ssize_t ignored = write(quit_descriptor, "q", 1);
        (void)ignored;
        errno = error;
    }
}

static void install(int signal, void (*handler)(int, siginfo_t *, void *))
{
    /* The runtime's own flags and mask stay, the alternate stack among them. */
    struct sigaction action = previous[signal];
    action.sa_sigaction = handler;
    action.sa_flags |= SA_SIGINFO | SA_RESTART;
    sigaction(signal, &action, NULL);
}

/* Raw: glibc refuses the two signals that it uses itself. */
static void ignore(int signal)
{
    struct kernel_sigaction action = { .handler = SIG_IGN };
    syscall(SYS_rt_sigaction, signal, &action, NULL, sizeof action.mask);
}

static void guard_signals(void)
{
    for (int signal = 1; signal <= SIGNALS; signal++) {
        if (signal == SIGKILL || signal == SIGSTOP || signal == SIGCHLD)
            continue;
        int handled = sigaction(signal, NULL, &previous[signal]) == 0 &&
            ((previous[signal].sa_flags & SA_SIGINFO) ||
             (previous[signal].sa_handler != SIG_DFL && previous[signal].sa_handler != SIG_IGN));
        switch (signal) {
        case SIGTERM:
        case SIGINT:
            install(signal, on_quit);
            break;
        case SIGABRT:
            install(signal, on_abort);
            break;
        case SIGSEGV:
        case SIGBUS:
        case SIGFPE:
        case SIGILL:
        case SIGTRAP:
        case SIGSYS:
            install(signal, on_fault);
            break;
        default:
            if (handled)
                install(signal, on_runtime_signal);
            else
                ignore(signal);
        }
    }
}

/*
 * Called once, when the runtime has started. A byte written to quit_fd asks for a graceful end. The process becomes the
 * reaper of its orphans. 0, or the errno.
 */
int32_t cs_protect(int32_t dumpable_guard, int32_t signal_guard, int32_t quit_fd)
{
    own_pid = getpid();
    quit_descriptor = quit_fd;
    if (dumpable_guard && prctl(PR_SET_DUMPABLE, 0) < 0)
        return errno;
    /* The first process of a pid namespace is the reaper of its orphans anyway. */
    if (own_pid != 1 && prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        return errno;
    if (signal_guard)
        guard_signals();
    return 0;
}
