/* SPDX-License-Identifier: MIT */
#pragma once

/* Events on disk until the cloud has them: a queue with an upper bound, in SQLite. What is added is
 * in force after store_commit(), and then survives a crash and a power cut. What the bounds drop
 * leaves a gap in the queue, which is sent in its place. The only file that knows SQLite is
 * store.c.
 *
 * A file that is damaged is set aside and a new one begun; then the queue starts with a gap. When
 * the disk is full functions return -ENOSPC, and nothing of what was added since the last commit is
 * kept. */

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

typedef struct Store Store;

typedef struct StoreSettings {
        const char *path;
        uint64_t max_bytes;
        uint64_t max_age_sec;
        bool drop_newest; /* else the oldest */
} StoreSettings;

/* An event, or a gap: then `dropped` is how many events are missing, or -1 if that is not known. */
typedef struct StoreEvent {
        int64_t id;
        const char *topic; /* of an event: at the local broker, below the root. Of a gap: "" */
        const void *payload;
        size_t length;
        const char *seq; /* NULL: none */
        bool gap;
        int64_t dropped;
        const char *from; /* of a gap: the first and last id or seq that is missing; "": unknown */
        const char *to;
        const char *reason; /* of a gap */
} StoreEvent;

typedef struct StoreCounts {
        uint64_t events; /* in the queue */
        uint64_t bytes;
        uint64_t dropped; /* since the start */
} StoreCounts;

/* -EBUSY: another process has it. `ret_damaged`: the old file was set aside. */
int store_open(const StoreSettings *settings, Store **ret_store, bool *ret_damaged,
               Error **ret_error);
Store *store_free(Store *store);
DEFINE_CLEANUP(Store *, store_free, store_cleanup)
#define CLEANUP_STORE CLEANUP(store_cleanup)
/* 0, or -EBUSY if another process has the store. A file that is not there is not made. */
int store_probe(const char *path);
void store_set_bounds(Store *store, const StoreSettings *settings);
/* The store has a time of its own, since a wall clock that is set, or begins in 1970, would make
 * events old in an instant. This is where it goes on after a start; from there by a monotonic clock
 * of the caller, who tells now and then what the wall clock says to it. Then > 0 if that has
 * stepped, to be known after the next commit. */
int store_start_clock(Store *store, int64_t wall_sec, int64_t *ret_now_sec);
int store_note_clock(Store *store, int64_t wall_sec, int64_t now_sec);

/* The last failure, in SQLite's words. Borrowed. */
const char *store_get_reason(const Store *store);
/* A name of this file, 8 hex digits: with an event's id the same event for ever. Borrowed. */
const char *store_get_id(const Store *store);
StoreCounts store_get_counts(const Store *store);
/* Of the event, or gap, that was added last, whether it is still there or not; 0: none. */
int store_get_last_id(Store *store, int64_t *ret_id);

/* Adds at the end. `now_sec` never goes back. -ENOSPC, -ENOMEM, -EBADF (damaged: store_recover()).
 */
int store_add(Store *store, const char *topic, const void *payload, size_t length, const char *seq,
              int64_t now_sec);
int store_add_gap(Store *store, int64_t dropped, const char *from, const char *to,
                  const char *reason, int64_t now_sec);
/* The same, but a gap with this reason at the very end of the queue grows instead. */
int store_grow_gap(Store *store, int64_t dropped, const char *from, const char *to,
                   const char *reason, int64_t now_sec);
/* What is up to here has been sent, and is not changed by what follows. */
void store_set_sent(Store *store, int64_t id);
/* What has not been sent and is beyond the bounds goes. */
int store_trim(Store *store, int64_t now_sec);
/* Bytes that were added since the last commit. */
uint64_t store_count_uncommitted(const Store *store);
/* Takes away all up to and including `id`; in force with the next commit. */
int store_remove(Store *store, int64_t id);
/* 0 also if there is nothing to do. */
int store_commit(Store *store);
bool store_is_dirty(const Store *store);

/* The first event behind `after`: > 0, 0 if there is none. Borrowed until the next call, or a
 * commit. */
int store_next(Store *store, int64_t after, StoreEvent *ret_event);

/* The last `seq` of a topic, and other texts that have to survive; "" if there is none. The text is
 * owned by the caller. Writing is in force with the next commit. */
int store_get_text(Store *store, const char *key, char **ret_text);
int store_set_text(Store *store, const char *key, const char *text);
int store_each_text(Store *store, const char *prefix,
                    int (*handler)(const char *key, const char *text, void *userdata),
                    void *userdata);

/* After -EBADF: sets the file aside and begins a new one. */
int store_recover(Store *store, Error **ret_error);
