/* SPDX-License-Identifier: MIT */
#pragma once

/* The bridge as a service of the local bus: what it does as properties, and what it can be told to
 * do as methods. By libmqttrpc, on a connection of its own. */

#include "bridge/core.h"
#include "bridge/up-events.h"
#include "bridge/up-state.h"
#include "mqttrpc/mqttrpc.h"

typedef struct BridgeService BridgeService;

int bridge_service_new(Core *core, UpState *state, UpEvents *events, BridgeService **ret_service);
BridgeService *bridge_service_free(BridgeService *service);
/* Starts, or starts anew with the settings of the policy. */
int bridge_service_open(BridgeService *service, Error **ret_error);
/* The bus to poll. Borrowed; NULL while there is none. */
MqttRpcBus *bridge_service_get_bus(const BridgeService *service);
/* Publishes what has changed; returns when to be called again. */
uint64_t bridge_service_process(BridgeService *service, uint64_t now);
