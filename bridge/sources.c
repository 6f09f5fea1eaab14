/* SPDX-License-Identifier: MIT */

#include "bridge/sources.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/hash.h"
#include "common/json-scan.h"
#include "common/limits.h"
#include "common/util.h"

enum { EPOCH_LENGTH = 8 };

typedef struct Source {
        char *topic;
        char epoch[EPOCH_LENGTH + 1];
        uint64_t count;
        bool changed;
        struct Source *next_changed;
        UT_hash_handle hh;
} Source;

struct Sources {
        Source *table;
        Source *changed;
};

int sources_new(Sources **ret_sources)
{
        Sources *sources = calloc(1, sizeof(*sources));

        if (!sources)
                return -ENOMEM;
        *ret_sources = sources;
        return 0;
}

void sources_clear(Sources *sources)
{
        Source *source, *next;

        HASH_ITER (hh, sources->table, source, next) {
                HASH_DEL(sources->table, source);
                free(source->topic);
                free(source);
        }
        sources->changed = NULL;
}

Sources *sources_free(Sources *sources)
{
        if (!sources)
                return NULL;
        sources_clear(sources);
        free(sources);
        return NULL;
}

/* {8 hex digits}-{n} */
static bool parse(const char *seq, char epoch[EPOCH_LENGTH + 1], uint64_t *ret_count)
{
        const char *digits = seq + EPOCH_LENGTH + 1;

        if (strspn(seq, "0123456789abcdef") != EPOCH_LENGTH || seq[EPOCH_LENGTH] != '-')
                return false;
        memcpy(epoch, seq, EPOCH_LENGTH);
        epoch[EPOCH_LENGTH] = '\0';
        return json_parse_uint64(digits, strlen(digits), ret_count) >= 0 && *ret_count > 0;
}

static Source *find_or_add(Sources *sources, const char *topic)
{
        Source *source;

        HASH_FIND_STR(sources->table, topic, source);
        if (source || HASH_COUNT(sources->table) >= LIMIT_BRIDGE_SOURCES)
                return source;
        source = calloc(1, sizeof(*source));
        if (!source)
                return NULL;
        source->topic = strdup(topic);
        if (source->topic)
                HASH_ADD_KEYPTR(hh, sources->table, source->topic, strlen(source->topic), source);
        if (!source->topic || !hash_added(source->hh)) {
                free(source->topic);
                free(source);
                return NULL;
        }
        return source;
}

static void mark_changed(Sources *sources, Source *source)
{
        if (source->changed)
                return;
        source->changed = true;
        source->next_changed = sources->changed;
        sources->changed = source;
}

SourceVerdict sources_look(Sources *sources, const char *topic, const char *seq,
                           uint64_t *ret_missing)
{
        SourceVerdict verdict = SOURCE_NEW;
        char epoch[EPOCH_LENGTH + 1];
        uint64_t count = 0;
        Source *source;

        if (!seq || !parse(seq, epoch, &count))
                return SOURCE_NEW;
        source = find_or_add(sources, topic);
        if (!source)
                return SOURCE_NEW;
        if (strcmp(source->epoch, epoch) == 0) {
                if (count <= source->count)
                        return SOURCE_DUPLICATE;
                if (count > source->count + 1) {
                        verdict = SOURCE_GAP;
                        *ret_missing = count - source->count - 1;
                }
        }
        memcpy(source->epoch, epoch, sizeof(source->epoch));
        source->count = count;
        mark_changed(sources, source);
        return verdict;
}

void sources_set(Sources *sources, const char *topic, const char *seq)
{
        char epoch[EPOCH_LENGTH + 1];
        uint64_t count = 0;
        Source *source;

        if (!parse(seq, epoch, &count))
                return;
        source = find_or_add(sources, topic);
        if (!source)
                return;
        memcpy(source->epoch, epoch, sizeof(source->epoch));
        source->count = count;
}

int sources_each_changed(Sources *sources,
                         int (*handler)(const char *topic, const char *seq, void *userdata),
                         void *userdata)
{
        while (sources->changed) {
                Source *source = sources->changed;
                char seq[EPOCH_LENGTH + 24];
                int r;

                snprintf(seq, sizeof(seq), "%s-%" PRIu64, source->epoch, source->count);
                r = handler(source->topic, seq, userdata);
                if (r < 0)
                        return r;
                source->changed = false;
                sources->changed = source->next_changed;
        }
        return 0;
}
