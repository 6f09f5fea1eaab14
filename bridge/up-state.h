/* SPDX-License-Identifier: MIT */
#pragma once

/* Mirrors retained topics to the cloud: keeps what the local broker has, compares it with what the
 * cloud has after each connect, and sends the differences, the latest value of each and removals
 * included. Memory is bounded: topics beyond are left out and reported. */

#include "bridge/core.h"

typedef struct UpState UpState;

int up_state_new(Core *core, UpState **ret_state);
UpState *up_state_free(UpState *state);

/* ---- the local side ---- */

/* All is to come again: what does not is gone. */
void up_state_begin_local(UpState *state);
/* `rest` is the topic below the root. */
void up_state_take(UpState *state, const char *rest, const Topic *topic,
                   const MqttMessage *message);
/* All that is retained has come. */
void up_state_end_local(UpState *state);
/* The policy is another one: what it does not name any more is taken away from the cloud. */
void up_state_apply_policy(UpState *state);

/* ---- the cloud's side ---- */

/* Connected: what the cloud has will come by up_state_compare(), then up_state_end_compare(). */
void up_state_begin_compare(UpState *state);
void up_state_compare(UpState *state, const char *rest, const MqttMessage *message);
void up_state_end_compare(UpState *state);
void up_state_on_cloud_down(UpState *state);
void up_state_on_published(UpState *state, uint64_t number, int reason);

/* Sends what may be sent; returns when to be called again. */
uint64_t up_state_process(UpState *state, uint64_t now);

size_t up_state_count(const UpState *state);
/* Topics that the cloud does not have yet as they are. */
size_t up_state_count_dirty(const UpState *state);
