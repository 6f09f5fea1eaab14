/* SPDX-License-Identifier: MIT */
#pragma once

/* The life of a connection to the broker, over many handles: connect, wait for the subscriptions,
 * lose it, pause with jitter, connect again. Nothing that was handed to one connection is ever sent
 * on the next. Owns the settings and the account of what is on its way to the broker.
 *
 * Events are delivered inside link_process() only; there, link_close() may be called, link_free()
 * may not. */

#include "libmqttrpc/link-mosquitto.h"

typedef struct Link Link;

typedef struct LinkEvents {
        /* The broker has accepted the connection: subscribe now, ending with
         * link_subscribe_last(). */
        void (*on_accepted)(void *userdata);
        /* The last of the first subscriptions is in force: messages may be sent. (They may have
         * come before: on_message() is called from the SUBACK on, and for retained ones.) */
        void (*on_up)(void *userdata);
        /* Not connected, or no longer; the next attempt is scheduled. The reason is borrowed. */
        void (*on_down)(void *userdata, const MqttRpcError *reason);
        void (*on_message)(void *userdata, const LinkMessage *message);
        /* The broker has taken (or refused) a message of QoS 1: `reason` is its MQTT 5 reason code,
         * `cookie` what was given to link_publish(). */
        void (*on_published)(void *userdata, uint64_t cookie, int reason);
        /* The answer to link_subscribe(). */
        void (*on_subscribed)(void *userdata, int mid, bool granted);
        /* The answer to link_unsubscribe(); they come in order. */
        void (*on_unsubscribed)(void *userdata);
} LinkEvents;

int link_new(const LinkEvents *events, void *userdata, Link **ret_link);
Link *link_free(Link *link);

/* The settings, to be filled while the link is closed; the link frees them. */
LinkSettings *link_settings(Link *link);
void link_set_reconnect_maximum(Link *link, uint64_t usec);
/* The Will of the connections to come; topic and payload are copied, NULL: none. -ENOMEM. */
int link_set_will(Link *link, const char *topic, const char *payload);

/* Starts connecting. Fails on settings that no retry can cure. */
int link_open(Link *link, MqttRpcError **ret_error);
/* Ends the connection with DISCONNECT, if there is one. No event follows. */
void link_close(Link *link);
/* Ends the connection with DISCONNECT and makes a new one at once; on_down() is called by
 * link_process(). Does nothing while there is no connection. */
void link_restart(Link *link, const char *reason);

bool link_is_up(const Link *link);
/* True if nothing waits to be sent or to be acknowledged. */
bool link_is_idle(Link *link);
/* Why the last attempt or connection failed; NULL if none has. Borrowed. */
const MqttRpcError *link_reason(const Link *link);
/* Counts the connections that were accepted: tells one from the next. */
uint64_t link_generation(const Link *link);

/* Counts the descriptors that link_fd() has given, since numbers come back. */
uint64_t link_descriptor(const Link *link);
int link_fd(const Link *link);    /* -ENOTCONN while there is none */
int link_poll_events(Link *link); /* POLLIN, POLLOUT */
uint64_t link_timeout(const Link *link);
/* `revents` as poll() gave them; > 0 if there may be more to do at once. */
int link_process(Link *link, int revents, uint64_t now);

/* From on_accepted() on; -ENOTCONN before. `retained`: with what the broker keeps. */
int link_subscribe(Link *link, const char *const *filters, size_t n_filters, bool retained,
                   int *ret_mid);
/* The same, not retained, in on_accepted(): the connection is up when these are in force, and fails
 * when one is refused. */
int link_subscribe_last(Link *link, const char *const *filters, size_t n_filters);
int link_unsubscribe(Link *link, const char *filter);

/* -ENOTCONN, -ENOBUFS (too much is waiting for a slow broker), -EMSGSIZE, -ENOMEM. Nothing is kept
 * for later on failure. */
int link_publish(Link *link, const LinkPublish *publish, uint64_t cookie);
/* Bytes that were handed over and are not known to have reached the broker. */
size_t link_outstanding_bytes(const Link *link);
/* Those of QoS 1 alone: each is followed by on_published(), or by the end of the connection. */
size_t link_unacknowledged_bytes(const Link *link);
