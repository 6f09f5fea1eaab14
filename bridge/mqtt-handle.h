/* SPDX-License-Identifier: MIT */
#pragma once

/* One handle of libmosquitto for one connection; the only file that knows libmosquitto is
 * mqtt-handle.c. Callbacks come inside of mqtt_handle_read(). */

#include "bridge/mqtt.h"

typedef struct MqttHandle MqttHandle;

typedef struct MqttHandleEvents {
        void (*on_connack)(void *userdata, int reason, bool session_present);
        void (*on_disconnect)(void *userdata, int reason);
        void (*on_suback)(void *userdata, int mid, bool granted);
        void (*on_message)(void *userdata, const MqttMessage *message);
        void (*on_puback)(void *userdata, int mid, int reason);
} MqttHandleEvents;

/* Reads the secrets that the endpoint names. */
int mqtt_handle_new(const MqttSettings *settings, const MqttHandleEvents *events, void *userdata,
                    MqttHandle **ret_handle, Error **ret_error);
MqttHandle *mqtt_handle_free(MqttHandle *handle);

/* Blocks; touches nothing but the handle. */
int mqtt_handle_connect(MqttHandle *handle);
/* Sends DISCONNECT, as far as that goes without waiting. */
void mqtt_handle_disconnect(MqttHandle *handle);
/* Why it failed, in words. Borrowed. */
const char *mqtt_handle_reason(const MqttHandle *handle);

int mqtt_handle_fd(const MqttHandle *handle);
bool mqtt_handle_wants_write(MqttHandle *handle);
/* > 0 if there may be more to read. */
int mqtt_handle_read(MqttHandle *handle);
int mqtt_handle_write(MqttHandle *handle);
/* Keep-alive. */
int mqtt_handle_misc(MqttHandle *handle);

int mqtt_handle_subscribe(MqttHandle *handle, const char *const *filters, size_t n_filters,
                          bool fresh, int *ret_mid);
int mqtt_handle_unsubscribe(MqttHandle *handle, const char *const *filters, size_t n_filters);
int mqtt_handle_publish(MqttHandle *handle, const MqttPublish *publish, int *ret_mid);
