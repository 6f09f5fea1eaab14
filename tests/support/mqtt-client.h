/* SPDX-License-Identifier: MIT */
#pragma once

/* A caller on bare libmosquitto, so that what is tested does not test itself: it sends requests as
 * the test words them and keeps every reply. It blocks only in the functions that wait. */

#include "tests/support/broker.h"

#include <stdint.h>

typedef struct MqttClient MqttClient;

/* One request. What is NULL or 0 is left out. */
typedef struct MqttRequest {
        const char *service;
        const char *object; /* NULL: "-" */
        const char *method;
        const char *params; /* JSON; NULL: no params */
        unsigned ttl_msec;  /* as the user property `ttl` */
        unsigned hops;
        bool notification;
} MqttRequest;

/* Connects by MQTT 5 as a user of the broker, and subscribes to the replies; the user is the
 * caller. Borrows the broker. */
MqttClient *mqtt_client_new(Broker *broker, const char *user);
/* Accepts NULL, returns NULL. */
MqttClient *mqtt_client_free(MqttClient *client);
DEFINE_CLEANUP(MqttClient *, mqtt_client_free, cleanup_mqtt_client)
#define CLEANUP_MQTT_CLIENT CLEANUP(cleanup_mqtt_client)

/* Connects again, after the broker was restarted. Replies that were not asked for are dropped. */
void mqtt_client_reconnect(MqttClient *client);

/* Publishes at QoS 1 and does not wait. */
void mqtt_client_publish(MqttClient *client, const char *topic, const void *payload, size_t length);

/* Sends a request and does not wait. Returns its id, as the JSON string "1", "2", …  */
unsigned mqtt_client_send(MqttClient *client, const MqttRequest *request);
/* The reply to a request; the caller frees it. NULL if none came in time. */
char *mqtt_client_wait(MqttClient *client, unsigned id, unsigned msec);
/* Both; fails the test if no reply comes within WAIT_MSEC. */
char *mqtt_client_call(MqttClient *client, const MqttRequest *request);

/* The payload of the next message at a reply topic, whatever it answers; the caller frees it. */
char *mqtt_client_wait_any(MqttClient *client, unsigned msec);
/* Takes in what has come, without waiting. Returns how many replies are kept. */
size_t mqtt_client_collect(MqttClient *client);
/* Forgets them. */
void mqtt_client_clear(MqttClient *client);
