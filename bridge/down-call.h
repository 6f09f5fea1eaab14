/* SPDX-License-Identifier: MIT */
#pragma once

/* Calls from the cloud to local services: each is looked up in the policy, renamed (cloud.CALLER),
 * handed to the local broker at once or refused at once, and its answer taken back by the way it
 * came. Nothing is kept for later: what the connection to either side outlives ends with it. */

#include "bridge/core.h"

typedef struct DownCall DownCall;

int down_call_new(Core *core, DownCall **ret_calls);
/* Ends what waits, without a word. */
DownCall *down_call_free(DownCall *calls);

/* The filters by which answers come, at the local broker. */
int down_call_list_filters(const DownCall *calls, char **ret_filter);

/* A message of the cloud that is not state. */
void down_call_take(DownCall *calls, const MqttMessage *message);
/* A message of the local broker at a topic of answers. */
void down_call_take_answer(DownCall *calls, const char *rest, const Topic *topic,
                           const MqttMessage *message);
/* The local broker's answer to a request. */
void down_call_on_published(DownCall *calls, uint64_t number, int reason);

/* Rates count by rules, which are others now. */
void down_call_apply_policy(DownCall *calls);

void down_call_on_local_down(DownCall *calls);
void down_call_on_cloud_down(DownCall *calls);

/* Ends what has waited too long; returns when to be called again. */
uint64_t down_call_process(DownCall *calls, uint64_t now);
size_t down_call_count(const DownCall *calls);
