/* SPDX-License-Identifier: MIT */
#pragma once

/* A plain libmosquitto connection as careful programs use it: MQTT 5, TCP_NODELAY, no limit on
 * messages under way, an external loop. Shared by the requester and the responder of the raw pair,
 * so that both sides of the baseline are equally good. Without GLib, since the responder's memory
 * is measured. Failures end the program: a benchmark has nothing to fall back to. */

#include <mosquitto.h>
#include <stdbool.h>

typedef struct ConnectionSettings {
        const char *host; /* or the path of a unix socket */
        int port;         /* 0: unix socket */
        const char *user;
        const char *password;
} ConnectionSettings;

typedef void (*ConnectionMessageHandler)(struct mosquitto *mosquitto, void *userdata,
                                         const struct mosquitto_message *message,
                                         const mosquitto_property *properties);

/* Connects, subscribes to `filter` (NULL: to nothing), and returns when that is done. */
struct mosquitto *connection_open(const ConnectionSettings *settings, const char *filter, int qos,
                                  ConnectionMessageHandler handler, void *userdata);
void connection_close(struct mosquitto *mosquitto);

void connection_publish(struct mosquitto *mosquitto, const char *topic, const void *payload,
                        size_t length, int qos);

/* Waits for something to read or, if there is anything to send, to write, and does it. Reads one
 * packet, or with `all` until the socket is empty: the first is cheaper for one call at a time,
 * the second for many. */
void connection_process(struct mosquitto *mosquitto, bool all);
