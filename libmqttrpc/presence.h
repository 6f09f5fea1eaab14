/* SPDX-License-Identifier: MIT */
#pragma once

/* What the services on the bus say of themselves (`$state`, protocol section 7), and what follows
 * from it: a hosted service is only up as long as its host is, a pool as long as one of its members
 * is. Every bus listens to all states, since they end its calls. */

#include "libmqttrpc/bus.h"
#include "libmqttrpc/service.h"

struct Presence {
        bool known;                    /* heard of on the present connection */
        MqttRpcServiceState said;      /* by its own $state */
        MqttRpcServiceState effective; /* its host and pool considered; what others see */
        bool pool;
        char epoch[SERVICE_EPOCH_LENGTH + 1];       /* "" for none */
        char predecessor[SERVICE_EPOCH_LENGTH + 1]; /* epoch of who it has taken over from by a
                                                     * claim, and who still finishes its calls */
        char host_epoch[SERVICE_EPOCH_LENGTH + 1];
        char *host;    /* owned; NULL: none */
        char *details; /* the payload; owned; NULL: there is no $state */
        size_t details_length;
        UT_hash_handle hh;
        char name[];
};

int presence_table_new(PresenceTable **ret_table);
PresenceTable *presence_table_free(PresenceTable *table);

/* NULL: it has never been heard of. */
Presence *presence_find(const MqttRpcBus *bus, const char *name, size_t length);
/* True once all states that were there at the beginning of the connection have come. */
bool presence_is_complete(const MqttRpcBus *bus);
/* True if it can be called, or will soon. */
static inline bool presence_is_up(const Presence *presence)
{
        return presence->effective == MQTTRPC_SERVICE_READY ||
               presence->effective == MQTTRPC_SERVICE_CLAIM ||
               presence->effective == MQTTRPC_SERVICE_INIT;
}

/* Calls `each` for all that are known. The table must not change meanwhile. */
void presence_foreach(const MqttRpcBus *bus, void (*each)(Presence *presence, void *data),
                      void *data);

void presence_on_state(MqttRpcBus *bus, const Topic *topic, const LinkMessage *message);
/* All states that there are have come. */
void presence_on_complete(MqttRpcBus *bus);
void presence_on_down(MqttRpcBus *bus);
