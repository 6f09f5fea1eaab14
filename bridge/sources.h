/* SPDX-License-Identifier: MIT */
#pragma once

/* The last `seq` (protocol section 7) of each signal topic: tells what comes twice from what comes
 * for the first time, and what is missing in between. Bounded; what is beyond is not looked after.
 */

#include <stdbool.h>
#include <stdint.h>

typedef struct Sources Sources;

typedef enum SourceVerdict {
        SOURCE_NEW,       /* the next one, or nothing is known */
        SOURCE_DUPLICATE, /* has been here before */
        SOURCE_GAP,       /* some are missing before it */
} SourceVerdict;

int sources_new(Sources **ret_sources);
Sources *sources_free(Sources *sources);
void sources_clear(Sources *sources);

/* Looks at a seq, and remembers it. `ret_missing`: how many, for a gap. */
SourceVerdict sources_look(Sources *sources, const char *topic, const char *seq,
                           uint64_t *ret_missing);
/* As read from the store. */
void sources_set(Sources *sources, const char *topic, const char *seq);
/* Calls for each that has changed since the last time; < 0 ends it. */
int sources_each_changed(Sources *sources,
                         int (*handler)(const char *topic, const char *seq, void *userdata),
                         void *userdata);
