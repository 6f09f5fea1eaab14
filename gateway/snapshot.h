/* SPDX-License-Identifier: MIT */
#pragma once

/* What a running service says of itself and its values, as facts to be compared with those of
 * another. For tools: it blocks, within the limits of survey-live.h. What the service answers with
 * an error is a fact as well; only who cannot be reached, or does not answer, is a failure. */

#include <systemd/sd-bus.h>

#include "gateway/facts.h"
#include "gateway/introspection.h"

/* A service on a bus. */
typedef struct Peer {
        sd_bus *bus;      /* borrowed */
        const char *name; /* D-Bus name; borrowed */
        bool activate;    /* calls may start it */
        unsigned n_timeouts;
} Peer;

/* Calls it. 1: the reply; 0: an error of which `ret_name` is the name, owned by the caller;
 * -ENXIO or -ETIMEDOUT with the error: it is not there or does not answer. */
int peer_call(Peer *peer, sd_bus_message *m, uint64_t timeout_usec, sd_bus_message **ret_reply,
              char **ret_name, Error **ret_error);

typedef struct Snapshot {
        Facts introspection;
        Facts properties;
        uint64_t deadline; /* of all questions; of the monotonic clock */
} Snapshot;

void snapshot_done(Snapshot *snapshot);
#define CLEANUP_SNAPSHOT CLEANUP(snapshot_done)

/* Walks through all objects that can be found, from the root and from the service's own path on,
 * and by ObjectManager, and takes in their introspection and all properties that can be read. */
int snapshot_take(Peer *peer, Snapshot *snapshot, Error **ret_error);

/* Takes in the introspection of just those nodes that a document describes; without a path of its
 * own it is of `path`. */
int snapshot_take_described(Peer *peer, const Introspection *document, const char *path,
                            Snapshot *snapshot, Error **ret_error);
