/* SPDX-License-Identifier: MIT */

/* The methods rpc.…, which every object of every service has (protocol section 6). */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "libmqttrpc/cancel.h"
#include "libmqttrpc/request.h"

static int method_ping(Service *service, MqttRpcRequest *request, MqttRpcError **ret_error)
{
        CLEANUP_BUFFER Buffer result = BUFFER_INIT(0);
        int r;

        r = buffer_printf(&result, "{\"epoch\":\"%s\"}", service->epoch);
        return r < 0 ? r : mqttrpc_request_reply(request, result.data, result.length);
}

static int method_discover(Service *service, MqttRpcRequest *request, MqttRpcError **ret_error)
{
        CLEANUP_BUFFER Buffer result = BUFFER_INIT(0);
        int r;

        if (service->description)
                return mqttrpc_request_reply(request, service->description, SIZE_MAX);
        r = discover_write(service, &result);
        return r < 0 ? r : mqttrpc_request_reply(request, result.data, result.length);
}

/* What rpc.stats says of the process: names are those of the counters. */
static const struct {
        const char *name;
        MqttRpcCounter counter;
} statistics[] = {
        {"requests", MQTTRPC_COUNT_REQUESTS},
        {"replies", MQTTRPC_COUNT_REPLIES},
        {"errors", MQTTRPC_COUNT_ERRORS},
        {"duplicates", MQTTRPC_COUNT_DUPLICATES},
        {"expired", MQTTRPC_COUNT_EXPIRED},
        {"busy", MQTTRPC_COUNT_BUSY},
        {"retained_refused", MQTTRPC_COUNT_RETAINED_REFUSED},
        {"bad_response_topic", MQTTRPC_COUNT_BAD_RESPONSE_TOPIC},
        {"cancelled", MQTTRPC_COUNT_CANCELLED},
        {"unmatched_cancels", MQTTRPC_COUNT_UNMATCHED_CANCELS},
        {"dropped_replies", MQTTRPC_COUNT_DROPPED_REPLIES},
        {"unmatched_replies", MQTTRPC_COUNT_UNMATCHED_REPLIES},
        {"signals", MQTTRPC_COUNT_SIGNALS},
        {"signals_dropped", MQTTRPC_COUNT_SIGNALS_DROPPED},
        {"signals_lost", MQTTRPC_COUNT_SIGNALS_LOST},
        {"state_refused", MQTTRPC_COUNT_STATE_REFUSED},
        {"reconnects", MQTTRPC_COUNT_RECONNECTS},
};

static int method_stats(Service *service, MqttRpcRequest *request, MqttRpcError **ret_error)
{
        CLEANUP_BUFFER Buffer result = BUFFER_INIT(0);
        int r;

        buffer_printf(&result, "{\"in_flight\":%u,\"callers\":%u,\"objects\":%u", service->inflight,
                      service->n_callers, HASH_COUNT(service->objects));
        for (size_t i = 0; i < ARRAY_SIZE(statistics); i++)
                buffer_printf(&result, ",\"%s\":%" PRIu64, statistics[i].name,
                              service->bus->counters[statistics[i].counter]);
        r = buffer_append_char(&result, '}');
        return r < 0 ? r : mqttrpc_request_reply(request, result.data, result.length);
}

static const struct {
        const char *name;
        int (*call)(Service *service, MqttRpcRequest *request, MqttRpcError **ret_error);
} methods[] = {
        {"rpc.ping", method_ping},
        {"rpc.cancel", cancel_on_request},
        {"rpc.discover", method_discover},
        {"rpc.stats", method_stats},
};

int builtin_call(Service *service, MqttRpcRequest *request, MqttRpcError **ret_error)
{
        const char *name = mqttrpc_request_get_method(request);

        for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
                if (!strcmp(methods[i].name, name))
                        return methods[i].call(service, request, ret_error);
        return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_NO_METHOD, "%s/%s has no method '%s'",
                                 service->name, mqttrpc_request_get_object(request), name);
}
