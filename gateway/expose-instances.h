/* SPDX-License-Identifier: MIT */
#pragma once

/* What one mapping shows of D-Bus: its instances, each of which is one service on MQTT with a
 * connection to D-Bus of its own. dbus-daemon counts the calls of a connection that nobody has
 * answered, timed out or not, and by default refuses those beyond 128 on the system bus: one hung
 * service would soon have used up what all others need.
 *
 * A mapping of one bus name that D-Bus provides has one instance, for as long as it is served. One
 * of a family has one for each name of it that is there, one whose service may be provided by
 * either side has one while D-Bus does; one more connection then follows the names. Such an
 * instance ends when both connections say that its name is gone, and all its calls are answered. */

#include "gateway/expose.h"
#include "gateway/ghosts.h"
#include "gateway/name-watch.h"

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
        /* A connection to D-Bus has come up, gone, or could not be had; or somebody has the name,
         * or has it no more. */
        void (*on_change)(void *userdata);
        void *userdata;
} ExposeInstancesOptions;

/* Whether the service of the mapping is on MQTT otherwise. */
typedef enum ExposeRival {
        EXPOSE_RIVAL_UNKNOWN,
        EXPOSE_RIVAL_ABSENT,
        EXPOSE_RIVAL_PRESENT,
} ExposeRival;

typedef struct ExposeInstance {
        ExposeInstances *instances;
        MappingService *member; /* of a family; owned, else NULL */
        DbusLink *link;
        Expose *expose;
        bool is_wanted;    /* as the connection that follows names says */
        UT_hash_handle hh; /* by the bus name, which the Expose has */
} ExposeInstance;

struct ExposeInstances {
        ExposeInstancesOptions options;
        char *address;
        bool is_open;         /* may connect */
        bool review_due;      /* one may have to end */
        DbusLink *names_link; /* NULL: there is one instance for ever */
        NameWatch *names;
        NameReasons reasons;   /* of the one name */
        ExposeRival rival;     /* of the one name; of families it is absent */
        bool gives_way;        /* to the rival, who was there when we came */
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
/* Takes one message of each connection that has calls in flight. Whether there was any. */
bool expose_instances_process(ExposeInstances *instances);
/* Whether somebody else than the gateway has the one name of a mapping. */
bool expose_instances_has_name(const ExposeInstances *instances);
/* Whether a name of it is a facade of another gateway. */
bool expose_instances_has_loop(const ExposeInstances *instances);
/* For a mapping of one name whose service either side may provide. While it is unknown, nothing is
 * shown; a rival has precedence over what only could be started. */
void expose_instances_set_rival(ExposeInstances *instances, ExposeRival rival);
/* Ends what is gone; to be called now and then, outside of callbacks. */
void expose_instances_review(ExposeInstances *instances);
/* The mappings have changed: ends members of a family that another mapping has now. */
void expose_instances_yield(ExposeInstances *instances);
/* And begins those that it has not any more. */
void expose_instances_claim(ExposeInstances *instances);
