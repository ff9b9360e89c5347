/*
 * Kills everything below one reaper where there is no cgroup. Only for PID 1: kill(-1) then reaches this pid namespace
 * and nothing else. Everything is stopped so that nothing can fork away from the walk, what descends from the reaper is
 * killed, the others go on; again, until two walks in a row find nothing. Only then the reaper itself: killed earlier, its
 * descendants would be adopted by PID 1 and lost to the walk.
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
#include <unistd.h>

struct process {
    int pid;
    int parent;
    int mine;
    char state;
};

struct table {
    struct process *items;
    int count;
    int capacity;
};

static int read_process(const char *name, struct process *process)
{
    char path[40], text[512];
    snprintf(path, sizeof path, "/proc/%.16s/stat", name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length <= 0)
        return 0;
    text[length] = 0;
    /* The name in parentheses may contain anything, parentheses too (proc_pid_stat(5)). */
    const char *rest = strrchr(text, ')');
    process->pid = atoi(name);
    process->mine = 0;
    return rest && sscanf(rest + 1, " %c %d", &process->state, &process->parent) == 2;
}

static int scan(struct table *table)
{
    table->count = 0;
    DIR *proc = opendir("/proc");
    if (!proc)
        return 0;
    struct dirent *entry;
    while ((entry = readdir(proc))) {
        if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
            continue;
        if (table->count == table->capacity) {
            int capacity = table->capacity ? table->capacity * 2 : 256;
            struct process *items = realloc(table->items, (size_t)capacity * sizeof *items);
            if (!items)
                break;
            table->items = items;
            table->capacity = capacity;
        }
        if (read_process(entry->d_name, &table->items[table->count]))
            table->count++;
    }
    closedir(proc);
    return 1;
}

static int contains(const int32_t *values, int32_t count, int value)
{
    for (int i = 0; i < count; i++)
        if (values[i] == value)
            return 1;
    return 0;
}

static int is_dead(const struct process *process)
{
    return process->state == 'Z' || process->state == 'X' || process->state == 'x';
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
            int mine = process->parent == 1 || (helper && process->parent == helper);
            for (int j = 0; !mine && j < table->count; j++)
                mine = table->items[j].mine && table->items[j].pid == process->parent;
            if (mine)
                process->mine = changed = 1;
        }
    }
}

/*
 * helper: the reaper whose descendants die, 0 when it is gone. helpers: all reapers known. 0, or -1 when /proc cannot be
 * read.
 */
int32_t cs_sweep(int32_t helper, const int32_t *helpers, int32_t count)
{
    struct table before = { 0 }, now = { 0 };
    int32_t result = scan(&before) ? 0 : -1;
    int empty = 0;
    while (result == 0 && empty < 2) {
        kill(-1, SIGSTOP);
        if (!scan(&now)) {
            result = -1;
        } else {
            mark(&now, helper, helpers, count);
            empty++;
            for (int i = 0; i < now.count; i++)
                if (now.items[i].mine && !is_dead(&now.items[i])) {
                    empty = 0;
                    kill(now.items[i].pid, SIGKILL);
                }
        }
        /* What had been stopped before stays so; but a reaper has to tell how its command ended. */
        for (int i = 0; i < now.count; i++) {
            int was_stopped = 0, is_helper = contains(helpers, count, now.items[i].pid);
            for (int j = 0; !is_helper && j < before.count && !was_stopped; j++)
                was_stopped = before.items[j].pid == now.items[i].pid && before.items[j].state == 'T';
            if (now.items[i].pid != 1 && !now.items[i].mine && !was_stopped)
                kill(now.items[i].pid, SIGCONT);
        }
        if (result < 0)
            kill(-1, SIGCONT);
    }
    if (helper)
        kill(helper, SIGKILL);
    free(before.items);
    free(now.items);
    return result;
}
