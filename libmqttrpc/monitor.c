/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/monitor.h"

#include <errno.h>
#include <string.h>
#include <utlist.h>

#include "libmqttrpc/watch.h"

struct MqttRpcCallMessage {
        const char *service;
        const char *object;
        const char *method; /* NULL for rpc/ */
        const char *caller;
        const char *payload;
        size_t payload_length;
        bool is_reply;
};

typedef struct Monitor {
        MqttRpcSlot slot; /* first: a slot is a monitor */
        char *service;    /* owned, as is the object; NULL: any */
        char *object;
        Subscription *calls;
        Subscription *generic;
        MqttRpcCallMessageHandler handler;
        void *userdata;
        struct Monitor *prev, *next;
} Monitor;

/* ---- registering ---- */

static void cancel_monitor(MqttRpcSlot *slot)
{
        Monitor *monitor = (Monitor *)slot;

        if (slot->bus->monitor_cursor == monitor)
                slot->bus->monitor_cursor = monitor->next;
        DL_DELETE(slot->bus->monitors, monitor);
        subscription_unref(slot->bus, STEAL(monitor->calls));
        subscription_unref(slot->bus, STEAL(monitor->generic));
}

static void release_monitor(MqttRpcSlot *slot)
{
        Monitor *monitor = (Monitor *)slot;

        free(monitor->service);
        free(monitor->object);
        free(monitor);
}

static int subscribe(MqttRpcBus *bus, const Monitor *monitor, const char *endpoint,
                     Subscription **ret_subscription)
{
        CLEANUP_BUFFER Buffer filter = BUFFER_INIT(0);
        int r;

        r = buffer_printf(&filter, "%s/%s/%s/%s/#", bus->root,
                          monitor->service ? monitor->service : "+",
                          monitor->object ? monitor->object : "+", endpoint);
        return r < 0 ? r : subscription_get(bus, filter.data, false, ret_subscription);
}

static int set_up(MqttRpcBus *bus, Monitor *monitor, const char *service, const char *object)
{
        int r;

        monitor->service = service ? strdup(service) : NULL;
        monitor->object = object ? strdup(object) : NULL;
        if (!service != !monitor->service || !object != !monitor->object)
                return -ENOMEM;
        r = subscribe(bus, monitor, "call", &monitor->calls);
        return r < 0 ? r : subscribe(bus, monitor, "rpc", &monitor->generic);
}

MQTTRPC_PUBLIC int mqttrpc_monitor_calls(MqttRpcBus *bus, MqttRpcSlot **ret_slot,
                                         const char *service, const char *object,
                                         MqttRpcCallMessageHandler handler, void *userdata,
                                         MqttRpcError **ret_error)
{
        Monitor *monitor;
        int r;

        r = watch_check_levels(service, object, NULL, ret_error);
        if (r < 0)
                return r;
        monitor = calloc(1, sizeof(*monitor));
        if (!monitor)
                return -ENOMEM;
        monitor->handler = handler;
        monitor->userdata = userdata;
        r = set_up(bus, monitor, service, object);
        if (r < 0) {
                subscription_unref(bus, monitor->calls);
                release_monitor(&monitor->slot);
                return r;
        }
        slot_init(&monitor->slot, bus, ret_slot, cancel_monitor, release_monitor);
        DL_APPEND(bus->monitors, monitor);
        return 0;
}

/* ---- handing out ---- */

static bool matches(const char *pattern, TextSpan level)
{
        return !pattern || text_span_is(level, pattern);
}

/* Appends a text with a NUL behind it; returns where it begins. */
static size_t put(Buffer *text, const char *at, size_t length)
{
        size_t start = text->length;

        buffer_append(text, at, length);
        buffer_append_char(text, '\0');
        return start;
}

/* A handler may drop any monitor, its own included, and close the bus. */
static void tell(MqttRpcBus *bus, const Topic *topic, const MqttRpcCallMessage *message)
{
        const Monitor *monitor;

        for (bus->monitor_cursor = bus->monitors; (monitor = bus->monitor_cursor);) {
                bus->monitor_cursor = monitor->next;
                if (matches(monitor->service, topic->service) &&
                    matches(monitor->object, topic->object))
                        monitor->handler(message, monitor->userdata);
        }
}

void monitors_on_message(MqttRpcBus *bus, const Topic *topic, const LinkMessage *message)
{
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);
        size_t object, method, caller, payload;

        if (topic->kind > TOPIC_RPC_REPLY)
                return;
        put(&text, topic->service.at, topic->service.length);
        object = put(&text, topic->object.at, topic->object.length);
        method = put(&text, topic->method.at, topic->method.length);
        caller = put(&text, topic->caller.at, topic->caller.length);
        payload = put(&text, message->payload, message->length);
        if (buffer_status(&text) < 0) {
                bus_log_peer(bus, "message at %s not shown: out of memory", message->topic);
                return;
        }
        const MqttRpcCallMessage shown = {
                .service = text.data,
                .object = text.data + object,
                .method = topic->method.length > 0 ? text.data + method : NULL,
                .caller = text.data + caller,
                .payload = text.data + payload,
                .payload_length = message->length,
                .is_reply = topic->kind == TOPIC_CALL_REPLY || topic->kind == TOPIC_RPC_REPLY,
        };
        tell(bus, topic, &shown);
}

/* ---- reading ---- */

MQTTRPC_PUBLIC const char *mqttrpc_call_message_get_service(const MqttRpcCallMessage *message)
{
        return message->service;
}

MQTTRPC_PUBLIC const char *mqttrpc_call_message_get_object(const MqttRpcCallMessage *message)
{
        return message->object;
}

MQTTRPC_PUBLIC const char *mqttrpc_call_message_get_method(const MqttRpcCallMessage *message)
{
        return message->method;
}

MQTTRPC_PUBLIC const char *mqttrpc_call_message_get_caller(const MqttRpcCallMessage *message)
{
        return message->caller;
}

MQTTRPC_PUBLIC bool mqttrpc_call_message_is_reply(const MqttRpcCallMessage *message)
{
        return message->is_reply;
}

MQTTRPC_PUBLIC const char *mqttrpc_call_message_get_payload(const MqttRpcCallMessage *message,
                                                            size_t *ret_length)
{
        if (ret_length)
                *ret_length = message->payload_length;
        return message->payload;
}
