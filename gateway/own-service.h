/* SPDX-License-Identifier: MIT */
#pragma once

/* The gateway's own service on the MQTT bus, under its `name`: what it serves and how that is, its
 * figures, and the level of its log. dbus-mqtt-gateway(8) describes the members.
 *
 * It knows the gateway by a table of functions only, and so can be tested without one. */

#include <mqttrpc/mqttrpc.h>

#include "common/diagnostics.h"
#include "gateway/expose.h"
#include "gateway/usage.h"

/* A mapped service as it is now, or a family of them. All borrowed; what is NULL or -1 is not
 * known, or not there. */
typedef struct OwnInstance {
        const MappingService *mapping;
        const char *name; /* in topics */
        const char *bus;  /* address, as in settings */
        const char *bus_name;
        const char *state; /* a word; see own_instance_of_expose() */
        const char *owner; /* unique name on D-Bus */
        unsigned n_objects;
        unsigned n_calls; /* in flight */
        ExposeStats stats;
        bool is_family; /* no service by itself: its members are listed, too */
} OwnInstance;

/* Figures of the process, beyond what own_service_write_stats() finds by itself. */
typedef struct OwnFigures {
        uint64_t started_usec;   /* CLOCK_MONOTONIC */
        uint64_t connected_usec; /* to the broker, since when; 0: not */
        unsigned n_connections;  /* to D-Bus, that there should be */
        unsigned n_connected;    /* of these */
} OwnFigures;

typedef void (*OwnInstanceHandler)(const OwnInstance *instance, void *userdata);

typedef struct OwnServiceOps {
        /* Calls `each` for every service, and every family before its members. */
        void (*list)(void *gateway, OwnInstanceHandler each, void *userdata);
        void (*figures)(void *gateway, OwnFigures *ret_figures);
        /* Findings about the mapping files, of the last time that they were read. Borrowed. */
        const Diagnostics *(*findings)(void *gateway);
        /* Reads them again; see gateway_reload(). */
        int (*reload)(void *gateway, MappingReload *ret_reload);
} OwnServiceOps;

/* All borrowed, and valid as long as the service is on the bus. */
typedef struct OwnService {
        MqttRpcBus *bus;
        const char *name;
        const OwnServiceOps *ops;
        void *gateway; /* for the ops */
        const Usage *usage;
} OwnService;

/* Adds it to the bus, before it is opened. */
int own_service_add(OwnService *service, MqttRpcError **ret_error);

/* What an Expose is at the moment. Its state: "running", "starting" (its owner is being looked at,
 * or the bus has not said yet who that is), "stopped" (a call starts it), "unavailable" (it does
 * not run, and no call starts it), "disconnected" (its D-Bus is away). */
void own_instance_of_expose(const Expose *expose, OwnInstance *ret_instance);

/* A family: "watching" for names, or "disconnected". */
void own_instance_of_family(const MappingService *family, const DbusLink *link,
                            OwnInstance *ret_instance);

/* The results of the methods, as JSON. Return what buffer_status() says; own_service_write_one()
 * -ENOENT, after which the buffer is as it was. `now` is CLOCK_MONOTONIC. */
int own_service_write_list(const OwnService *service, uint64_t now, Buffer *buffer);
int own_service_write_one(const OwnService *service, const char *name, uint64_t now,
                          Buffer *buffer);
int own_service_write_reload(const OwnService *service, const MappingReload *reload,
                             Buffer *buffer);
int own_service_write_stats(const OwnService *service, uint64_t now, Buffer *buffer);
