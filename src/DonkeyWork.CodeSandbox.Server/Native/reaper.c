/*
 * codesandbox-reaper PROGRAM DIRECTORY ARGV0 [ARG...]: starts one command and keeps everything that comes of it below
 * itself (PR_SET_CHILD_SUBREAPER), so that the executor can find it all by descent. Reports to descriptor 3, then reaps
 * until no child is left. An empty DIRECTORY means: stay. A kernel that has no subreapers (gVisor's of 2022) gives orphans
 * to the executor instead, whose sweep takes them.
 */
#define _GNU_SOURCE
#include "codesandbox.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define REPORT_FD 3

/* Kept in step with Posix/ReaperTree.cs. */
struct report {
    int32_t pid;   /* of the command; -1: it did not start */
    int32_t value; /* its wait status once it has ended, or the step that failed */
    int32_t error;
};

static void tell(int32_t pid, int32_t value, int32_t error)
{
    struct report report = { pid, value, error };
    if (write(REPORT_FD, &report, sizeof report) != sizeof report)
        _exit(1);
}

int main(int argc, char **argv, char **envp)
{
    if (argc < 4)
        return 2;
    volatile int step = CS_STEP_NONE, error = 0;
    fcntl(REPORT_FD, F_SETFD, FD_CLOEXEC);
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 && errno != EINVAL) {
        tell(-1, CS_STEP_SETUP, errno);
        return 1;
    }

    pid_t leader = vfork();
    if (leader == 0) {
        setsid();
        step = CS_STEP_DIRECTORY;
        if (!*argv[2] || chdir(argv[2]) == 0) {
            step = CS_STEP_EXEC;
            execve(argv[1], argv + 3, envp);
        }
        error = errno;
        _exit(127);
    }
    if (leader < 0 || error) {
        tell(-1, leader < 0 ? CS_STEP_CLONE : step, leader < 0 ? errno : error);
        return 1;
    }
    /* Or the command's pipes would never end. */
    close(1);
    close(2);
    tell(leader, 0, 0);

    for (;;) {
        int status;
        pid_t ended = wait(&status);
        if (ended == leader)
            tell(leader, status, 0);
        else if (ended < 0 && errno == ECHILD)
            return 0;
    }
}
