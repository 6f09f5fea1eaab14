/* SPDX-License-Identifier: MIT */
#pragma once

/* What the user of a bus watches: signals, properties, objects, services. Keeps one subscription
 * for each filter, however many watch by it, and the values of watched properties and objects, so
 * that a repeated message is no news and a value can be asked for. */

#include "libmqttrpc/bus.h"
#include "libmqttrpc/json-read.h"
#include "libmqttrpc/watched-values.h"

struct MqttRpcSignal {
        const char *service;
        const char *object;
        const char *name;
        const char *params;
        size_t params_length;
        uint64_t lost;
        JsonReading *reading;
};

struct MqttRpcPropertyEvent {
        const WatchedValue *value;
        JsonReading *reading;
};

struct MqttRpcObjectEvent {
        const WatchedValue *value;
};

struct MqttRpcDescriptionEvent {
        const WatchedValue *value;
};

struct MqttRpcServiceEvent {
        const Presence *presence;
};

/* What a watch is for. NULL names stand for any. */
typedef struct WatchSpec {
        TopicKind kind; /* TOPIC_SIGNAL, _PROPERTY, _META, _API, or _STATE for services */
        const char *service;
        const char *object;
        const char *name;
        union {
                MqttRpcSignalHandler on_signal;
                MqttRpcPropertyHandler on_property;
                MqttRpcObjectHandler on_object;
                MqttRpcServiceHandler on_service;
                MqttRpcDescriptionHandler on_description;
        };
        void *userdata;
} WatchSpec;

int watch_add(MqttRpcBus *bus, MqttRpcSlot **ret_slot, const WatchSpec *spec,
              MqttRpcError **ret_error);
/* The kept value, if the watch is for it; NULL. */
const WatchedValue *watch_find_value(const MqttRpcSlot *slot, const char *service,
                                     const char *object, const char *name);

int watch_table_new(WatchTable **ret_table);
/* After all slots have ended. */
WatchTable *watch_table_free(WatchTable *table);

/* One subscription for all who want the same filter. 0 or -ENOMEM. */
typedef struct Subscription Subscription;
int subscription_get(MqttRpcBus *bus, const char *filter, bool retained,
                     Subscription **ret_subscription);
/* Accepts NULL. */
void subscription_unref(MqttRpcBus *bus, Subscription *subscription);
/* Names of services and objects of a watch: NULL or valid. */
int watch_check_levels(const char *service, const char *object, const char *name,
                       MqttRpcError **ret_error);

/* True if a watch is subscribed by exactly this filter. */
bool watches_have_filter(const MqttRpcBus *bus, const char *filter);
/* The filters of all watches, for a new connection. */
int watches_write_filters(MqttRpcBus *bus, FilterList *filters);
void watches_on_signal(MqttRpcBus *bus, const Topic *topic, const LinkMessage *message);
/* A property, $meta or $api. */
void watches_on_retained(MqttRpcBus *bus, const Topic *topic, const LinkMessage *message);
void watches_on_presence(MqttRpcBus *bus, const Presence *presence);
/* All that is retained has come: what was not among it is gone. */
void watches_on_complete(MqttRpcBus *bus);
void watches_on_down(MqttRpcBus *bus);

/* True if a new watch is to be told what is known already; then watches_process() does so. */
bool watches_are_waiting(const MqttRpcBus *bus);
void watches_process(MqttRpcBus *bus);
