/* SPDX-License-Identifier: MIT */
#pragma once

/* One poll() loop for all connections of a test: buses under test and raw MQTT clients share the
 * test's thread, so that nothing happens but what the test waits for. */

#include "mqttrpc/mqttrpc.h"
#include "tests/support/wait.h"

typedef struct LoopItem {
        int (*get_fd)(void *userdata);
        int (*get_events)(void *userdata);
        uint64_t (*get_timeout)(void *userdata); /* CLOCK_MONOTONIC; UINT64_MAX: never */
        void (*process)(void *userdata, int revents);
        void *userdata;
} LoopItem;

void loop_add(const LoopItem *item);
/* Accepts what is not there. */
void loop_remove(const void *userdata);

/* Takes a reference until loop_remove_bus(). */
void loop_add_bus(MqttRpcBus *bus);
/* Closes the bus, takes it off the loop and drops both references: the loop's and the caller's.
 * Accepts NULL, returns NULL. */
MqttRpcBus *loop_drop_bus(MqttRpcBus *bus);

/* Waits `msec` at most until something can be done, and does it. */
void loop_step(int msec);

/* Runs the loop until the condition holds: true; or WAIT_MSEC have passed. */
#define LOOP_UNTIL(condition)                                                       \
        __extension__({                                                             \
                gint64 loop_deadline = wait_deadline(WAIT_MSEC);                    \
                bool loop_holds;                                                    \
                while (!(loop_holds = (condition)) && wait_left(loop_deadline) > 0) \
                        loop_step(wait_left(loop_deadline));                        \
                loop_holds;                                                         \
        })
