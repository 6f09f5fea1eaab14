/* SPDX-License-Identifier: MIT */
#pragma once

/* Who uses what: how often each member was called, from which side, when first and last, and by
 * whom last. It is for finding what nobody needs any more, so it goes on over restarts
 * (usage-file.h).
 *
 * Members are counted as the mapping names them, the objects of a template together, so that their
 * number is bounded by the mappings and not by callers. There is a cap nevertheless; what has no
 * room is counted together. Counting a known member allocates nothing and calls nothing. */

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "common/diagnostics.h"
#include "common/hash.h"
#include "common/limits.h"
#include "gateway/emit-json.h"

/* What a file of these says it is. */
#define USAGE_FORMAT "dbus-mqtt-gateway usage 1"

/* Where the caller is. */
typedef enum UsageSide {
        USAGE_MQTT, /* of a D-Bus service that is shown on MQTT */
        USAGE_DBUS, /* of an MQTT service that is shown on D-Bus */
        USAGE_SIDES,
} UsageSide;

typedef enum UsageKind {
        USAGE_CALL, /* of a method */
        USAGE_GET,  /* of a property */
        USAGE_SET,
        USAGE_KINDS,
} UsageKind;

/* All borrowed. */
typedef struct UsageKey {
        UsageSide side;
        UsageKind kind;
        const char *service;   /* its name in topics */
        const char *object;    /* as in the mapping, with captures */
        const char *interface; /* D-Bus interface and member */
        const char *member;
} UsageKey;

typedef struct UsageEntry {
        UsageKey key; /* its texts are in `text` */
        uint64_t count;
        time_t first; /* wall clock */
        time_t last;
        char caller[LIMIT_NAME_LENGTH + 1];           /* the last one */
        char process[LIMIT_USAGE_PROCESS_LENGTH + 1]; /* what it runs; "" if not known */
        UT_hash_handle hh;
        char text[]; /* the key for the hash */
} UsageEntry;

typedef struct Usage {
        UsageEntry *entries; /* hash, in the order of first use */
        unsigned n_entries;
        uint64_t others[USAGE_SIDES]; /* calls of members that have no entry */
        bool changed;                 /* since usage_saved() */
        void (*on_change)(void *userdata);
        void *userdata;
} Usage;

/* An all-zero Usage is empty. `on_change`, which may be NULL, is called when it has changed for the
 * first time after usage_saved(). */
void usage_done(Usage *usage);
#define CLEANUP_USAGE CLEANUP(usage_done)

/* Counts one call. `process` says more about the caller for people, or is NULL; bytes that are not
 * printable ASCII are replaced, what is too long is cut. `usage` may be NULL: nobody counts. */
void usage_count(Usage *usage, const UsageKey *key, const char *caller, const char *process,
                 time_t now);

/* What is in the usage is on disk. */
void usage_saved(Usage *usage);

/* Appends an object: access, side, service, object, interface, member, count, first, last, caller,
 * process; without `service` if that is said elsewhere. */
void usage_write_entry(EmitJson *emit, const UsageEntry *entry, bool with_service);

/* The whole as JSON, as usage_parse() reads it. What is beyond LIMIT_FILE_BYTES is counted among
 * the others in the text. The status of the buffer, whose maximum must be that at least. */
int usage_write(const Usage *usage, Buffer *buffer);
/* Fills an empty usage. On failure (-EINVAL, -ENOMEM) it is empty again, and what is wrong has been
 * reported; `name` stands for the file. */
int usage_parse(Usage *usage, const char *name, const char *text, size_t length,
                Diagnostics *diagnostics);
