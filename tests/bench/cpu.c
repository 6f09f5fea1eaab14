/* SPDX-License-Identifier: MIT */

#include "tests/bench/cpu.h"

#include <glib.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* As it was before anything was pinned. */
static const cpu_set_t *all_cpus(void)
{
        static cpu_set_t set;
        static bool known;

        if (!known && sched_getaffinity(0, sizeof(set), &set) < 0)
                g_error("sched_getaffinity: %m");
        known = true;
        return &set;
}

static void set_affinity(pid_t pid, const cpu_set_t *set)
{
        g_autofree char *path = g_strdup_printf("/proc/%d/task", (int)pid);
        g_autoptr(GDir) threads = g_dir_open(path, 0, NULL);
        const char *name;

        while (threads && (name = g_dir_read_name(threads)))
                if (sched_setaffinity((pid_t)atoi(name), sizeof(*set), set) < 0)
                        g_error("sched_setaffinity: %m");
}

void cpu_pin(pid_t pid)
{
        const cpu_set_t *all = all_cpus();
        int last = CPU_SETSIZE - 1;
        cpu_set_t set;

        while (last > 0 && !CPU_ISSET(last, all))
                last--;
        CPU_ZERO(&set);
        CPU_SET(last, &set);
        set_affinity(pid, &set);
}

void cpu_unpin(pid_t pid)
{
        set_affinity(pid, all_cpus());
}

double cpu_time_usec(pid_t pid)
{
        struct timespec now;
        clockid_t clock;

        if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &now) < 0)
                g_error("cannot read the CPU time of process %d", (int)pid);
        return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double read_status(pid_t pid, const char *key)
{
        g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)pid);
        g_autofree char *text = NULL;
        const char *at;

        if (!g_file_get_contents(path, &text, NULL, NULL) || !(at = strstr(text, key)))
                g_error("cannot read the status of process %d", (int)pid);
        return strtod(at + strlen(key), NULL);
}

double cpu_wakeups(pid_t pid)
{
        return read_status(pid, "\nvoluntary_ctxt_switches:");
}

double cpu_rss_kib(pid_t pid)
{
        return read_status(pid, "VmRSS:");
}

double cpu_rss_anon_kib(pid_t pid)
{
        return read_status(pid, "RssAnon:");
}
