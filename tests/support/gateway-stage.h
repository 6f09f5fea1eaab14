/* SPDX-License-Identifier: MIT */
#pragma once

/* The gateway between a private bus and a private broker with the packaged configuration, a client
 * on the one side and test services (dbus-service-main.c) on the other. The user "gateway" may
 * serve "test" and "other", the client is "alice" and may call all methods of both. */

#include "tests/support/broker.h"
#include "tests/support/dbus-daemon.h"
#include "tests/support/gateway-process.h"
#include "tests/support/mqtt-client.h"

/* What is not there is NULL. All owned. */
typedef struct GatewayStage {
        TempDir *dir;
        DbusDaemon *bus;
        Broker *broker;
        GatewayProcess *gateway;
        MqttClient *client;
        char *mappings; /* folder */
        bool unwatched; /* see GatewayOptions */
        char *config;   /* a file with further settings for the gateway, or NULL; owned */
} GatewayStage;

/* Nothing runs yet. */
GatewayStage *gateway_stage_new(void);
/* Stops everything, and fails the test if the gateway does not end in order. */
GatewayStage *gateway_stage_free(GatewayStage *stage);
DEFINE_CLEANUP(GatewayStage *, gateway_stage_free, cleanup_gateway_stage)
#define CLEANUP_GATEWAY_STAGE CLEANUP(cleanup_gateway_stage)

/* Writes a file into the folder of mappings; returns its path, which the caller frees. */
char *gateway_stage_write(GatewayStage *stage, const char *name, const char *text);
/* Writes the mapping of a service: `objects` is the value of that member, `more` other members with
 * a comma at the end, or "". */
void gateway_stage_add_mapping(GatewayStage *stage, const char *service, const char *bus_name,
                               const char *more, const char *objects);

/* Starts bus, broker, gateway and client, those that do not run, and waits until the gateway is
 * ready. */
void gateway_stage_start(GatewayStage *stage);
/* Only the gateway, without waiting. */
void gateway_stage_start_gateway(GatewayStage *stage, unsigned watchdog_msec);
void gateway_stage_wait_ready(GatewayStage *stage);

/* Starts a test service on the running bus and waits until it has its name. `arguments`:
 * --introspection PATH=FILE or NULL. */
Process *gateway_stage_start_service(GatewayStage *stage, const char *bus_name,
                                     const char *const *arguments);
/* The Exec= line that has the bus start it on demand; the caller frees it. */
char *gateway_stage_dup_command(const char *bus_name);

/* Calls `method` of the root object of a service; the caller frees the reply. */
char *gateway_stage_call(GatewayStage *stage, const char *service, const char *method,
                         const char *params);
