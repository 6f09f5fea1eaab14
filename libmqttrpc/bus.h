/* SPDX-License-Identifier: MIT */
#pragma once

/* The inside of a MqttRpcBus, shared by the files that make up the library: bus.c (life, settings,
 * loop), call.c (own calls that wait), service.c (registrations, dispatch of requests), request.c
 * (requests that wait for an answer). Nobody else includes this. */

#include <uthash.h>

#include "common/buffer.h"
#include "common/json-scan.h"
#include "common/log-limit.h"
#include "libmqttrpc/deadline.h"
#include "libmqttrpc/dedup.h"
#include "libmqttrpc/error.h"
#include "libmqttrpc/link.h"

typedef struct PendingCall PendingCall;
typedef struct Service Service;

enum {
        BUS_LIMITS = MQTTRPC_LIMIT_RECONNECT_USEC + 1,
        BUS_TOKEN_LENGTH = 12,
        BUS_PREFIX_LENGTH = 8
};

struct MqttRpcBus {
        unsigned refs;
        unsigned dispatching; /* depth of mqttrpc_bus_process() */
        Link *link;
        MqttRpcState state;
        char *root;
        char *configured_caller;
        char *caller;                          /* {me}; known from open on */
        char token[BUS_TOKEN_LENGTH + 1];      /* own reply level */
        char id_prefix[BUS_PREFIX_LENGTH + 1]; /* of own ids, from open to close */
        uint64_t id_counter;
        int qos;
        uint64_t limits[BUS_LIMITS];
        uint64_t counters[MQTTRPC_COUNT_MAX];
        MqttRpcLogHandler log_handler;
        void *log_userdata;
        LogLimit log_limit; /* for what peers can cause */
        MqttRpcStateHandler state_handler;
        void *state_userdata;
        DeadlineQueue deadlines;  /* of calls and requests */
        MqttRpcSlot *slots;       /* all that are registered with the bus */
        PendingCall *calls;       /* hash by counter of the id */
        Service *services;        /* hash by name */
        MqttRpcRequest *inflight; /* list: all requests that wait for an answer */
        MqttRpcRequest *requests; /* hash by key: those of them that have an id */
        Dedup *dedup;
        JsonDoc doc;        /* of the message being dispatched */
        JsonDoc params_doc; /* of own params being checked */
        Buffer topic;       /* scratch for one message to be sent */
        Buffer payload;     /* likewise */
};

/* A slot is the first member of what it stands for. `refs` are the user's; while `floating`, the
 * bus holds it. cancel() takes it off the bus and is called once. */
struct MqttRpcSlot {
        unsigned refs;
        bool floating;
        MqttRpcBus *bus; /* NULL once off the bus */
        void (*cancel)(MqttRpcSlot *slot);
        void (*release)(MqttRpcSlot *slot);
        MqttRpcSlot *previous, *next;
};

void slot_init(MqttRpcSlot *slot, MqttRpcBus *bus, MqttRpcSlot **ret_slot,
               void (*cancel)(MqttRpcSlot *slot), void (*release)(MqttRpcSlot *slot));
/* Takes the slot off the bus, by cancel(); frees it if only the bus held it. */
void slot_end(MqttRpcSlot *slot);

void bus_log(MqttRpcBus *bus, MqttRpcLogLevel level, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
/* The same, at level warning, for what peers can cause at will: not more often than limits.h says.
 */
void bus_log_peer(MqttRpcBus *bus, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline void bus_count(MqttRpcBus *bus, MqttRpcCounter counter)
{
        bus->counters[counter]++;
}
/* Lower-case hex digits from the kernel's random source. */
void bus_random_hex(char *text, size_t length);

/* call.c */
void calls_on_reply(MqttRpcBus *bus, const Topic *topic, const LinkMessage *message);
void calls_on_published(MqttRpcBus *bus, uint64_t cookie, int reason);
/* Ends every pending call with DISCONNECTED. */
void calls_fail_all(MqttRpcBus *bus, const char *text);

/* incoming.c */
void incoming_on_request(MqttRpcBus *bus, const Topic *topic, const LinkMessage *message);

/* request.c */
/* Takes all requests off the bus, which is about to go; they can still be held, not answered. */
void requests_detach_all(MqttRpcBus *bus);

/* service.c */
/* The filters of all services, for a new connection; owned by the caller. */
int services_write_filters(MqttRpcBus *bus, char ***filters, size_t *n_filters);
