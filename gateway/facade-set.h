/* SPDX-License-Identifier: MIT */
#pragma once

/* The facades of one mapping, each with a connection to D-Bus of its own. A mapping of one bus name
 * has one for as long as it is served; one of a family has one for each MQTT service whose name is
 * of the family, from when it is first ready until it is offline or lost. */

#include "gateway/facade.h"

typedef struct FacadeSet FacadeSet;

typedef struct FacadeSetOptions {
        MappingService *mapping;
        const char *address; /* of the D-Bus bus; copied */
        sd_event *event;
        MqttRpcBus *bus;
        ExposeScratch *scratch;
        Usage *usage; /* NULL: nobody counts */
        /* A connection to D-Bus has come up, gone, or could not be had. */
        void (*on_change)(void *userdata);
        FacadeHandler on_state; /* of each facade; may be NULL */
        void *userdata;         /* of both */
        bool suspended;         /* from the start */
} FacadeSetOptions;

typedef struct FacadeSetCount {
        unsigned facades;
        unsigned connected; /* their connections to D-Bus */
        unsigned tried;
        unsigned calls; /* in flight */
} FacadeSetCount;

/* Nothing is connected yet. On failure the error says why. */
int facade_set_new(const FacadeSetOptions *options, FacadeSet **ret_set, Error **ret_error);
/* Accepts NULL, returns NULL. */
FacadeSet *facade_set_free(FacadeSet *set);
/* Begins to connect to D-Bus, for ever. Fails only without memory. */
int facade_set_open(FacadeSet *set);
void facade_set_count(const FacadeSet *set, FacadeSetCount *ret_count);
/* Takes one message of each connection that has calls in flight. Whether there was any. */
bool facade_set_process(FacadeSet *set);
/* Calls `each` for every facade. */
void facade_set_each(const FacadeSet *set, void (*each)(Facade *facade, void *userdata),
                     void *userdata);
/* The facade of a D-Bus name, or NULL. Borrowed. */
Facade *facade_set_find(const FacadeSet *set, const char *bus_name);
