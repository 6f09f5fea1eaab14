/* SPDX-License-Identifier: MIT */
#pragma once

/* mqttrpc-bridge between two private brokers that let everybody in: the local one, and one that
 * plays the cloud. Its node is "dev1". */

#include "tests/support/broker.h"
#include "tests/support/raw-client.h"

typedef struct BridgeStage {
        TempDir *dir;
        Broker *local;
        Broker *cloud;
        Process *bridge; /* NULL: not running */
        char *policy;    /* path */
        char *store;     /* path of the queue */
        char *cloud_uri; /* where the bridge finds the cloud; the cloud's by default */
        /* More members of the policy's "cloud" and "queue", each with a comma in front; constants.
         */
        const char *cloud_members, *queue_members;
        const char *const *environment; /* of the bridge; NULL: ours */
} BridgeStage;

/* Starts both brokers, not the bridge. */
BridgeStage *bridge_stage_new(void);
/* Stops everything, and fails the test if the bridge does not end in order. */
BridgeStage *bridge_stage_free(BridgeStage *stage);
DEFINE_CLEANUP(BridgeStage *, bridge_stage_free, cleanup_bridge_stage)
#define CLEANUP_BRIDGE_STAGE CLEANUP(cleanup_bridge_stage)

/* Writes the policy: members such as "publish" and "allow", each with a comma in front. */
void bridge_stage_write_policy(BridgeStage *stage, const char *members);
/* Puts another text in the place of one that is in it once. */
void bridge_stage_edit_policy(BridgeStage *stage, const char *from, const char *to);
/* Starts the bridge and does not wait; _wait_up() waits until both sides are up since then. */
void bridge_stage_start(BridgeStage *stage);
void bridge_stage_wait_up(BridgeStage *stage);
/* Both. */
void bridge_stage_run(BridgeStage *stage, const char *members);
/* SIGTERM; fails the test if it does not end in order. */
void bridge_stage_stop(BridgeStage *stage);
/* SIGKILL. */
void bridge_stage_kill(BridgeStage *stage);
/* The bridge may not write beyond so many bytes of any file, as if the disk were full; or
 * "unlimited". */
void bridge_stage_limit_files(BridgeStage *stage, const char *bytes);

/* It may have so many bytes of memory. */
void bridge_stage_limit_memory(BridgeStage *stage, const char *bytes);
/* What the bridge has had in memory at most since it began, in KiB. */
long bridge_stage_get_peak(BridgeStage *stage);

/* A number or word that `mqttrpc-bridge status` prints; the caller frees it. NULL: it cannot tell.
 */
char *bridge_stage_get(BridgeStage *stage, const char *property);
/* Waits until it has that value. */
void bridge_stage_expect(BridgeStage *stage, const char *property, const char *value);

/* Publishes a retained message at QoS 1 and waits for the answer; "" removes it. */
void bridge_stage_retain(RawClient *client, const char *topic, const char *payload);
/* All retained messages below a prefix, as sorted lines "topic payload" without the prefix; the
 * caller frees it. */
char *bridge_stage_list_retained(Broker *broker, const char *prefix);
