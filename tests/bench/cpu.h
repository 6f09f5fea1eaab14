/* SPDX-License-Identifier: MIT */
#pragma once

/* What processes cost: where they run, CPU time and memory. */

#include <sys/types.h>

/* Every thread of a process to one CPU, the last one this program may use; or back to all of them.
 */
void cpu_pin(pid_t pid);
void cpu_unpin(pid_t pid);

/* CPU time used so far, user and system, in microseconds. */
double cpu_time_usec(pid_t pid);

/* How often it has gone to sleep so far, and so has been woken. */
double cpu_wakeups(pid_t pid);

/* Resident memory in KiB; all of it, or only what is in no file. */
double cpu_rss_kib(pid_t pid);
double cpu_rss_anon_kib(pid_t pid);
