/* SPDX-License-Identifier: MIT */
#pragma once

/* Stands in for bridge/mqtt.c: a connection that keeps what it is given, and does what the test
 * says. What is linked before the library takes its place. */

#include "bridge/mqtt.h"

#include <glib.h>

/* A message that was published; NULL and 0 where it had nothing. */
typedef struct FakePublish {
        char *topic, *payload, *response_topic;
        size_t length;
        int qos;
        bool retain;
        uint64_t correlation; /* its first bytes */
        uint32_t expiry_sec;
        char *ttl, *origin, *eid, *rc; /* user properties */
        uint64_t cookie;
} FakePublish;

/* Connected, and then what the broker does. */
void fake_mqtt_open(Mqtt *mqtt, bool session_present);
void fake_mqtt_hang_up(Mqtt *mqtt);
void fake_mqtt_deliver(Mqtt *mqtt, const MqttMessage *message);
void fake_mqtt_grant(Mqtt *mqtt, bool granted);
void fake_mqtt_answer(Mqtt *mqtt, uint64_t cookie, int reason);
/* What mqtt_publish() and mqtt_get_lag() return from now on; 0 at first. */
void fake_mqtt_refuse(Mqtt *mqtt, int r);
void fake_mqtt_set_lag(Mqtt *mqtt, uint64_t usec);

/* The oldest that was published and not taken yet; NULL: none. Borrowed until the next call. */
const FakePublish *fake_mqtt_take(Mqtt *mqtt);
/* The same, which must have this topic. */
const FakePublish *fake_mqtt_expect(Mqtt *mqtt, const char *topic);
/* All filters that are subscribed to, as sorted lines; the caller frees it. And how many there have
 * been since the connection was opened. */
char *fake_mqtt_list_filters(const Mqtt *mqtt);
unsigned fake_mqtt_count_subscribed(const Mqtt *mqtt);
/* Why it was given up; NULL: it was not. Borrowed. */
const char *fake_mqtt_failure(const Mqtt *mqtt);
bool fake_mqtt_failed_long(const Mqtt *mqtt);
const MqttSettings *fake_mqtt_settings(const Mqtt *mqtt);
