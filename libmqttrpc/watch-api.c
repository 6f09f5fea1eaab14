/* SPDX-License-Identifier: MIT */

/* The public face of watch.c: registering, and reading the events. */

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "libmqttrpc/presence.h"
#include "libmqttrpc/watch.h"

/* ---- signals ---- */

MQTTRPC_PUBLIC int mqttrpc_match_signal(MqttRpcBus *bus, MqttRpcSlot **ret_slot,
                                        const char *service, const char *object, const char *name,
                                        MqttRpcSignalHandler handler, void *userdata,
                                        MqttRpcError **ret_error)
{
        const WatchSpec spec = {.kind = TOPIC_SIGNAL,
                                .service = service,
                                .object = object,
                                .name = name,
                                .on_signal = handler,
                                .userdata = userdata};

        return watch_add(bus, ret_slot, &spec, ret_error);
}

MQTTRPC_PUBLIC const char *mqttrpc_signal_get_service(const MqttRpcSignal *signal)
{
        return signal->service;
}

MQTTRPC_PUBLIC const char *mqttrpc_signal_get_object(const MqttRpcSignal *signal)
{
        return signal->object;
}

MQTTRPC_PUBLIC const char *mqttrpc_signal_get_name(const MqttRpcSignal *signal)
{
        return signal->name;
}

MQTTRPC_PUBLIC const char *mqttrpc_signal_get_params(const MqttRpcSignal *signal,
                                                     size_t *ret_length)
{
        if (ret_length)
                *ret_length = signal->params_length;
        return signal->params;
}

MQTTRPC_PUBLIC int mqttrpc_signal_read(const MqttRpcSignal *signal, const char *types, ...)
{
        va_list args;
        int r;

        va_start(args, types);
        r = json_reading_values(signal->reading, signal->params, signal->params_length, types, true,
                                args);
        va_end(args);
        return r;
}

MQTTRPC_PUBLIC uint64_t mqttrpc_signal_get_lost(const MqttRpcSignal *signal)
{
        return signal->lost;
}

/* ---- properties ---- */

MQTTRPC_PUBLIC int mqttrpc_watch_property(MqttRpcBus *bus, MqttRpcSlot **ret_slot,
                                          const char *service, const char *object,
                                          const char *property, MqttRpcPropertyHandler handler,
                                          void *userdata, MqttRpcError **ret_error)
{
        const WatchSpec spec = {.kind = TOPIC_PROPERTY,
                                .service = service,
                                .object = object,
                                .name = property,
                                .on_property = handler,
                                .userdata = userdata};

        return watch_add(bus, ret_slot, &spec, ret_error);
}

MQTTRPC_PUBLIC const char *mqttrpc_property_event_get_service(const MqttRpcPropertyEvent *event)
{
        return watched_value_service(event->value).at;
}

MQTTRPC_PUBLIC const char *mqttrpc_property_event_get_object(const MqttRpcPropertyEvent *event)
{
        return watched_value_object(event->value).at;
}

MQTTRPC_PUBLIC const char *mqttrpc_property_event_get_property(const MqttRpcPropertyEvent *event)
{
        return watched_value_name(event->value).at;
}

MQTTRPC_PUBLIC const char *mqttrpc_property_event_get_value(const MqttRpcPropertyEvent *event,
                                                            size_t *ret_length)
{
        if (ret_length)
                *ret_length = event->value->length;
        return event->value->value;
}

MQTTRPC_PUBLIC int mqttrpc_property_event_read(const MqttRpcPropertyEvent *event, const char *types,
                                               ...)
{
        const WatchedValue *value = event->value;
        va_list args;
        int r;

        if (!value->value)
                return -ENOENT;
        va_start(args, types);
        r = json_reading_values(event->reading, value->value, value->length, types, false, args);
        va_end(args);
        return r;
}

MQTTRPC_PUBLIC bool mqttrpc_property_event_is_stale(const MqttRpcPropertyEvent *event)
{
        return event->value->stale;
}

MQTTRPC_PUBLIC int mqttrpc_watch_get_property(MqttRpcSlot *watch, const char *service,
                                              const char *object, const char *property,
                                              const char **ret_value, bool *ret_stale)
{
        const WatchedValue *value;

        value = watch->bus ? watch_find_value(watch, service, object, property) : NULL;
        if (!value)
                return -ENOENT;
        *ret_value = value->value;
        if (ret_stale)
                *ret_stale = value->stale;
        return 0;
}

/* ---- objects ---- */

MQTTRPC_PUBLIC int mqttrpc_watch_object(MqttRpcBus *bus, MqttRpcSlot **ret_slot,
                                        const char *service, const char *object,
                                        MqttRpcObjectHandler handler, void *userdata,
                                        MqttRpcError **ret_error)
{
        const WatchSpec spec = {.kind = TOPIC_META,
                                .service = service,
                                .object = object,
                                .on_object = handler,
                                .userdata = userdata};

        return watch_add(bus, ret_slot, &spec, ret_error);
}

MQTTRPC_PUBLIC const char *mqttrpc_object_event_get_service(const MqttRpcObjectEvent *event)
{
        return watched_value_service(event->value).at;
}

MQTTRPC_PUBLIC const char *mqttrpc_object_event_get_object(const MqttRpcObjectEvent *event)
{
        return watched_value_object(event->value).at;
}

MQTTRPC_PUBLIC const char *mqttrpc_object_event_get_meta(const MqttRpcObjectEvent *event,
                                                         size_t *ret_length)
{
        if (ret_length)
                *ret_length = event->value->length;
        return event->value->value;
}

/* ---- descriptions ---- */

MQTTRPC_PUBLIC int mqttrpc_watch_description(MqttRpcBus *bus, MqttRpcSlot **ret_slot,
                                             const char *service, MqttRpcDescriptionHandler handler,
                                             void *userdata, MqttRpcError **ret_error)
{
        const WatchSpec spec = {.kind = TOPIC_API,
                                .service = service,
                                .on_description = handler,
                                .userdata = userdata};

        return watch_add(bus, ret_slot, &spec, ret_error);
}

MQTTRPC_PUBLIC const char *mqttrpc_description_event_get_service(
        const MqttRpcDescriptionEvent *event)
{
        return watched_value_service(event->value).at;
}

MQTTRPC_PUBLIC const char *mqttrpc_description_event_get_document(
        const MqttRpcDescriptionEvent *event, size_t *ret_length)
{
        if (ret_length)
                *ret_length = event->value->length;
        return event->value->value;
}

/* ---- services ---- */

MQTTRPC_PUBLIC int mqttrpc_watch_service(MqttRpcBus *bus, MqttRpcSlot **ret_slot,
                                         const char *service, MqttRpcServiceHandler handler,
                                         void *userdata, MqttRpcError **ret_error)
{
        const WatchSpec spec = {.kind = TOPIC_STATE,
                                .service = service,
                                .on_service = handler,
                                .userdata = userdata};

        return watch_add(bus, ret_slot, &spec, ret_error);
}

MQTTRPC_PUBLIC const char *mqttrpc_service_event_get_service(const MqttRpcServiceEvent *event)
{
        return event->presence->name;
}

MQTTRPC_PUBLIC MqttRpcServiceState mqttrpc_service_event_get_state(const MqttRpcServiceEvent *event)
{
        return event->presence->effective;
}

MQTTRPC_PUBLIC const char *mqttrpc_service_event_get_epoch(const MqttRpcServiceEvent *event)
{
        return event->presence->epoch;
}

MQTTRPC_PUBLIC const char *mqttrpc_service_event_get_host(const MqttRpcServiceEvent *event)
{
        return event->presence->host ? event->presence->host : "";
}

MQTTRPC_PUBLIC const char *mqttrpc_service_event_get_details(const MqttRpcServiceEvent *event,
                                                             size_t *ret_length)
{
        if (ret_length)
                *ret_length = event->presence->details_length;
        return event->presence->details;
}

static void on_waited_for(const MqttRpcServiceEvent *event, void *userdata)
{
        bool *ready = userdata;

        *ready = event->presence->effective == MQTTRPC_SERVICE_READY;
}

MQTTRPC_PUBLIC int mqttrpc_wait_service(MqttRpcBus *bus, const char *service, uint64_t timeout_usec,
                                        MqttRpcError **ret_error)
{
        MqttRpcSlot *slot = NULL;
        bool ready = false;
        int r;

        if (bus->dispatching > 0)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_BUSY,
                                         "waiting inside a callback would be for ever");
        r = mqttrpc_watch_service(bus, &slot, service, on_waited_for, &ready, ret_error);
        if (r < 0)
                return r;
        mqttrpc_bus_ref(bus); /* a callback may drop the last one */
        r = bus_run_until(bus, &ready, timeout_usec);
        if (r >= 0) /* states come before calls can be made */
                r = mqttrpc_bus_wait_connected(bus, timeout_usec, ret_error);
        mqttrpc_slot_unref(slot);
        mqttrpc_bus_unref(bus);
        if (r == -ETIMEDOUT)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_TIMEOUT,
                                         "service '%s' was not ready in time", service);
        return r;
}
