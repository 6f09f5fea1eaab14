/* SPDX-License-Identifier: MIT */
#pragma once

/* Takes signals from the local broker into the store and from there to the cloud: they are
 * committed before the local broker gets its PUBACK, sent in order, and removed when the cloud has
 * taken them. What got lost before it arrived, or is dropped by the store's bounds, is sent as the
 * signal rpc.gap of the bridge's service. */

#include "bridge/core.h"

typedef struct UpEvents UpEvents;

/* Without a store nothing is acknowledged: up_events_open_store() can be called again. */
int up_events_new(Core *core, UpEvents **ret_events);
UpEvents *up_events_free(UpEvents *events);

/* Opens the store of the policy. -EBUSY: another process has it. */
int up_events_open_store(UpEvents *events, Error **ret_error);

/* Starts, or starts anew, the connection that takes the signals. */
int up_events_open(UpEvents *events, Error **ret_error);
/* Subscribes to what another policy asks for, and no more to the rest. */
void up_events_apply_policy(UpEvents *events);

void up_events_on_cloud_down(UpEvents *events);
void up_events_on_published(UpEvents *events, uint64_t number, int reason);

/* Whether all events up to this one have been taken by the cloud, or dropped. */
bool up_events_is_done(const UpEvents *events, int64_t id);

/* Sends what may be sent, and commits what is due; returns when to be called again. */
uint64_t up_events_process(UpEvents *events, uint64_t now);
