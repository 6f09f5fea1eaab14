/* SPDX-License-Identifier: MIT */
#pragma once

/* One mapping file at run time: what is made of it, and when that ends. The gateway has a list of
 * these, and starts, reviews and stops them.
 *
 * What D-Bus provides is shown on MQTT by ExposeInstances, what MQTT provides is offered on D-Bus
 * by a FacadeSet. What either may provide has both, and provider.h says whose turn it is. */

#include "gateway/expose-instances.h"
#include "gateway/facade-set.h"
#include "gateway/ghosts.h"
#include "gateway/own-instance.h"
#include "gateway/provider.h"

typedef struct Served Served;

/* What all have in common; must outlive them. All borrowed. */
typedef struct ServedHost {
        sd_event *event;
        MqttRpcBus *mqtt;
        const MappingSet *mappings;
        ExposeScratch *scratch;
        Usage *usage; /* NULL: nobody counts */
        Ghosts *ghosts;
        const char *bus; /* address of the bus of mappings that name the system bus, or none */
        uint64_t reconnect_max_usec; /* see dbus_link_set_reconnect_maximum() */
        const char *name;            /* the gateway's own service name */
        /* A connection to D-Bus has come up, gone, or could not be had; also called while one is
         * made. It must not end what is served. */
        void (*on_change)(void *userdata);
        void *userdata;
} ServedHost;

struct Served {
        const ServedHost *host;
        MappingService *mapping;  /* borrowed */
        ExposeInstances *exposes; /* of what D-Bus provides; else NULL */
        FacadeSet *facades;       /* of what MQTT provides; else NULL */
        Served *next;             /* in the list of its owner */

        ProviderState state;     /* of what either may provide */
        MqttRpcSlot *looking;    /* until it is known what is there on MQTT */
        MqttRpcRequest *release; /* waits until the name is released */
        sd_event_source *release_timer;
        bool review_due;
        sd_bus_slot *loop_query; /* in a conflict: whether it is one with another gateway */
        bool is_loop;            /* it is */
        bool has_conflict;       /* see served_has_conflict() */
};

typedef struct ServedCount {
        unsigned services;  /* on MQTT */
        unsigned links;     /* that have to be there for the whole to be ready */
        unsigned connected; /* of these */
        unsigned tried;     /* to be connected, of these */
        unsigned calls;     /* in flight */
} ServedCount;

/* Whether this version can serve a mapping: 0 or a negative errno, with a sentence. */
int served_check(const ServedHost *host, const MappingService *mapping, Error **ret_error);

/* Makes what is there from the beginning. The mapping is borrowed and must outlive it. */
int served_new(const ServedHost *host, MappingService *mapping, Served **ret_served,
               Error **ret_error);
/* Ends all instances, with what is retained of them. Accepts NULL, returns NULL. */
Served *served_free(Served *served);

/* Begins to connect to D-Bus, for ever. Fails only without memory. */
int served_open(Served *served);

/* Adds its numbers. */
void served_count(const Served *served, ServedCount *count);
/* Takes one message of each of its connections. Whether there was any. */
bool served_process(Served *served);
/* MQTT is connected: it can be seen who provides what there. */
void served_on_mqtt(Served *served);
/* Two have it and only one can: its state is PROVIDER_CONFLICT; a daemon has failed while the
 * gateway has its name; or the name is the facade of another gateway. */
bool served_has_conflict(const Served *served);
/* Ends what is gone, and sees who provides it; to be called now and then, outside of callbacks.
 * Whether its state, or whether it is in conflict, is another one now. */
bool served_review(Served *served);
/* Releases its D-Bus name until a daemon has taken it, at most for that time; answers the request
 * when that is done. On failure that is the caller's, and the error says why. */
int served_release(Served *served, uint64_t usec, MqttRpcRequest *request,
                   MqttRpcError **ret_error);
/* Calls `each` for all of it. */
void served_list(const Served *served, OwnInstanceHandler each, void *userdata);
/* The other mappings have changed: ends what one of them names more exactly, and when those are
 * served begins what none of them does any more. */
void served_yield(Served *served);
void served_claim(Served *served);
