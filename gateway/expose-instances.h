/* SPDX-License-Identifier: MIT */
#pragma once

/* What one mapping shows of D-Bus: its instances, each of which is one service on MQTT with a
 * connection to D-Bus of its own. dbus-daemon counts the calls of a connection that nobody has
 * answered, timed out or not, and by default refuses those beyond 128 on the system bus: one hung
 * service would soon have used up what all others need.
 *
 * A mapping of one bus name has one instance, for as long as it is served. One of a family has one
 * for each name of it that is there; one more connection follows the names. An instance ends when
 * both connections say that its name is gone, and all its calls are answered. */

#include "gateway/expose.h"
#include "gateway/family-watch.h"
#include "gateway/ghosts.h"

typedef struct ExposeInstances ExposeInstances;

/* All borrowed but the address. */
typedef struct ExposeInstancesOptions {
        MappingService *mapping;
        const MappingSet *mappings; /* tells which names of a family others have */
        const char *address;        /* of the D-Bus bus; copied */
        sd_event *event;
        MqttRpcBus *mqtt;
        ExposeScratch *scratch;
        Usage *usage;                /* NULL: nobody counts */
        Ghosts *ghosts;              /* for names that come while running; NULL: there are none */
        const char *own_name;        /* a service name that none may have */
        uint64_t reconnect_max_usec; /* see dbus_link_set_reconnect_maximum() */
        /* A connection to D-Bus has come up, gone, or could not be had. */
        void (*on_change)(void *userdata);
        void *userdata;
} ExposeInstancesOptions;

typedef struct ExposeInstance {
        ExposeInstances *instances;
        MappingService *member; /* of a family; owned, else NULL */
        DbusLink *link;
        Expose *expose;
        bool is_there;     /* of a family: its name is, as that connection says */
        UT_hash_handle hh; /* by the bus name, which the Expose has */
} ExposeInstance;

struct ExposeInstances {
        ExposeInstancesOptions options;
        char *address;
        bool is_open;          /* may connect */
        bool review_due;       /* one may have to end */
        DbusLink *family_link; /* NULL: not a family */
        FamilyWatch *family;
        ExposeInstance *items; /* hash */
};

typedef struct ExposeInstancesCount {
        unsigned services;  /* on MQTT */
        unsigned links;     /* that should be connected */
        unsigned connected; /* of these */
        unsigned tried;     /* to be connected, of these */
        unsigned calls;     /* in flight */
} ExposeInstancesCount;

/* Makes what is there from the beginning; nothing is connected yet. On failure the error says why.
 */
int expose_instances_new(const ExposeInstancesOptions *options, ExposeInstances **ret_instances,
                         Error **ret_error);
/* Ends all, with what is retained of them. Accepts NULL, returns NULL. */
ExposeInstances *expose_instances_free(ExposeInstances *instances);
/* Begins to connect to D-Bus, for ever. Fails only without memory. */
int expose_instances_open(ExposeInstances *instances);
void expose_instances_count(const ExposeInstances *instances, ExposeInstancesCount *ret_count);
/* Takes one message of each connection. Whether there was any. */
bool expose_instances_process(ExposeInstances *instances);
/* Ends members of a family that are gone; to be called now and then, outside of callbacks. */
void expose_instances_review(ExposeInstances *instances);
/* The mappings have changed: ends members of a family that another mapping has now. */
void expose_instances_yield(ExposeInstances *instances);
/* And begins those that it has not any more. */
void expose_instances_claim(ExposeInstances *instances);
