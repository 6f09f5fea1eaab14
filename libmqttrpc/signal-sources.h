/* SPDX-License-Identifier: MIT */
#pragma once

/* How far each signal of each object has counted (`seq`, protocol section 7): tells lost signals
 * and those that came twice. Remembers a limited number, and forgets the one that is known longest.
 * Pure.
 */

#include <stdbool.h>
#include <stdint.h>

typedef struct SignalSource SignalSource;

typedef struct SignalSources {
        SignalSource *sources; /* hash by topic */
} SignalSources;

void signal_sources_done(SignalSources *sources);

/* Notes a signal; `seq` is NULL, or as it came. False if it is not a new one. `ret_lost` is how
 * many are missing before it. */
bool signal_sources_note(SignalSources *sources, const char *topic, const char *seq,
                         uint64_t *ret_lost);
