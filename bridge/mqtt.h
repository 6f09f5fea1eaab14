/* SPDX-License-Identifier: MIT */
#pragma once

/* One connection to a broker by libmosquitto, and its life: connect (in a thread, since names are
 * resolved and TLS is shaken hands on there), lose it, pause with jitter, connect again. A handle
 * of libmosquitto is used for one connection only, so that nothing is ever sent again behind our
 * back.
 *
 * Packets leave only in mqtt_process(), after the event before_write: who stores messages there has
 * stored them before the broker is told that they arrived. Events are delivered inside
 * mqtt_process() only; there mqtt_fail() may be called, and mqtt_free() may not. */

#include <stdbool.h>
#include <stdint.h>

#include "bridge/policy.h"

typedef struct Mqtt Mqtt;

typedef struct MqttPair {
        const char *name;
        const char *value;
} MqttPair;

/* A message that came. All borrowed for the time of the event. */
typedef struct MqttMessage {
        const char *topic;
        const void *payload;
        size_t length;
        int qos;
        bool retain;
        uint16_t mid;  /* packet id; 0 at QoS 0 */
        bool repeated; /* the broker has sent it before; only told of a session that lasts */
        const char *response_topic;
        const void *correlation;
        size_t correlation_length;
        bool expires;
        uint32_t expiry_sec;
        /* user properties; NULL: none */
        const char *ttl;
        const char *epoch;
        const char *pg;
        const char *hops;
        const char *seq;
        const char *rc;
} MqttMessage;

/* A message to send. What is NULL or 0 is left out. */
typedef struct MqttPublish {
        const char *topic;
        const void *payload;
        size_t length;
        int qos;
        bool retain;
        const char *response_topic;
        const void *correlation;
        size_t correlation_length;
        uint32_t expiry_sec;
        const MqttPair *pairs;
        size_t n_pairs;
} MqttPublish;

typedef struct MqttEvents {
        /* Accepted by the broker: subscribe. */
        void (*on_open)(void *userdata, bool session_present);
        /* The answer to mqtt_subscribe(). */
        void (*on_subscribed)(void *userdata, int mid, bool granted);
        void (*on_message)(void *userdata, const MqttMessage *message);
        /* The broker's answer to a message of QoS 1: its reason code. */
        void (*on_published)(void *userdata, uint64_t cookie, int reason);
        /* < 0: nothing is written, and the connection is given up. May be NULL. */
        int (*before_write)(void *userdata);
        /* Not connected, or no longer. What was not acknowledged is forgotten. */
        void (*on_down)(void *userdata, const char *reason);
} MqttEvents;

typedef struct MqttSettings {
        const Endpoint *endpoint; /* borrowed while connections are made */
        const char *client_id;
        uint32_t session_sec;  /* how long the broker keeps the session; 0: a clean one */
        unsigned inflight;     /* messages of QoS 1 that it may have sent us unacknowledged */
        uint32_t packet_bytes; /* not trusted to send less, or at QoS 2; 0: it is */
        uint64_t reconnect_usec;
        const char *will_topic; /* retained, QoS 1; NULL: none */
        const char *will_payload;
} MqttSettings;

int mqtt_new(const MqttEvents *events, void *userdata, Mqtt **ret_mqtt);
/* Ends the connection with DISCONNECT. Accepts NULL, returns NULL. */
Mqtt *mqtt_free(Mqtt *mqtt);

/* Copies the settings and starts connecting; a connection with other settings is ended. -ENOMEM, or
 * why secrets cannot be read. */
int mqtt_open(Mqtt *mqtt, const MqttSettings *settings, Error **ret_error);
/* The same endpoint at another place in memory, as after a reload. */
void mqtt_adopt(Mqtt *mqtt, const Endpoint *endpoint);
/* Gives the connection up; the next one comes after a pause. */
void mqtt_fail(Mqtt *mqtt, const char *reason);
/* The same, with a pause near the longest: for what quick attempts would make worse. */
void mqtt_fail_long(Mqtt *mqtt, const char *reason);

/* From on_open() to on_down(). */
bool mqtt_is_open(const Mqtt *mqtt);

/* `fresh`: without what the broker keeps. 0 and the id, -ENOTCONN, -ENOMEM. */
int mqtt_subscribe(Mqtt *mqtt, const char *const *filters, size_t n_filters, bool fresh,
                   int *ret_mid);
int mqtt_unsubscribe(Mqtt *mqtt, const char *const *filters, size_t n_filters);
/* -ENOTCONN, -ENOBUFS (too much is waiting), -EMSGSIZE, -ENOMEM; nothing is kept on failure. */
int mqtt_publish(Mqtt *mqtt, const MqttPublish *publish, uint64_t cookie);
/* Messages of QoS 1 that the broker has not answered. */
size_t mqtt_count_unanswered(const Mqtt *mqtt);
/* How old what comes now can be, in microseconds: 0 while the broker answers in time. When it does
 * not, the link may hold back what it has sent, and all that is known is that it was sent after the
 * last message that it has answered. */
uint64_t mqtt_get_lag(const Mqtt *mqtt, uint64_t now);

/* For the loop. */
int mqtt_fd(const Mqtt *mqtt); /* -1: none */
short mqtt_poll_events(Mqtt *mqtt);
uint64_t mqtt_timeout(const Mqtt *mqtt);
void mqtt_process(Mqtt *mqtt, int revents, uint64_t now);
/* Writes what was handed over since then, without waiting for another turn of the loop. */
void mqtt_flush(Mqtt *mqtt);
