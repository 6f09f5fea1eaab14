/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/cancel.h"

#include <errno.h>
#include <string.h>

#include "libmqttrpc/call.h"
#include "libmqttrpc/request.h"

static const char method_name[] = "rpc.cancel";

bool cancel_is_method(TextSpan method)
{
        return method.length == strlen(method_name) &&
               !memcmp(method.at, method_name, method.length);
}

/* ---- serving ---- */

/* The id to be cancelled, as the token that it is: {"id":…} or […]. */
static int read_id(MqttRpcRequest *request, TextSpan *ret_id, MqttRpcError **ret_error)
{
        const JsonDoc *doc = &request->doc;
        uint32_t node = 0;
        size_t length;
        const char *params = mqttrpc_request_get_params(request, &length);
        int r;

        r = json_scan(&request->doc, params, length, JSON_SCAN_STRICT);
        if (r < 0)
                return r;
        if (json_type(doc, 0) == JSON_OBJECT)
                node = json_find(doc, 0, "id");
        else if (doc->nodes[0].count > 0)
                node = 1;
        if (node == 0 ||
            (json_type(doc, node) != JSON_STRING && json_type(doc, node) != JSON_NUMBER))
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "the 'id' of a request is missing, or no string or "
                                         "number");
        ret_id->at = json_raw(doc, node, &ret_id->length);
        return 0;
}

static bool spans_are_equal(TextSpan a, TextSpan b)
{
        return a.length == b.length && !memcmp(a.at, b.at, a.length);
}

/* Callers may use an id again and again, for rpc.cancel too: what cancels is never cancelled. */
static bool is_meant(const MqttRpcRequest *candidate, const MqttRpcRequest *by, TextSpan id)
{
        return spans_are_equal(candidate->parts.id, id) &&
               spans_are_equal(candidate->parts.object, by->parts.object) &&
               !cancel_is_method(candidate->parts.method);
}

/* `by` is of the same caller and service, so its load lists all there can be. */
static MqttRpcRequest *find_next(const MqttRpcRequest *by, TextSpan id, bool *found)
{
        MqttRpcRequest *candidate = by->load ? by->load->requests : NULL;

        for (; candidate; candidate = candidate->caller_next) {
                if (!is_meant(candidate, by, id))
                        continue;
                *found = true;
                if (!candidate->cancelled)
                        return candidate;
        }
        return NULL;
}

static void cancel(MqttRpcRequest *request)
{
        bus_count(request->bus, MQTTRPC_COUNT_CANCELLED);
        mqttrpc_request_ref(request);
        request->cancelled = true;
        if (request->cancel_handler)
                request->cancel_handler(request, request->cancel_userdata);
        else
                request_withdraw(request);
        mqttrpc_request_unref(request);
}

int cancel_on_request(Service *service, MqttRpcRequest *request, MqttRpcError **ret_error)
{
        MqttRpcRequest *target;
        bool found = false;
        TextSpan id = {};
        int r;

        r = read_id(request, &id, ret_error);
        /* A handler may end any request and even the bus: always look from the start. */
        while (r >= 0 && (target = find_next(request, id, &found)))
                cancel(target);
        if (!found && request->bus)
                bus_count(request->bus, MQTTRPC_COUNT_UNMATCHED_CANCELS);
        return r < 0 ? r : mqttrpc_request_reply(request, found ? "true" : "false", SIZE_MAX);
}

MQTTRPC_PUBLIC int mqttrpc_request_set_cancel_handler(MqttRpcRequest *request,
                                                      MqttRpcCancelHandler handler, void *userdata)
{
        int r = request_check_open(request);

        if (r < 0)
                return r;
        if (request->cancelled)
                return -ECANCELED;
        request->cancel_handler = handler;
        request->cancel_userdata = userdata;
        return 0;
}

MQTTRPC_PUBLIC bool mqttrpc_request_is_cancelled(const MqttRpcRequest *request)
{
        return request->cancelled;
}

/* ---- calling ---- */

MQTTRPC_PUBLIC int mqttrpc_call_cancel(MqttRpcSlot *slot)
{
        CLEANUP_BUFFER Buffer params = BUFFER_INIT(0);
        PendingCall *call;

        if (!slot->bus)
                return -EALREADY;
        call = call_find_by_slot(slot);
        if (!call)
                return -EINVAL;
        buffer_append_text(&params, "{\"id\":\"");
        call_write_id(call, &params);
        buffer_append_text(&params, "\"}");
        return buffer_status(&params) < 0 ? buffer_status(&params)
                                          : call_notify(call, method_name, params.data);
}
