/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/signal-sources.h"

#include <string.h>

#include "common/hash.h"
#include "common/json-scan.h"
#include "common/limits.h"

enum { EPOCH_LENGTH = 8 }; /* of a seq: "xxxxxxxx-N" */

struct SignalSource {
        char epoch[EPOCH_LENGTH];
        uint64_t last;
        UT_hash_handle hh;
        char topic[];
};

void signal_sources_done(SignalSources *sources)
{
        while (sources->sources) {
                SignalSource *first = sources->sources;

                HASH_DEL(sources->sources, first);
                free(first);
        }
}

static SignalSource *add(SignalSources *sources, const char *topic, size_t length)
{
        SignalSource *source;

        if (HASH_COUNT(sources->sources) >= LIMIT_SIGNAL_SOURCES) {
                source = sources->sources;
                HASH_DEL(sources->sources, source);
                free(source);
        }
        source = calloc(1, sizeof(*source) + length + 1);
        if (!source)
                return NULL;
        memcpy(source->topic, topic, length);
        HASH_ADD_KEYPTR(hh, sources->sources, source->topic, length, source);
        if (hash_added(source->hh))
                return source;
        free(source);
        return NULL;
}

bool signal_sources_note(SignalSources *sources, const char *topic, const char *seq,
                         uint64_t *ret_lost)
{
        size_t length = strlen(topic);
        SignalSource *source;
        uint64_t count;

        *ret_lost = 0;
        if (!seq || strnlen(seq, EPOCH_LENGTH + 1) <= EPOCH_LENGTH || seq[EPOCH_LENGTH] != '-' ||
            json_parse_uint64(seq + EPOCH_LENGTH + 1, strlen(seq + EPOCH_LENGTH + 1), &count) < 0)
                return true;
        HASH_FIND(hh, sources->sources, topic, length, source);
        if (source && !memcmp(source->epoch, seq, EPOCH_LENGTH)) {
                if (count <= source->last)
                        return false;
                *ret_lost = count - source->last - 1;
        }
        if (!source)
                source = add(sources, topic, length);
        if (source) {
                memcpy(source->epoch, seq, EPOCH_LENGTH);
                source->last = count;
        }
        return true;
}
