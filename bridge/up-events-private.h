/* SPDX-License-Identifier: MIT */
#pragma once

/* What up-events.c (from the local broker into the store) and up-events-send.c (from there to the
 * cloud) share. */

#include "bridge/recent.h"
#include "bridge/sources.h"
#include "bridge/up-events.h"
#include "common/buffer.h"
#include "common/limits.h"

/* An event on its way to the cloud. */
typedef struct Flight {
        int64_t id;
        bool gap;
        bool answered;
        const char *refused; /* the reason of the gap that it leaves; a constant, or NULL */
} Flight;

/* Events that the cloud does not take, to be told as a gap by the next commit. */
typedef struct Refused {
        int64_t count, first, last;
        const char *reason; /* a constant; NULL: none */
} Refused;

struct UpEvents {
        Core *core;
        Sources *sources;
        Recent recent;
        unsigned n_unanswered;                       /* subscriptions */
        Flight flights[LIMIT_BRIDGE_EVENT_INFLIGHT]; /* a ring */
        unsigned first_flight, n_flights;
        int64_t sent_id;    /* the last that was sent on this connection, or need not be */
        int64_t done_id;    /* all up to here have been taken */
        int64_t removed_id; /* and are gone from the store */
        uint64_t remove_usec;
        uint64_t trim_usec;
        uint64_t repair_usec;
        int64_t start_sec; /* the store's time at start_usec */
        uint64_t start_usec;
        Refused refused;
        bool failed; /* the store, since the last commit */
        bool full;   /* and told */
        Buffer topic;
        Buffer payload;
};

/* What is up to here is on its way, or need not be. */
void up_events_set_sent(UpEvents *events, int64_t id);
/* Keeps one that was dropped by the cloud, or by its limits, in mind. They come in order. */
void up_events_note_refused(UpEvents *events, int64_t id, const char *reason);
int up_events_commit(UpEvents *events);
/* After any failure of the store: what was not committed must be taken as never seen. */
void up_events_on_store_failure(UpEvents *events, int r);

/* up-events-send.c: sends what may be sent; `wake` becomes when to be called again, if earlier. */
void up_events_send(UpEvents *events, uint64_t *wake, uint64_t now);
