/* SPDX-License-Identifier: MIT */
#pragma once

/* One attempt to be connected: a handle of libmosquitto from its creation to its end. It is never
 * used twice, because libmosquitto sends unacknowledged messages again after a reconnect, and calls
 * must not be sent late. link-mosquitto.c is the only file that knows <mosquitto.h>; when to
 * connect and when to give up is link.c's business.
 *
 * Events are delivered inside link_handle_read() and link_handle_misc(); the handle must not be
 * freed inside them. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mqttrpc/mqttrpc.h"

typedef struct LinkHandle LinkHandle;

typedef struct LinkSettings {
        char *host;    /* owned by whoever owns the settings, as all strings here */
        uint16_t port; /* 0: `host` is the path of a unix socket */
        bool tls;
        char *ca_file; /* NULL: the system's */
        char *cert_file;
        char *key_file;
        char *user;
        char *password;
        char *client_id;
        bool client_id_is_random; /* nobody else can have it */
        int protocol;             /* 5, or 4 for MQTT 3.1.1 */
        unsigned keepalive_sec;
} LinkSettings;

/* A received message; all borrowed for the time of the callback. What MQTT 5 properties did not
 * bring is NULL, 0 or -1. */
typedef struct LinkMessage {
        const char *topic;
        const char *payload;
        size_t length;
        int qos;
        bool retain;
        const char *response_topic;
        size_t response_topic_length;
        const void *correlation;
        size_t correlation_length;
        int64_t expiry_sec; /* remaining; -1: none */
        const char *ttl;    /* user properties */
        const char *epoch;
        const char *hops;
        const char *dbus_sender;
        const char *dbus_uid;
        const char *seq;
        const char *pg;
} LinkMessage;

typedef struct LinkUserProperty {
        const char *name;
        const char *value;
} LinkUserProperty;

/* A message to send. Everything from response_topic on is MQTT 5 only and ignored on 3.1.1. */
typedef struct LinkPublish {
        const char *topic;
        const void *payload;
        size_t length;
        int qos;
        bool retain;
        const char *response_topic;
        const void *correlation;
        size_t correlation_length;
        uint32_t expiry_sec; /* 0: none */
        const LinkUserProperty *user;
        size_t n_user;
} LinkPublish;

/* What the broker says, retained and at QoS 1, when the connection ends without a DISCONNECT. */
typedef struct LinkWill {
        char *topic; /* owned by whoever owns the will; NULL: there is none */
        char *payload;
} LinkWill;

typedef struct LinkHandleEvents {
        /* CONNACK: 0 for accepted, else a reason code. */
        void (*on_connack)(void *userdata, int reason);
        void (*on_suback)(void *userdata, int mid, bool granted);
        void (*on_unsuback)(void *userdata);
        void (*on_puback)(void *userdata, int mid, int reason);
        void (*on_message)(void *userdata, const LinkMessage *message);
        void (*on_disconnect)(void *userdata, int reason);
} LinkHandleEvents;

/* MQTT 5 reason codes that the library acts on. */
enum {
        LINK_REASON_NO_SUBSCRIBERS = 0x10,
        LINK_REASON_NOT_AUTHORIZED = 0x87,
        LINK_REASON_SESSION_TAKEN_OVER = 0x8e,
};

int link_handle_new(const LinkSettings *settings, const LinkHandleEvents *events, void *userdata,
                    LinkHandle **ret_handle, MqttRpcError **ret_error);
LinkHandle *link_handle_free(LinkHandle *handle);

/* To be called before link_handle_connect(). -ENOMEM, -EINVAL. */
int link_handle_set_will(LinkHandle *handle, const LinkWill *will);

/* Starts to connect. Returns 0 or a failure that link_handle_reason() explains. Blocks while a host
 * name is resolved, and for nothing else. */
int link_handle_connect(LinkHandle *handle);
/* True if link_handle_connect() has to resolve a name. */
bool link_settings_need_resolver(const LinkSettings *settings);

int link_handle_fd(const LinkHandle *handle);
bool link_handle_wants_write(LinkHandle *handle);

/* Read: > 0 if there may be more, 0 when drained, negative when the connection is lost. */
int link_handle_read(LinkHandle *handle);
int link_handle_write(LinkHandle *handle);
/* Keep-alive; to be called at least every keepalive / 3. */
int link_handle_misc(LinkHandle *handle);
/* Sends DISCONNECT, as far as that goes without waiting. */
void link_handle_disconnect(LinkHandle *handle);

/* -EMSGSIZE: the broker takes no packet of that size; -ENOTCONN, -ENOMEM, -EINVAL. */
int link_handle_publish(LinkHandle *handle, const LinkPublish *publish, int *ret_mid);
/* QoS 1; MQTT 5: Retain As Published. `retained`: also what the broker keeps for the filters; by
 * 3.1.1 it comes in any case. */
int link_handle_subscribe(LinkHandle *handle, const char *const *filters, size_t n_filters,
                          bool retained, int *ret_mid);
int link_handle_unsubscribe(LinkHandle *handle, const char *filter);

/* Why the handle failed, in words; never NULL. Borrowed. */
const char *link_handle_reason(const LinkHandle *handle);
/* The text of a reason code of CONNACK or DISCONNECT. A constant. */
const char *link_reason_text(const LinkSettings *settings, int reason);
