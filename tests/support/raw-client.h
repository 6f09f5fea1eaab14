/* SPDX-License-Identifier: MIT */
#pragma once

/* An MQTT client that knows nothing of the protocol under test: a stock tool, an attacker, a
 * monitor. Runs on the loop of tests/support/loop.h. Functions that wait fail the test when time is
 * up. */

#include "tests/support/broker.h"
#include "tests/support/loop.h"

typedef struct RawClient RawClient;

typedef struct RawOptions {
        const char *user; /* NULL: anonymous */
        const char *password;
        const char *id;    /* NULL: made up */
        bool mqtt311;      /* else MQTT 5 */
        guint16 port;      /* of 127.0.0.1; 0: the unix socket */
        unsigned take_max; /* Maximum Packet Size it announces; 0: none */
} RawOptions;

typedef struct RawMessage {
        char *topic;
        char *payload; /* NUL-terminated */
        size_t length;
        int qos;
        bool retain;
        char *correlation; /* NULL: none */
        size_t correlation_length;
        char *response_topic; /* NULL: none */
        char *rc;             /* user property; NULL: none */
} RawMessage;

/* What to publish; all but topic optional. */
typedef struct RawPublish {
        const char *topic;
        const void *payload;
        size_t length; /* 0: up to the NUL */
        int qos;
        bool retain;
        const char *response_topic;
        const void *correlation;
        size_t correlation_length;
        unsigned expiry_sec;
        const char *ttl; /* user properties */
        const char *epoch;
        const char *pg;
} RawPublish;

/* Connects to a running broker; returns when it is accepted. */
RawClient *raw_client_new(const Broker *broker, const RawOptions *options);
/* Accepts NULL, returns NULL. */
RawClient *raw_client_free(RawClient *client);
DEFINE_CLEANUP(RawClient *, raw_client_free, cleanup_raw_client)
#define CLEANUP_RAW_CLIENT CLEANUP(cleanup_raw_client)

/* QoS 1; returns when it is in force. */
void raw_client_subscribe(RawClient *client, const char *filter);

/* The same, without what the broker has retained. */
void raw_client_subscribe_fresh(RawClient *client, const char *filter);

/* Hands a message over and does not wait. */
void raw_client_post(RawClient *client, const RawPublish *publish);
/* At QoS 1, and waits: the reason code of the PUBACK, 0x87 when it is refused (MQTT 5). */
int raw_client_publish(RawClient *client, const RawPublish *publish);

/* Waits for the next message. Borrowed until the following call. */
const RawMessage *raw_client_receive(RawClient *client);
/* How many messages have come since the start, received or not. */
unsigned raw_client_count(const RawClient *client);
/* The next message if there is one by now, else NULL. */
const RawMessage *raw_client_poll(RawClient *client);
/* False once the broker has ended the connection. */
bool raw_client_is_connected(const RawClient *client);
