/*
 * Kills everything below one reaper where there is no cgroup. Only for PID 1: kill(-1) then reaches this pid namespace
 * and nothing else. Most commands die of a few walks that kill what descends from the reaper: it ends when nothing is left
 * below it, and says so. What forks faster than that is hunted: everything is stopped so that nothing can fork away from
 * the walk, what descends from the reaper is killed, the others go on; again, until two walks in a row find nothing. Only
 * then the reaper itself: killed earlier, its descendants would be adopted by PID 1 and lost to the walk.
 */
#define _GNU_SOURCE
#include "codesandbox.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What has many gigabytes takes its time to die; what has not by then waits for a device. */
#define PATIENCE_SECONDS 10
/*
 * Walks that found somebody new, and walks in all, before the hunt. Its stops are felt by others: a shell may take one for its
 * foreground job's (WUNTRACED). What is killed already only needs a processor to die, which on a busy machine takes a while.
 */
#define GENTLE_WALKS 20
#define MOST_GENTLE_WALKS 1000
#define PAUSE_NANOSECONDS 1000000

struct process {
    int pid;
    int parent;
    int threads;
    int mine;
    int depth;
    char state;
};

struct table {
    struct process *items;
    int count;
    int capacity;
};

/* Open from the start: a kill must not fail for want of descriptors more often than it has to. */
static DIR *proc;

__attribute__((constructor)) static void open_proc(void)
{
    proc = opendir("/proc");
}

/* 1; 0 when it is gone; -1 when nobody knows, and it may be stopped. */
static int read_process(const char *name, struct process *process)
{
    char path[32], text[512];
    snprintf(path, sizeof path, "%.16s/stat", name);
    int fd = openat(dirfd(proc), path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    int is_gone = length == 0 || (length < 0 && (errno == ENOENT || errno == ESRCH));
    if (fd >= 0)
        close(fd);
    if (length <= 0)
        return is_gone ? 0 : -1;
    text[length] = 0;
    /* The name in parentheses may contain anything, parentheses too (proc_pid_stat(5)). */
    const char *rest = strrchr(text, ')');
    *process = (struct process){ .pid = atoi(name) };
    return rest && sscanf(rest + 1, " %c %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %d",
                          &process->state, &process->parent, &process->threads) == 3 ? 1 : -1;
}

static int by_pid(const void *first, const void *second)
{
    return ((const struct process *)first)->pid - ((const struct process *)second)->pid;
}

static struct process *find(const struct table *table, int pid)
{
    struct process key = { .pid = pid };
    return table->count ? bsearch(&key, table->items, (size_t)table->count, sizeof key, by_pid) : NULL;
}

static int scan(struct table *table)
{
    table->count = 0;
    if (!proc)
        return 0;
    rewinddir(proc);
    struct dirent *entry;
    while (errno = 0, entry = readdir(proc)) {
        if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
            continue;
        if (table->count == table->capacity) {
            int capacity = table->capacity ? table->capacity * 2 : 256;
            struct process *items = realloc(table->items, (size_t)capacity * sizeof *items);
            if (!items)
                return 0;
            table->items = items;
            table->capacity = capacity;
        }
        int found = read_process(entry->d_name, &table->items[table->count]);
        if (found < 0)
            return 0;
        table->count += found;
    }
    if (errno)
        return 0;
    if (table->count)
        qsort(table->items, (size_t)table->count, sizeof *table->items, by_pid);
    return 1;
}

static int contains(const int32_t *values, int32_t count, int value)
{
    for (int i = 0; i < count; i++)
        if (values[i] == value)
            return 1;
    return 0;
}

/* Of a process whose first thread has ended the others live on: pthread_exit(3). */
static int is_dead(const struct process *process)
{
    return (process->state == 'Z' && process->threads <= 1) || process->state == 'X' || process->state == 'x';
}

/*
 * Marks what descends from the reaper, and what PID 1 has adopted: strays of reapers that were killed, or any orphan where
 * the kernel has no subreapers. Whose they were cannot be told, so none is spared.
 */
static void mark(struct table *table, int32_t helper, const int32_t *helpers, int32_t count)
{
    int changed = 1;
    while (changed) {
        changed = 0;
        for (int i = 0; i < table->count; i++) {
            struct process *process = &table->items[i];
            if (process->mine || contains(helpers, count, process->pid))
                continue;
            const struct process *parent = find(table, process->parent);
            if (process->parent == 1 || (helper && process->parent == helper) || (parent && parent->mine))
                process->mine = changed = 1;
        }
    }
}

/*
 * Lets the others go on, children before their parents: a shell that goes on first finds its foreground job stopped, says
 * so, and takes the terminal away from it. What had been stopped before stays so; but a reaper has to tell how its command
 * ended.
 */
static void let_go_on(struct table *table, const struct table *before, const int32_t *helpers, int32_t count)
{
    int deepest = 0;
    for (int i = 0; i < table->count; i++) {
        struct process *process = &table->items[i];
        const struct process *above = process;
        /* The walk is of many moments, and might have found a circle. */
        while (process->depth < table->count && (above = find(table, above->parent)))
            process->depth++;
        if (process->depth > deepest)
            deepest = process->depth;
    }
    for (int depth = deepest; depth >= 0; depth--)
        for (int i = 0; i < table->count; i++) {
            const struct process *process = &table->items[i];
            if (process->depth != depth || process->pid == 1 || process->mine)
                continue;
            const struct process *earlier = find(before, process->pid);
            if (!earlier || earlier->state != 'T' || contains(helpers, count, process->pid))
                kill(process->pid, SIGCONT);
        }
}

/* How many of them are not dead yet. */
static int kill_marked(const struct table *table)
{
    int living = 0;
    for (int i = 0; i < table->count; i++) {
        const struct process *process = &table->items[i];
        /* One that must not be killed is another user's, adopted by PID 1, and no command's. */
        if (process->mine && kill(process->pid, SIGKILL) == 0 && !is_dead(process))
            living++;
    }
    return living;
}

/* Whether one of them was not there in the walk before. */
static int has_news(const struct table *table, const struct table *last)
{
    for (int i = 0; i < table->count; i++)
        if (table->items[i].mine && !is_dead(&table->items[i]) && !find(last, table->items[i].pid))
            return 1;
    return 0;
}

/* A reaper has ended by itself, and nobody could make it say so that has no right over it but signals. */
static int has_left_nothing(int32_t helper)
{
    siginfo_t end = { 0 };
    return waitid(P_PID, (id_t)helper, &end, WEXITED | WNOHANG | WNOWAIT) == 0 && end.si_pid == helper &&
        end.si_code == CLD_EXITED && end.si_status == CS_NOTHING_LEFT;
}

static int kill_gently(int32_t helper, const int32_t *helpers, int32_t count)
{
    const struct timespec pause = { .tv_nsec = PAUSE_NANOSECONDS };
    struct table walks[2] = { 0 };
    int has_died = 0;
    for (int walk = 0, news = 0; walk < MOST_GENTLE_WALKS && news < GENTLE_WALKS; walk++) {
        struct table *now = &walks[walk % 2], *last = &walks[(walk + 1) % 2];
        if ((has_died = has_left_nothing(helper)) || !scan(now))
            break;
        mark(now, helper, helpers, count);
        kill_marked(now);
        news += has_news(now, last);
        nanosleep(&pause, NULL);
    }
    free(walks[0].items);
    free(walks[1].items);
    return has_died;
}

static time_t now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/*
 * helper: the reaper whose descendants die, 0 when it is gone. helpers: all reapers known. 0, or -1 when they cannot be
 * found, or do not die: then the reaper lives, and this can be repeated.
 */
int32_t cs_sweep(int32_t helper, const int32_t *helpers, int32_t count)
{
    struct table before = { 0 }, now = { 0 };
    const struct timespec pause = { .tv_nsec = PAUSE_NANOSECONDS };
    time_t end = now_seconds() + PATIENCE_SECONDS;
    if (helper && kill_gently(helper, helpers, count))
        return 0;
    int32_t result = scan(&before) ? 0 : -1;
    int empty = 0;
    while (result == 0 && empty < 2) {
        kill(-1, SIGSTOP);
        if (!scan(&now)) {
            /* Rather what was stopped before than anybody for ever. */
            kill(-1, SIGCONT);
            result = -1;
            break;
        }
        mark(&now, helper, helpers, count);
        empty = kill_marked(&now) ? 0 : empty + 1;
        let_go_on(&now, &before, helpers, count);
        if (empty == 0) {
            if (now_seconds() > end)
                result = -1;
            else
                nanosleep(&pause, NULL);
        }
    }
    if (helper && result == 0)
        kill(helper, SIGKILL);
    free(before.items);
    free(now.items);
    return result;
}
