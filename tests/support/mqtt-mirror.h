/* SPDX-License-Identifier: MIT */
#pragma once

/* What a user of the broker sees of it: the retained topics as they are now, and everything that
 * has come, in order, as "topic payload" lines without the root. On bare libmosquitto. */

#include "tests/support/broker.h"

typedef struct MqttMirror MqttMirror;

/* Connects as the user and subscribes to everything. Borrows the broker. */
MqttMirror *mqtt_mirror_new(Broker *broker, const char *user);
/* Accepts NULL, returns NULL. */
MqttMirror *mqtt_mirror_free(MqttMirror *mirror);
DEFINE_CLEANUP(MqttMirror *, mqtt_mirror_free, cleanup_mqtt_mirror)
#define CLEANUP_MQTT_MIRROR CLEANUP(cleanup_mqtt_mirror)

/* The payload of a topic below the root, or NULL. Borrowed until the next wait. */
const char *mqtt_mirror_get(const MqttMirror *mirror, const char *topic);
/* Waits until the topic has this payload; NULL: until there is none. Fails the test if time is up.
 */
void mqtt_mirror_expect(MqttMirror *mirror, const char *topic, const char *payload);
/* Waits until the payload contains a text. */
void mqtt_mirror_expect_text(MqttMirror *mirror, const char *topic, const char *text);
/* Waits until a message that starts so ("topic payload") has come; its place among all. */
guint mqtt_mirror_expect_message(MqttMirror *mirror, const char *line);
/* The message of that place, from 0 on, without waiting; NULL: there is none yet. Borrowed. */
const char *mqtt_mirror_get_message(const MqttMirror *mirror, guint place);
/* How many messages that start so have come, without waiting. */
guint mqtt_mirror_count(const MqttMirror *mirror, const char *line);
/* The number of retained topics that start so. */
guint mqtt_mirror_count_retained(const MqttMirror *mirror, const char *prefix);
/* All retained topics below the root, "topic payload" in the order of names, a line each; the
 * caller frees it. */
char *mqtt_mirror_dup_tree(const MqttMirror *mirror);
/* Waits for one more message. False when time is up. */
bool mqtt_mirror_turn(MqttMirror *mirror);
/* Forgets the messages, not the retained topics. */
void mqtt_mirror_clear(MqttMirror *mirror);
