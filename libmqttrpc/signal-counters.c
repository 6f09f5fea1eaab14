/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/signal-counters.h"

#include <stdlib.h>
#include <string.h>

#include "common/buffer.h"
#include "common/hash.h"
#include "common/limits.h"

typedef struct KeptCounter {
        uint64_t count;
        UT_hash_handle hh;
        char key[]; /* object/signal */
} KeptCounter;

static void drop(SignalCounters *counters, KeptCounter *kept)
{
        HASH_DEL(counters->kept, kept);
        free(kept);
}

void signal_counters_done(SignalCounters *counters)
{
        while (counters->kept)
                drop(counters, counters->kept);
}

/* Neither part has a slash. */
static int write_key(Buffer *key, const char *object, const char *signal)
{
        return buffer_printf(key, "%s/%s", object, signal);
}

void signal_counters_keep(SignalCounters *counters, const char *object, const char *signal,
                          uint64_t count)
{
        CLEANUP_BUFFER Buffer key = BUFFER_INIT(0);
        KeptCounter *kept;

        if (write_key(&key, object, signal) < 0)
                return;
        (void)signal_counters_take(counters, object, signal);
        if (HASH_COUNT(counters->kept) >= LIMIT_KEPT_COUNTERS)
                drop(counters, counters->kept);
        kept = calloc(1, sizeof(*kept) + key.length + 1);
        if (!kept)
                return;
        memcpy(kept->key, key.data, key.length);
        kept->count = count;
        HASH_ADD_KEYPTR(hh, counters->kept, kept->key, key.length, kept);
        if (!hash_added(kept->hh))
                free(kept);
}

uint64_t signal_counters_take(SignalCounters *counters, const char *object, const char *signal)
{
        CLEANUP_BUFFER Buffer key = BUFFER_INIT(0);
        uint64_t count;
        KeptCounter *kept;

        if (!counters->kept || write_key(&key, object, signal) < 0)
                return 0;
        HASH_FIND(hh, counters->kept, key.data, key.length, kept);
        if (!kept)
                return 0;
        count = kept->count;
        drop(counters, kept);
        return count;
}
