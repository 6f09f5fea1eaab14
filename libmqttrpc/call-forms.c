/* SPDX-License-Identifier: MIT */

/* The forms of a call, all of them by call_start(): with a callback, blocking for programs without
 * a loop, and the notification that is acknowledged. (The one with progress is in progress.c.) */

#include <errno.h>

#include "common/util.h"
#include "libmqttrpc/call.h"

MQTTRPC_PUBLIC int mqttrpc_call_async(MqttRpcBus *bus, MqttRpcSlot **ret_slot, const char *service,
                                      const char *object, const char *method, const char *params,
                                      uint64_t timeout_usec, MqttRpcCallFlags flags,
                                      MqttRpcReplyHandler handler, void *userdata,
                                      MqttRpcError **ret_error)
{
        const CallRequest request = {
                .service = service,
                .object = object,
                .method = method,
                .params = params,
                .timeout_usec = timeout_usec,
                .flags = flags,
                .handler = handler,
                .userdata = userdata,
        };

        return call_start(bus, ret_slot, &request, ret_error);
}

MQTTRPC_PUBLIC int mqttrpc_call_for_async(MqttRpcBus *bus, MqttRpcSlot **ret_slot,
                                          const char *service, const char *object,
                                          const char *method, const char *params,
                                          uint64_t timeout_usec, const MqttRpcOrigin *origin,
                                          MqttRpcReplyHandler handler, void *userdata,
                                          MqttRpcError **ret_error)
{
        const CallRequest request = {
                .service = service,
                .object = object,
                .method = method,
                .params = params,
                .timeout_usec = timeout_usec,
                .origin = origin,
                .handler = handler,
                .userdata = userdata,
        };

        return handler ? call_start(bus, ret_slot, &request, ret_error)
                       : call_start_notification(bus, &request, ret_error);
}

MQTTRPC_PUBLIC int mqttrpc_notify(MqttRpcBus *bus, const char *service, const char *object,
                                  const char *method, const char *params, MqttRpcCallFlags flags,
                                  MqttRpcError **ret_error)
{
        const CallRequest request = {
                .service = service,
                .object = object,
                .method = method,
                .params = params,
                .flags = flags,
        };

        return call_start_notification(bus, &request, ret_error);
}

MQTTRPC_PUBLIC int mqttrpc_notify_ack(MqttRpcBus *bus, MqttRpcSlot **ret_slot, const char *service,
                                      const char *object, const char *method, const char *params,
                                      uint64_t timeout_usec, MqttRpcReplyHandler handler,
                                      void *userdata, MqttRpcError **ret_error)
{
        const CallRequest request = {
                .service = service,
                .object = object,
                .method = method,
                .params = params,
                .timeout_usec = timeout_usec,
                .flags = MQTTRPC_CALL_QOS1,
                .notification = true,
                .handler = handler,
                .userdata = userdata,
        };

        return call_start(bus, ret_slot, &request, ret_error);
}

/* ---- blocking ---- */

static int keep_reply(MqttRpcReply *reply, void *userdata)
{
        MqttRpcReply **ret_reply = userdata;

        *ret_reply = mqttrpc_reply_ref(reply);
        return 0;
}

DEFINE_CLEANUP(MqttRpcReply *, mqttrpc_reply_unref, reply_cleanup)
DEFINE_CLEANUP(MqttRpcSlot *, mqttrpc_slot_unref, slot_cleanup)

MQTTRPC_PUBLIC int mqttrpc_call(MqttRpcBus *bus, const char *service, const char *object,
                                const char *method, const char *params, uint64_t timeout_usec,
                                MqttRpcCallFlags flags, MqttRpcReply **ret_reply,
                                MqttRpcError **ret_error)
{
        CLEANUP(reply_cleanup) MqttRpcReply *reply = NULL;
        CLEANUP(slot_cleanup) MqttRpcSlot *slot = NULL;
        const MqttRpcError *error;
        int r;

        if (bus->dispatching > 0)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_BUSY,
                                         "a blocking call inside a callback would wait for ever");
        r = mqttrpc_call_async(bus, &slot, service, object, method, params, timeout_usec, flags,
                               keep_reply, &reply, ret_error);
        bus->refs++; /* a callback may drop the last one */
        while (r >= 0 && !reply && slot->bus) {
                r = mqttrpc_bus_process(bus);
                if (r == 0 && !reply)
                        r = mqttrpc_bus_wait(bus, USEC_INFINITY);
        }
        mqttrpc_bus_unref(bus);
        if (r < 0)
                return r;
        if (!reply)
                return -ENOMEM;
        error = mqttrpc_reply_get_error(reply);
        if (error) {
                if (ret_error && !*ret_error)
                        *ret_error = mqttrpc_error_copy(error);
                return mqttrpc_error_get_errno(error);
        }
        if (ret_reply)
                *ret_reply = STEAL(reply);
        return 0;
}
