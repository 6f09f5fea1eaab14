/* SPDX-License-Identifier: MIT */

/* The way of a method call to MQTT and back, and of the setting of a property, which is a method
 * there. D-Bus does not tell how long a caller waits: his call takes as long as the mapping says,
 * or a little less than the 25 s that all clients wait by default, so that he learns what has
 * happened. Each call that wants an answer gets one. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "common/limits.h"
#include "gateway/codec/dbus-to-json.h"
#include "gateway/codec/json-to-dbus.h"
#include "gateway/facade.h"

#define FAILED      "org.freedesktop.DBus.Error.Failed"
#define NO_REPLY    "org.freedesktop.DBus.Error.NoReply"
#define INVALID     "org.freedesktop.DBus.Error.InvalidArgs"
#define LIMITS      "org.freedesktop.DBus.Error.LimitsExceeded"
#define MARGIN_USEC (UINT64_C(500) * USEC_PER_MSEC)

struct FacadeCall {
        Facade *facade;
        sd_bus_message *message;
        MappingMember *member; /* a reference */
        MqttRpcSlot *slot;
        FacadeCall *prev, *next;
};

static void call_free(FacadeCall *call)
{
        DL_DELETE(call->facade->calls, call);
        call->facade->n_calls--;
        mqttrpc_slot_unref(call->slot);
        sd_bus_message_unref(call->message);
        mapping_member_unref(call->member);
        free(call);
}

static FacadeCall *call_new(Facade *facade, sd_bus_message *m, MappingMember *member)
{
        FacadeCall *call;

        call = calloc(1, sizeof(*call));
        if (!call)
                return NULL;
        call->facade = facade;
        call->message = sd_bus_message_ref(m);
        call->member = mapping_member_ref(member);
        DL_APPEND(facade->calls, call);
        facade->n_calls++;
        return call;
}

void facade_calls_end(Facade *facade)
{
        FacadeCall *call;

        while ((call = facade->calls)) {
                if (dbus_link_is_connected(facade->link))
                        facade_reply_error(facade, call->message, NO_REPLY,
                                           "the gateway no longer serves %s", facade->bus_name);
                call_free(call);
        }
}

/* ---- the way back ---- */

/* Of a property there is nothing but that it has been set. */
static int make_reply(const FacadeCall *call, const char *result, size_t length,
                      sd_bus_message **ret_reply, Error **ret_error)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        JsonDoc *doc = &call->facade->scratch->doc;
        int r;

        r = sd_bus_message_new_method_return(call->message, &reply);
        if (r < 0)
                return error_set(ret_error, r, "%s", strerrordesc_np(-r));
        if (call->member->kind == MEMBER_METHOD) {
                r = json_scan(doc, result, length, JSON_SCAN_STRICT);
                if (r < 0)
                        return error_set(ret_error, r, "it is not JSON: %s", doc->error_reason);
                r = codec_result_from_json(doc, 0, &call->member->out, reply, ret_error);
                if (r < 0)
                        return r;
        }
        *ret_reply = STEAL(reply);
        return 0;
}

static void reply_result(const FacadeCall *call, const char *result, size_t length)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const MappingMember *member = call->member;
        CLEANUP_ERROR Error *why = NULL;

        if (make_reply(call, result, length, &reply, &why) >= 0) {
                facade_reply(call->facade, reply);
                return;
        }
        facade_warn_type(call->facade, member->member, sd_bus_message_get_path(call->message), why);
        facade_reply_error(call->facade, call->message, FAILED,
                           "%s has run, but what it returned does not fit its type: %s",
                           member->member, error_text(why));
}

static int on_reply(MqttRpcReply *reply, void *userdata)
{
        FacadeCall *call = userdata;
        const MqttRpcError *error = mqttrpc_reply_get_error(reply);
        const char *result;
        size_t length;

        result = mqttrpc_reply_get_result(reply, &length);
        if (error)
                facade_reply_failure(call->facade, call->message, error);
        else
                reply_result(call, result, length);
        call_free(call);
        return 0;
}

/* ---- the way there ---- */

static uint64_t timeout_of(const MappingMember *member)
{
        uint64_t own = member->rule->kind == MEMBER_METHOD ? member->rule->timeout_usec : 0;

        return own > 0 ? own : DEFAULT_TIMEOUT_USEC - MARGIN_USEC;
}

static void send_call(FacadeObject *object, MappingMember *member, sd_bus_message *m,
                      const FacadeSender *sender, const char *method, const char *params)
{
        bool wants_reply = sd_bus_message_get_expect_reply(m) > 0 && !member->no_reply;
        Facade *facade = object->facade;
        MqttRpcError *error = NULL;
        FacadeCall *call = NULL;
        MqttRpcOrigin origin;
        int r;

        if (wants_reply) {
                call = call_new(facade, m, member);
                if (!call) {
                        facade_reply_error(facade, m, FAILED, "out of memory");
                        return;
                }
        }
        facade_access_origin(sender, &origin);
        r = mqttrpc_call_for_async(facade->bus, call ? &call->slot : NULL, facade->name,
                                   object->name, method, params, timeout_of(member), &origin,
                                   call ? on_reply : NULL, call, &error);
        if (r < 0) {
                facade_reply_failure(facade, m, error);
                if (call)
                        call_free(call);
        }
        mqttrpc_error_free(error);
}

/* The method's own limit, if its mapping sets one. */
static bool has_method_room(Facade *facade, const MappingMember *member, sd_bus_message *m)
{
        const FacadeCall *call;
        unsigned count = 0;

        if (!facade_has_room(facade, m))
                return false;
        if (member->rule->max_in_flight == 0)
                return true;
        DL_FOREACH (facade->calls, call)
                count += call->member == member;
        if (count < member->rule->max_in_flight)
                return true;
        facade_reply_error(facade, m, LIMITS, "%u calls of %s are in flight already", count,
                           member->member);
        return false;
}

static void explain(Facade *facade, sd_bus_message *m, int r, const Error *why)
{
        facade_reply_error(facade, m, r == -EMSGSIZE || r == -E2BIG ? LIMITS : INVALID, "%s",
                           r == -EMSGSIZE ? "the arguments are too large" : error_text(why));
}

void facade_call_method(FacadeObject *object, MappingMember *member, sd_bus_message *m,
                        const FacadeSender *sender)
{
        Facade *facade = object->facade;
        Buffer *buffer = &facade->scratch->buffer;
        CLEANUP_ERROR Error *why = NULL;
        int r;

        if (!has_method_room(facade, member, m))
                return;
        buffer_clear(buffer);
        r = codec_args_to_json(m, &member->in, false, buffer, &why);
        if (r >= 0)
                send_call(object, member, m, sender, member->name, buffer_text(buffer));
        else
                explain(facade, m, r, why);
}

void facade_call_set(FacadeObject *object, MappingMember *member, sd_bus_message *m,
                     const FacadeSender *sender)
{
        Facade *facade = object->facade;
        Buffer *buffer = &facade->scratch->buffer;
        char method[sizeof("prop.set.") + LIMIT_NAME_LENGTH];
        CLEANUP_ERROR Error *why = NULL;
        int r;

        if (!facade_has_room(facade, m))
                return;
        buffer_clear(buffer);
        buffer_append_char(buffer, '[');
        r = codec_variant_to_json(m, member->out.items[0].type, "the value", buffer, &why);
        if (r >= 0)
                r = buffer_append_char(buffer, ']');
        if (r < 0) {
                explain(facade, m, r, why);
                return;
        }
        snprintf(method, sizeof(method), "prop.set.%s", member->name);
        send_call(object, member, m, sender, method, buffer_text(buffer));
}
