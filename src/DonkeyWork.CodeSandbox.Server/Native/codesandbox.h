/* What the executor calls in C because it cannot be done, or not safely, from managed code. */
#pragma once
#include <stdint.h>

/* The step of a start that failed. Kept in step with SpawnStep in Posix/SpawnRequest.cs. */
enum cs_step {
    CS_STEP_NONE = 0,
    CS_STEP_CLONE,     /* no process could be made */
    CS_STEP_SETUP,     /* session, cgroup, limits, descriptors */
    CS_STEP_DIRECTORY, /* chdir */
    CS_STEP_EXEC,      /* execve */
};

/* What to start and how. Pointers and descriptors belong to the caller. */
struct cs_spawn_request {
    const char *path;           /* absolute path of the program */
    char *const *argv;
    char *const *envp;
    const char *directory;      /* NULL: stay */
    int32_t in_fd;              /* becomes 0; -1: /dev/null */
    int32_t out_fd;             /* becomes 1 */
    int32_t err_fd;             /* becomes 2 */
    int32_t status_fd;          /* becomes 3 (the reaper's socket); -1: none */
    int32_t cgroup_procs_fd;    /* "0" is written to it; -1: none */
    int32_t takes_terminal;     /* 0 is a terminal, and becomes the controlling one */
    int64_t tasks_limit;        /* RLIMIT_NPROC, and the start fails when it is reached; -1: none */
    volatile int32_t pid;       /* out: written before the child runs */
    volatile int32_t step;      /* out: enum cs_step */
    volatile int32_t error;     /* out: errno of that step */
};

/* What a child that has ended used, the children that it waited for included. */
struct cs_usage {
    int64_t cpu_microseconds;
    int64_t peak_memory_bytes;  /* of the largest one; never below what the executor itself had when the child was started */
};

/* A reaper's exit code when nothing that came of its command is left, in the whole sandbox. */
#define CS_NOTHING_LEFT 0

int32_t cs_spawn(struct cs_spawn_request *request);
int32_t cs_wait_peek(int32_t *pid);
int32_t cs_reap(int32_t pid, int32_t *status, struct cs_usage *usage);
int64_t cs_own_peak_memory(void);
void cs_forbid_inotify(void);
int32_t cs_protect(int32_t dumpable_guard, int32_t signal_guard, int32_t quit_fd);
int32_t cs_sweep(int32_t helper, const int32_t *helpers, int32_t count);
