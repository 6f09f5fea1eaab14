/* SPDX-License-Identifier: MIT */
#pragma once

/* The gateway's own service on the MQTT bus, under its `name`: what it serves and how that is, its
 * figures, and the level of its log. dbus-mqtt-gateway(8) describes the members.
 *
 * It knows the gateway by a table of functions only, and so can be tested without one. */

#include <mqttrpc/mqttrpc.h>

#include "common/diagnostics.h"
#include "gateway/own-instance.h"
#include "gateway/usage.h"

/* Figures of the process, beyond what own_service_write_stats() finds by itself. */
typedef struct OwnFigures {
        uint64_t started_usec;   /* CLOCK_MONOTONIC */
        uint64_t connected_usec; /* to the broker, since when; 0: not */
        unsigned n_connections;  /* to D-Bus, that there should be */
        unsigned n_connected;    /* of these */
} OwnFigures;

typedef struct OwnServiceOps {
        /* Calls `each` for every service, and every family before its members. */
        void (*list)(void *gateway, OwnInstanceHandler each, void *userdata);
        void (*figures)(void *gateway, OwnFigures *ret_figures);
        /* Findings about the mapping files, of the last time that they were read. Borrowed. */
        const Diagnostics *(*findings)(void *gateway);
        /* Reads them again; see gateway_reload(). */
        int (*reload)(void *gateway, MappingReload *ret_reload);
        /* Releases the D-Bus name of a service, and answers the request when that is done; see
         * served_release(). */
        int (*release)(void *gateway, const char *name, uint64_t usec, MqttRpcRequest *request,
                       MqttRpcError **ret_error);
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

/* The results of the methods, as JSON. Return what buffer_status() says; own_service_write_one()
 * -ENOENT, after which the buffer is as it was. `now` is CLOCK_MONOTONIC. */
int own_service_write_list(const OwnService *service, uint64_t now, Buffer *buffer);
int own_service_write_one(const OwnService *service, const char *name, uint64_t now,
                          Buffer *buffer);
/* How far it is on its way off D-Bus, see migration.h; `name` may be that on D-Bus. -ENOENT as
 * above. */
int own_service_write_migration(const OwnService *service, const char *name, Buffer *buffer);
int own_service_write_reload(const OwnService *service, const MappingReload *reload,
                             Buffer *buffer);
int own_service_write_stats(const OwnService *service, uint64_t now, Buffer *buffer);
