/* SPDX-License-Identifier: MIT */
#pragma once

/* What pretends to be a broker, on a unix socket: it takes one MQTT 5 client at a time, answers
 * what must be answered as told, and sends whatever the test wants, subscribed to or not. It never
 * waits: the test calls fake_broker_process(), or puts it on the loop of tests/support/loop.h. */

#include "tests/support/temp-dir.h"

#include <stdbool.h>

typedef struct FakeBroker FakeBroker;

FakeBroker *fake_broker_new(TempDir *dir);
/* Accepts NULL, returns NULL. */
FakeBroker *fake_broker_free(FakeBroker *broker);
DEFINE_CLEANUP(FakeBroker *, fake_broker_free, cleanup_fake_broker)
#define CLEANUP_FAKE_BROKER CLEANUP(cleanup_fake_broker)

const char *fake_broker_get_uri(const FakeBroker *broker);
/* From now on nothing is acknowledged. */
void fake_broker_be_silent(FakeBroker *broker);
/* The reason code of the PUBACKs to come; 0 at first. */
void fake_broker_set_puback(FakeBroker *broker, unsigned char reason);

/* Takes in and answers what has come. */
void fake_broker_process(FakeBroker *broker);
/* Sends a PUBLISH. `response_topic` may be NULL. */
void fake_broker_publish(FakeBroker *broker, const char *topic, const void *payload, size_t length,
                         int qos, bool retain, const char *response_topic);
/* The same at QoS 1 with this packet id and the flag DUP, as what was sent before and not
 * acknowledged. */
void fake_broker_repeat(FakeBroker *broker, const char *topic, const char *payload, guint16 id);
/* Sends bytes that need not be a packet. */
void fake_broker_send(FakeBroker *broker, const void *data, size_t length);
/* The connections to come find their session. */
void fake_broker_keep_session(FakeBroker *broker);
/* Ends the connection, if there is one. */
void fake_broker_hang_up(FakeBroker *broker);
/* Sends a publish back to the client under its own topic, as a subscription would. */
void fake_broker_set_echo(FakeBroker *broker, const char *topic_suffix);

bool fake_broker_is_connected(const FakeBroker *broker);
unsigned fake_broker_count_subscribes(const FakeBroker *broker);
unsigned fake_broker_count_pubacks(const FakeBroker *broker);
unsigned fake_broker_count_connects(const FakeBroker *broker);
/* How many messages with this in their topic have come. */
unsigned fake_broker_count_published(const FakeBroker *broker, const char *text);
