/* SPDX-License-Identifier: MIT */
#pragma once

/* The numbers of signals of a service's objects that are gone. An object of the same name goes on
 * with them: receivers take a number that they have had in this epoch for the same message again
 * (protocol section 7). Bounded: the oldest are forgotten beyond. */

#include <stdint.h>

typedef struct SignalCounters {
        struct KeptCounter *kept; /* hash */
} SignalCounters;

void signal_counters_done(SignalCounters *counters);

/* Keeps the last number of a signal. Without memory it is lost. */
void signal_counters_keep(SignalCounters *counters, const char *object, const char *signal,
                          uint64_t count);
/* The number that was kept, once; 0: none. */
uint64_t signal_counters_take(SignalCounters *counters, const char *object, const char *signal);
