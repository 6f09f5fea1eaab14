/* SPDX-License-Identifier: MIT */
#pragma once

/* The inside of a MqttRpcBus, shared by the files that make up the library. The bus owns the state;
 * each part of it is changed by the file that is named with it, and by no other. Nobody else
 * includes this. */

#include "common/buffer.h"
#include "common/deadline.h"
#include "common/hash.h"
#include "common/json-scan.h"
#include "common/log-limit.h"
#include "libmqttrpc/dedup.h"
#include "libmqttrpc/error.h"
#include "libmqttrpc/link.h"

typedef struct Outbox Outbox;
typedef struct PendingCall PendingCall;
typedef struct Presence Presence;
typedef struct PresenceTable PresenceTable;
typedef struct Service Service;
typedef struct Leaving Leaving;
typedef struct Sync Sync;
typedef struct WatchTable WatchTable;

enum {
        BUS_LIMITS = MQTTRPC_LIMIT_RECONNECT_USEC + 1,
        BUS_TOKEN_LENGTH = 12,
        BUS_PREFIX_LENGTH = 8,
        BUS_REQUEST_LISTS = 256 /* a power of two */
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
        struct Monitor *monitors; /* monitor.c */
        struct Monitor *monitor_cursor;
        MqttRpcSlot *slots;       /* all that are registered with the bus */
        PendingCall *calls;       /* hash by counter of the id */
        Service *services;        /* hash by name */
        Service *members;         /* the same by the names of pool members */
        Service *host;            /* whose $state is the Will; announce.c */
        Outbox *outbox;           /* signals that wait; signal.c */
        PresenceTable *presences; /* of all services; presence.c */
        WatchTable *watches;      /* what is subscribed for watching; watch.c */
        Sync *syncs;              /* list: waiting for retained messages; sync.c */
        Leaving *leaving;         /* list: services that have just gone; leaving.c */
        uint64_t n_unsubscribing; /* by this connection */
        uint64_t n_unsubscribed;  /* of these, confirmed */
        bool sweeping;            /* the retained messages of some services are on their way */
        bool backlogged;          /* something retained could not be sent for want of room */
        uint64_t n_retained;      /* retained messages received so far */
        MqttRpcRequest *inflight; /* list: all requests that wait for an answer */
        MqttRpcRequest *requests[BUS_REQUEST_LISTS]; /* by key: those of them that have an id */
        Dedup *dedup;
        JsonDoc doc;        /* of the message being dispatched */
        JsonDoc params_doc; /* of own params being checked */
        Buffer topic;       /* scratch for one message to be sent */
        Buffer payload;     /* likewise */
        Buffer reply_topic; /* of the message being dispatched */
        Buffer request_key; /* of the request in it */
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

void bus_set_state(MqttRpcBus *bus, MqttRpcState state, const MqttRpcError *reason);

/* bus-events.c */
extern const LinkEvents bus_link_events;
/* The connection has gone: ends, marks and tells all that hangs on it. */
void bus_tell_down(MqttRpcBus *bus, const MqttRpcError *reason);
/* Publishes a retained text at QoS 1, or clears the topic (`text` NULL). As link_publish(). */
int bus_publish_retained(MqttRpcBus *bus, const char *topic, const char *text, size_t length);
/* Subscribes to one filter, if there is a connection to do so; the next one does it anyway. */
void bus_subscribe(MqttRpcBus *bus, const char *filter, bool retained);
void bus_unsubscribe(MqttRpcBus *bus, const char *filter);

/* bus-loop.c */
/* Processes until the broker has taken all, or that time has come. */
int bus_flush_until(MqttRpcBus *bus, uint64_t end);
/* Processes until *done is true: 0, -ETIMEDOUT, -ENOTCONN when the bus is closed meanwhile, or what
 * processing returns. The caller holds a reference. */
int bus_run_until(MqttRpcBus *bus, const bool *done, uint64_t timeout_usec);

/* A list of topic filters under construction. */
typedef struct FilterList {
        char **items; /* owned, as the texts */
        size_t count;
} FilterList;

/* printf for a filter. -ENOMEM. */
int filter_list_add(FilterList *list, const char *format, ...)
        __attribute__((format(printf, 2, 3)));
void filter_list_done(FilterList *list);
#define CLEANUP_FILTER_LIST CLEANUP(filter_list_done)

/* call.c */
void calls_on_reply(MqttRpcBus *bus, const Topic *topic, const LinkMessage *message);
void calls_on_published(MqttRpcBus *bus, uint64_t cookie, int reason);
/* Ends every pending call with DISCONNECTED. */
void calls_fail_all(MqttRpcBus *bus, const char *text);
/* The service is not what it was: ends the calls that will not be answered any more. */
void calls_on_presence(MqttRpcBus *bus, const Presence *presence);
/* All states that there are have come: ends the calls of services that do not exist. */
void calls_on_presence_known(MqttRpcBus *bus);

/* incoming.c */
void incoming_on_request(MqttRpcBus *bus, const Topic *topic, const LinkMessage *message);

/* request.c */
/* Takes all requests off the bus, which is about to go; they can still be held, not answered. */
void requests_detach_all(MqttRpcBus *bus);

/* service.c */
/* The filters of all services, for a new connection. */
int services_write_filters(MqttRpcBus *bus, FilterList *filters);
