/*
 * codesandbox-reaper PROGRAM DIRECTORY ARGV0 [ARG...]: starts one command and keeps everything that comes of it below
 * itself (PR_SET_CHILD_SUBREAPER), so that the executor can find it all by descent. Reports to descriptor 3, a socket, and
 * takes from it the signals for the command's process group, a byte each: only who reaps the command knows that its pid is
 * not another's by now. Reaps until no child is left. An empty DIRECTORY means: stay. Where descriptor 0 is a terminal, it
 * becomes the command's controlling one. A kernel that has no subreapers (gVisor's of 2022) gives orphans to the executor
 * instead, whose sweep takes them.
 */
#define _GNU_SOURCE
#include "codesandbox.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define REPORT_FD 3

/* Kept in step with Posix/ReaperTree.cs. */
struct report {
    int32_t pid;           /* of the command; -1: it did not start */
    int32_t value;         /* its wait status once it has ended, or the step that failed */
    int32_t error;
    int32_t unused;
    struct cs_usage usage; /* at its end, of all that were reaped by then */
};

static void tell(int32_t pid, int32_t value, int32_t error, struct cs_usage usage)
{
    struct report report = { pid, value, error, 0, usage };
    if (write(REPORT_FD, &report, sizeof report) != sizeof report)
        _exit(1);
}

/* The peak is not what getrusage says: that has the executor's in it, whose memory this process once shared. */
static struct cs_usage usage_of_children(int64_t peak)
{
    struct rusage used = { 0 };
    getrusage(RUSAGE_CHILDREN, &used);
    return (struct cs_usage){
        (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000LL + used.ru_utime.tv_usec + used.ru_stime.tv_usec,
        peak,
    };
}

static void wake(int signal)
{
    (void)signal;
}

/* Until no child is left. SIGCHLD comes while it waits, and never between looking and waiting. */
static void look_after(pid_t leader)
{
    sigset_t child_ended, before;
    struct sigaction action = { .sa_handler = wake };
    sigemptyset(&child_ended);
    sigaddset(&child_ended, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child_ended, &before);
    sigaction(SIGCHLD, &action, NULL);
    struct pollfd requests = { REPORT_FD, POLLIN, 0 };
    int64_t peak = 0;
    for (;;) {
        int status;
        struct rusage used;
        pid_t ended;
        while ((ended = wait4(-1, &status, WNOHANG, &used)) > 0) {
            if (used.ru_maxrss * 1024LL > peak)
                peak = used.ru_maxrss * 1024LL;
            if (ended == leader) {
                tell(leader, status, 0, usage_of_children(peak));
                leader = 0;
            }
        }
        if (ended < 0 && errno == ECHILD)
            return;
        if (ppoll(&requests, 1, NULL, &before) <= 0)
            continue;
        unsigned char signal;
        if (read(REPORT_FD, &signal, 1) != 1)
            requests.fd = -1; /* the executor is gone */
        else if (leader)
            kill(-leader, signal);
    }
}

int main(int argc, char **argv, char **envp)
{
    if (argc < 4)
        return 2;
    volatile int step = CS_STEP_NONE, error = 0;
    fcntl(REPORT_FD, F_SETFD, FD_CLOEXEC);
    /* What it says at its end is believed, so no command may trace it (ptrace(2)). The command's exec makes that one traceable. */
    prctl(PR_SET_DUMPABLE, 0);
    int adopts = prctl(PR_SET_CHILD_SUBREAPER, 1) == 0;
    if (!adopts && errno != EINVAL) {
        tell(-1, CS_STEP_SETUP, errno, (struct cs_usage){ 0 });
        return 1;
    }

    pid_t leader = vfork();
    if (leader == 0) {
        setsid();
        step = CS_STEP_SETUP;
        if (!isatty(0) || ioctl(0, TIOCSCTTY, 0) == 0) {
            step = CS_STEP_DIRECTORY;
            if (!*argv[2] || chdir(argv[2]) == 0) {
                step = CS_STEP_EXEC;
                execve(argv[1], argv + 3, envp);
            }
        }
        error = errno;
        _exit(127);
    }
    if (leader < 0 || error) {
        tell(-1, leader < 0 ? CS_STEP_CLONE : step, leader < 0 ? errno : error, (struct cs_usage){ 0 });
        return 1;
    }
    /* Or the command's pipes would never end, nor tell it that nobody reads. */
    close(0);
    close(1);
    close(2);
    tell(leader, 0, 0, (struct cs_usage){ 0 });
    look_after(leader);
    return adopts ? CS_NOTHING_LEFT : 1;
}
