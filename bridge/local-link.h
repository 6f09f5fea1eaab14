/* SPDX-License-Identifier: MIT */
#pragma once

/* The connection to the local broker for state and calls, with a clean session: subscribes service
 * by service, since brokers cut what one subscription yields at the length of their queues, and
 * sends itself a marker to know when all that is retained has come. */

#include "bridge/down-call.h"
#include "bridge/up-state.h"

typedef struct LocalLink LocalLink;

int local_link_new(Core *core, UpState *state, DownCall *calls, LocalLink **ret_link);
LocalLink *local_link_free(LocalLink *link);
int local_link_open(LocalLink *link, Error **ret_error);
/* Subscribes to what another policy asks for, and no more to the rest. */
void local_link_apply_policy(LocalLink *link);
/* Gives up on a broker that does not get on; returns when to be called again. */
uint64_t local_link_process(LocalLink *link, uint64_t now);
