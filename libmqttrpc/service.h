/* SPDX-License-Identifier: MIT */
#pragma once

/* What is served on a bus: services, their objects with vtables, or a fallback for all; and the way
 * of a request to its handler. What others are told of a service is announce.c's business. */

#include "libmqttrpc/bus.h"
#include "libmqttrpc/object.h"
#include "libmqttrpc/signal-counters.h"

/* Requests of one caller that a service has in hand. */
typedef struct CallerLoad {
        unsigned inflight;
        MqttRpcRequest *requests; /* list: those of them that can still be answered */
        UT_hash_handle hh;
        char name[];
} CallerLoad;

typedef struct Fallback {
        MqttRpcSlot slot;
        Service *service;
        MqttRpcMethodHandler handler;
        void *userdata;
} Fallback;

enum { SERVICE_EPOCH_LENGTH = 16 };

/* How far the announcement of a service on the present connection has come; announce.c. */
typedef enum AnnouncePhase {
        ANNOUNCE_DOWN,     /* there is no connection */
        ANNOUNCE_SWEEPING, /* what is retained of it is being looked through */
        ANNOUNCE_CLAIMING, /* another instance is ready: the claim is sent, and has not come back */
        ANNOUNCE_BIRTH,    /* description and objects are being published */
        ANNOUNCE_UP,       /* all is said */
        ANNOUNCE_LEAVING,  /* it has said that it goes, and answers what was sent to it before */
        ANNOUNCE_SUPERSEDED, /* another instance has taken over, or is up and we are not ready */
} AnnouncePhase;

/* A further member of $state. */
typedef struct Detail {
        char *value; /* JSON text; owned */
        struct Detail *next;
        char key[];
} Detail;

struct Service {
        unsigned refs;   /* registrations and requests in hand */
        MqttRpcBus *bus; /* NULL once nothing is registered */
        unsigned n_registrations;
        Object *objects; /* hash by name */
        Fallback *fallback;
        CallerLoad
                *loads; /* hash by name: callers with requests in hand, and perhaps one without */
        unsigned n_callers; /* those with */
        unsigned inflight;
        uint64_t inflight_bytes;
        SignalCounters counters;              /* of objects that are gone */
        uint64_t signals_dropped;             /* of those that were to be emitted */
        char epoch[SERVICE_EPOCH_LENGTH + 1]; /* of this incarnation */

        AnnouncePhase phase;
        MqttRpcServiceState wanted; /* what $state shall say when all is published */
        char predecessor[SERVICE_EPOCH_LENGTH + 1]; /* epoch of who was taken over from, or "" */
        bool was_ready;     /* in this incarnation: it does not claim again */
        bool was_tried;     /* a call of its own was sent, to see whether calls arrive */
        MqttRpcSlot *trial; /* that call, while it is under way; owned */
        bool sweeps_later;  /* the sweep under way was begun before it */
        bool is_swept;      /* all of it has been looked through just now */
        bool needs_sweep;   /* something could not be cleared */
        bool description_is_dirty;
        unsigned n_dirty;  /* objects of which something is not published */
        Detail *details;   /* further members of $state; owned */
        char *description; /* as set; NULL: made from the vtables */
        char *member;      /* {svc}.i-{instance}; NULL: not in a pool */

        UT_hash_handle hh;        /* by name */
        UT_hash_handle hh_member; /* by `member` */
        char name[];
};

/* By its name, or that of the pool member. */
Service *service_find(MqttRpcBus *bus, TextSpan name);
Service *service_ref(Service *service);
Service *service_unref(Service *service);

/* Under which its state, objects, properties and signals are published. */
static inline const char *service_public_name(const Service *service)
{
        return service->member ? service->member : service->name;
}

/* Asks the broker for no more requests. */
void service_unsubscribe(const Service *service);

/* True while another instance has the service: this one says nothing. */
static inline bool service_is_silent(const Service *service)
{
        return service->phase == ANNOUNCE_SUPERSEDED || service->phase == ANNOUNCE_CLAIMING;
}

/* Counts a request in; NULL without memory. */
CallerLoad *service_take(Service *service, TextSpan caller, size_t size);
/* Counts it out. */
void service_give_back(Service *service, CallerLoad *load, size_t size);
/* True if the caps allow one more request of that caller. */
bool service_has_room(const Service *service, const MqttRpcBus *bus, TextSpan caller);

/* Hands the request to its handler and sees to it that it is answered or held. Consumes the
 * caller's reference. */
void service_dispatch(Service *service, MqttRpcRequest *request);

/* ---- builtin.c ---- */

/* Methods with reserved names. Returns a negative errno, or 0 once it is answered or held. */
int builtin_call(Service *service, MqttRpcRequest *request, MqttRpcError **ret_error);

/* ---- announce.c ---- */

/* A new service: it becomes the host if there is none, and is announced if there is a connection.
 */
void announce_add(Service *service);
/* False while another instance takes the calls. */
bool announce_takes_requests(const Service *service);
/* Nothing is registered any more: says so, and clears what is retained of it. */
void announce_remove(Service *service);
/* Frees what it keeps. */
void announce_done(Service *service);
/* The connection is there; all that is retained has come; the connection has gone. */
void announce_on_up(MqttRpcBus *bus);
void announce_on_complete(MqttRpcBus *bus);
void announce_on_down(MqttRpcBus *bus);
/* The bus is about to be closed: says OFFLINE. */
void announce_close(MqttRpcBus *bus);
/* A `$state` of one of our names has come; UNKNOWN: it was cleared, or is nonsense. `ours`: it was
 * sent by this process. */
void announce_on_state(Service *service, MqttRpcServiceState said, const char *epoch, bool ours);
/* The service of one of our names is up or down, as far as others can see. */
void announce_on_presence(Service *service, const Presence *presence);
/* A retained property or $meta of one of our services has come. */
void announce_on_retained(Service *service, const Topic *topic, const LinkMessage *message);
/* There is something to be published, or room to do so. */
void announce_continue(Service *service);
void announce_continue_all(MqttRpcBus *bus);
/* The objects have changed, and with them the description. */
void announce_description(Service *service);
/* Sets the Will of the next connection. */
int announce_set_will(MqttRpcBus *bus);

/* ---- discover.c ---- */

/* Appends the OpenRPC description made from the vtables. */
int discover_write(const Service *service, Buffer *buffer);
