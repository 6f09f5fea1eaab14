/* SPDX-License-Identifier: MIT */
#pragma once

/* Two brokers and what joins them: mqttrpc-bridge, and beside it the bridge of the local mosquitto
 * itself. Both go to the cloud by TCP; each carries the signals of a service of its own, "ours" and
 * "stock". Behind both brokers is the echo service "lib", whose calls the policy lets through. */

#include "tests/bench/connection.h"
#include "tests/support/bridge-stage.h"

typedef struct Crossing {
        BridgeStage *stage;
        Process *local_peer, *cloud_peer; /* "lib" at the local broker, and at the cloud */
        struct mosquitto *device;         /* publishes signals at the local broker */
        struct mosquitto *cloud;          /* receives those of both services */
        unsigned sent, received;          /* signals */
} Crossing;

Crossing *crossing_new(void);
void crossing_free(Crossing *crossing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Crossing, crossing_free)

ConnectionSettings crossing_get_settings(const Crossing *crossing, bool cloud);
/* All processes to one CPU, or back to all. */
void crossing_pin(const Crossing *crossing, bool pinned);

/* Takes the cloud down, or brings it back with the receiver. */
void crossing_stop_cloud(Crossing *crossing);
void crossing_start_cloud(Crossing *crossing);

/* Sends a signal of a service at QoS 1. */
void crossing_send(Crossing *crossing, const char *service);
/* Waits for something to do and does it. */
void crossing_process(Crossing *crossing);
/* Sends `n` signals, not more than some thousand ahead of the receiver, and returns how many got
 * through in a second. */
double crossing_stream(Crossing *crossing, const char *service, unsigned n);
