/* SPDX-License-Identifier: MIT */
#pragma once

/* Knowing that all retained messages for what was subscribed have come. A broker sends them when it
 * handles the subscription, as far as its window allows, so they are there when a later
 * subscription is acknowledged, or else some come in that time: then it is asked again. */

#include "libmqttrpc/bus.h"

typedef void (*SyncHandler)(MqttRpcBus *bus, const MqttRpcError *error, void *userdata);

/* Calls the handler once, unless the slot is dropped before. -ENOTCONN, -ENOMEM. */
int sync_start(MqttRpcBus *bus, MqttRpcSlot **ret_slot, SyncHandler handler, void *userdata);
/* A subscription was acknowledged. */
void syncs_on_subscribed(MqttRpcBus *bus, int mid);
/* The connection is lost. */
void syncs_on_down(MqttRpcBus *bus, const MqttRpcError *reason);
