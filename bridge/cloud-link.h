/* SPDX-License-Identifier: MIT */
#pragma once

/* The connection to the cloud: subscribes, compares what the cloud keeps with what is so here, and
 * then lets state and events go up. Says at {node}/{root}/$node whether the bridge is there, also
 * by its Will. */

#include "bridge/down-call.h"
#include "bridge/up-events.h"
#include "bridge/up-state.h"

typedef struct CloudLink CloudLink;

int cloud_link_new(Core *core, UpState *state, UpEvents *events, DownCall *calls,
                   CloudLink **ret_link);
CloudLink *cloud_link_free(CloudLink *link);
int cloud_link_open(CloudLink *link, Error **ret_error);
/* Says that the bridge goes; the connection is for the caller to end when that has left. */
void cloud_link_say_offline(CloudLink *link);
/* Says how it is with the local broker, when that has changed, and gives up on a cloud that does
 * not get on; returns when to be called again. */
uint64_t cloud_link_process(CloudLink *link, uint64_t now);
