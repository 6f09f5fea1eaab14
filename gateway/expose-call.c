/* SPDX-License-Identifier: MIT */

/* One MQTT request to a D-Bus service and back: look it up in the mapping, turn its parameters into
 * a message, call without waiting and with the caller's remaining time, turn the reply into JSON. A
 * call that needs introspection first waits for it, its object's other calls with it, nobody
 * else's. Each request is answered exactly once: with the result, or with an error that says
 * whether the method was executed. */

#include <errno.h>
#include <string.h>
#include <utlist.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"
#include "gateway/codec/dbus-to-json.h"
#include "gateway/codec/json-to-dbus.h"
#include "gateway/error-map.h"
#include "gateway/expose-call.h"

#define BUSY_RETRY_MSEC 100

/* From the end of a D-Bus call to the end of the request's time, where the latter is ours to set.
 */
#define ANSWER_MARGIN_USEC (UINT64_C(100) * USEC_PER_MSEC)

/* Working memory beyond this is given back after a large call. */
#define SCRATCH_KEEP_BYTES (UINT32_C(256) << 10)

/* ---- calls ---- */

int expose_call_new(Expose *expose, MqttRpcRequest *request, ExposeCall **list,
                    ExposeCall **ret_call)
{
        ExposeCall *call;

        call = calloc(1, sizeof(*call));
        if (!call)
                return -ENOMEM;
        call->expose = expose;
        call->request = mqttrpc_request_ref(request);
        DL_APPEND(*list, call);
        expose->n_calls++;
        *ret_call = call;
        return 0;
}

void expose_call_free(ExposeCall *call, ExposeCall **list)
{
        DL_DELETE(*list, call);
        call->expose->n_calls--;
        sd_bus_slot_unref(call->slot);
        mapping_member_unref(call->member);
        mqttrpc_request_unref(call->request);
        buffer_done(&call->answer);
        free(call->path);
        free(call);
}

/* ---- errors ---- */

int expose_call_error(MqttRpcError **ret_error, MqttRpcExecuted executed, int code,
                      const char *format, ...)
{
        CLEANUP_FREE char *text = NULL;
        va_list arguments;
        int r;

        va_start(arguments, format);
        if (vasprintf(&text, format, arguments) < 0)
                text = NULL;
        va_end(arguments);
        r = mqttrpc_error_set(ret_error, code, "%s", text ? text : "out of memory");
        (void)mqttrpc_error_set_executed(*ret_error, executed);
        return r;
}

/* Bytes of a text up to the limit, whole characters only. */
static int error_text_length(const char *text)
{
        size_t length = strnlen(text, LIMIT_ERROR_TEXT_BYTES + 1);

        if (length <= LIMIT_ERROR_TEXT_BYTES)
                return (int)length;
        length = LIMIT_ERROR_TEXT_BYTES;
        while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
                length--;
        return (int)length;
}

/* A D-Bus error as one of the wire, its name kept in data.name. */
static MqttRpcError *error_from_dbus(const sd_bus_error *dbus, bool deadline_passed)
{
        const char *text = dbus->message && *dbus->message ? dbus->message : dbus->name;
        MqttRpcExecuted executed;
        int code = error_map_from_dbus(dbus->name, deadline_passed, &executed);
        MqttRpcError *error;

        error = mqttrpc_error_new(code, "%.*s", error_text_length(text), text);
        if (dbus->name)
                (void)mqttrpc_error_set_name(error, dbus->name);
        if (executed != MQTTRPC_EXECUTED_UNKNOWN)
                (void)mqttrpc_error_set_executed(error, executed);
        if (code == MQTTRPC_ERROR_BUSY)
                (void)mqttrpc_error_set_retry_after(error, BUSY_RETRY_MSEC);
        return error;
}

int expose_call_explain_params(int r, const char *field, const Error *why, MqttRpcError **ret_error)
{
        switch (r) {
        case -EINVAL:
        case -ERANGE:
        case -E2BIG:
                r = expose_call_error(ret_error, MQTTRPC_EXECUTED_NO, MQTTRPC_ERROR_INVALID_PARAMS,
                                      "%s", error_text(why));
                break;
        case -EOPNOTSUPP:
                r = expose_call_error(ret_error, MQTTRPC_EXECUTED_NO, MQTTRPC_ERROR_NOT_SUPPORTED,
                                      "%s", error_text(why));
                break;
        default:
                return expose_call_error(ret_error, MQTTRPC_EXECUTED_NO, MQTTRPC_ERROR_INTERNAL,
                                         "cannot make the D-Bus message: %s", error_text(why));
        }
        if (field)
                (void)mqttrpc_error_set_field(*ret_error, field);
        return r;
}

/* The method was executed, but what it returned cannot be said in JSON. */
static MqttRpcError *explain_result(int r, const MappingMember *member, const Error *why)
{
        MqttRpcError *error;
        int code = MQTTRPC_ERROR_INTERNAL;

        if (r == -EOPNOTSUPP)
                code = MQTTRPC_ERROR_NOT_SUPPORTED;
        else if (r == -EMSGSIZE || r == -E2BIG)
                code = MQTTRPC_ERROR_TOO_LARGE;
        error = mqttrpc_error_new(code, "%s returned what cannot be passed on: %s", member->member,
                                  r == -EMSGSIZE ? "the result is too large" : error_text(why));
        (void)mqttrpc_error_set_executed(error, MQTTRPC_EXECUTED_YES);
        return error;
}

int expose_call_explain_send(int r, const Expose *expose, MqttRpcError **ret_error)
{
        if (r == -ENOBUFS)
                return expose_call_error(ret_error, MQTTRPC_EXECUTED_NO, MQTTRPC_ERROR_BUSY,
                                         "D-Bus does not take messages fast enough");
        if (r == -ENOTCONN || r == -ECONNRESET)
                return expose_call_error(ret_error, MQTTRPC_EXECUTED_NO, MQTTRPC_ERROR_UNAVAILABLE,
                                         "the gateway is not connected to the D-Bus %s bus",
                                         dbus_link_get_address(expose->link));
        return expose_call_error(ret_error, MQTTRPC_EXECUTED_NO, MQTTRPC_ERROR_INTERNAL,
                                 "cannot call %s: %s", expose->bus_name, strerrordesc_np(-r));
}

/* ---- the way back ---- */

static int reply_result(const ExposeCall *call, sd_bus_message *m)
{
        Buffer *buffer = &call->expose->scratch->buffer;
        const MappingMember *member = call->member;
        CLEANUP_RPC_ERROR MqttRpcError *failure = NULL;
        CLEANUP_ERROR Error *why = NULL;
        int r;

        buffer_clear(buffer);
        r = codec_result_to_json(m, &member->out, member->rule->result == 1, buffer, &why);
        if (r >= 0)
                return mqttrpc_request_reply(call->request, buffer_text(buffer), buffer->length);
        failure = explain_result(r, member, why);
        call->expose->stats.errors++;
        expose_warn(call->expose, "%s.%s: %s", member->interface, member->member,
                    mqttrpc_error_get_message(failure));
        return mqttrpc_request_reply_error(call->request, failure);
}

void expose_call_reply_failure(const ExposeCall *call, const sd_bus_error *dbus)
{
        CLEANUP_RPC_ERROR MqttRpcError *error =
                error_from_dbus(dbus, clock_now() >= call->deadline_usec);

        call->expose->stats.errors++;
        (void)mqttrpc_request_reply_error(call->request, error);
}

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        ExposeCall *call = userdata;
        Expose *expose = call->expose;

        if (sd_bus_message_is_method_error(m, NULL))
                expose_call_reply_failure(call, sd_bus_message_get_error(m));
        else
                (void)reply_result(call, m);
        expose_call_free(call, &expose->calls);
        if (expose->scratch->buffer.capacity > SCRATCH_KEEP_BYTES)
                buffer_done(&expose->scratch->buffer);
        return DBUS_LINK_TAKEN;
}

/* ---- the way there ---- */

static int append_params(Expose *expose, MqttRpcRequest *request, const MappingMember *member,
                         sd_bus_message *m, MqttRpcError **ret_error)
{
        JsonDoc *doc = &expose->scratch->doc;
        CLEANUP_ERROR Error *why = NULL;
        const CodecArg *argument = NULL;
        const char *params;
        size_t length;
        int r;

        params = mqttrpc_request_get_params(request, &length);
        r = json_scan(doc, params, length, JSON_SCAN_STRICT);
        if (r < 0) /* the library has scanned it before */
                return expose_call_error(ret_error, MQTTRPC_EXECUTED_NO, MQTTRPC_ERROR_INTERNAL,
                                         "the parameters could not be read: %s", doc->error_reason);
        r = codec_args_from_json(doc, 0, &member->in, m, &argument, &why);
        return r < 0 ? expose_call_explain_params(r, argument ? argument->name : NULL, why,
                                                  ret_error)
                     : 0;
}

static bool has_fd(const CodecArgs *args)
{
        for (size_t i = 0; i < args->count; i++)
                if (codec_type_has_fd(args->items[i].type))
                        return true;
        return false;
}

/* Not for notifications, nor for methods that are annotated to never reply. */
static bool wants_reply(const MqttRpcRequest *request, const MappingMember *member)
{
        return !mqttrpc_request_is_notification(request) && !member->no_reply;
}

static int make_message(Expose *expose, MqttRpcRequest *request, const char *path,
                        const MappingMember *member, sd_bus_message **ret_message,
                        MqttRpcError **ret_error)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        bool start = expose->mapping->activate && !member->rule->no_auto_start;
        sd_bus *bus = dbus_link_get_bus(expose->link);
        int r;

        if (!bus)
                return expose_call_explain_send(-ENOTCONN, expose, ret_error);
        r = sd_bus_message_new_method_call(bus, &m, expose->bus_name, path, member->interface,
                                           member->member);
        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, start);
        if (r >= 0 && !wants_reply(request, member))
                r = sd_bus_message_set_expect_reply(m, false);
        if (r < 0)
                return expose_call_explain_send(r, expose, ret_error);
        r = append_params(expose, request, member, m, ret_error);
        if (r < 0)
                return r;
        *ret_message = STEAL(m);
        return 0;
}

/* When the call has to be over. A method may be known to take longer than the usual 25 s, for
 * callers who set no time. The request gets a little more, so that it is D-Bus that says why. */
static uint64_t get_deadline(MqttRpcRequest *request, uint64_t own)
{
        uint64_t now = clock_now(), deadline = mqttrpc_request_get_deadline(request);

        if (own == 0)
                return deadline;
        if (now + own > deadline &&
            mqttrpc_request_set_timeout(request, own + ANSWER_MARGIN_USEC) >= 0)
                deadline = mqttrpc_request_get_deadline(request);
        return MIN(deadline, now + own);
}

int expose_call_send(ExposeCall *call, sd_bus_message *m, sd_bus_message_handler_t handler,
                     MqttRpcError **ret_error)
{
        sd_bus *bus = dbus_link_get_bus(call->expose->link);
        uint64_t now = clock_now();
        int r;

        if (!bus)
                return expose_call_explain_send(-ENOTCONN, call->expose, ret_error);
        if (call->deadline_usec == 0)
                call->deadline_usec = get_deadline(
                        call->request, call->member ? call->member->rule->timeout_usec : 0);
        r = sd_bus_call_async(bus, &call->slot, m, handler, call,
                              call->deadline_usec > now ? call->deadline_usec - now : 1);
        return r < 0 ? expose_call_explain_send(r, call->expose, ret_error) : 0;
}

void expose_call_count(const Expose *expose, const MqttRpcRequest *request, UsageKind kind,
                       const MappingObject *object, const char *interface, const char *member)
{
        UsageKey key = {.side = USAGE_MQTT,
                        .kind = kind,
                        .service = expose->name,
                        .object = object->name,
                        .interface = interface,
                        .member = member};

        usage_count(expose->usage, &key, mqttrpc_request_get_caller(request), NULL, time(NULL));
}

static int send_call(Expose *expose, MqttRpcRequest *request, MappingMember *member,
                     sd_bus_message *m, MqttRpcError **ret_error)
{
        ExposeCall *call;
        int r;

        r = expose_call_new(expose, request, &expose->calls, &call);
        if (r < 0)
                return r;
        call->member = mapping_member_ref(member);
        r = expose_call_send(call, m, on_reply, ret_error);
        if (r < 0)
                expose_call_free(call, &expose->calls);
        return r;
}

/* ---- caps ---- */

static int too_many(unsigned count, const char *what, MqttRpcError **ret_error)
{
        int r;

        r = expose_call_error(ret_error, MQTTRPC_EXECUTED_NO, MQTTRPC_ERROR_BUSY,
                              "%u calls of %s are in flight already", count, what);
        (void)mqttrpc_error_set_retry_after(*ret_error, BUSY_RETRY_MSEC);
        return r;
}

static int check_room(const Expose *expose, MqttRpcError **ret_error)
{
        if (expose->n_calls < expose->mapping->max_in_flight)
                return 0;
        return too_many(expose->n_calls, expose->bus_name, ret_error);
}

/* The method's own limit, if its mapping sets one. */
static int check_method_room(const Expose *expose, const MappingMember *member,
                             MqttRpcError **ret_error)
{
        const ExposeCall *call;
        unsigned count = 0;

        if (member->rule->max_in_flight == 0)
                return 0;
        DL_FOREACH (expose->calls, call)
                count += call->member && call->member->rule == member->rule &&
                         !strcmp(call->member->member, member->member);
        if (count < member->rule->max_in_flight)
                return 0;
        return too_many(count, member->name, ret_error);
}

static int forward(const ExposeType *type, MqttRpcRequest *request, const char *path,
                   MappingMember *member, MqttRpcError **ret_error)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        Expose *expose = type->expose;
        size_t size;
        int r;

        /* it may have waited for introspection */
        if (mqttrpc_request_get_deadline(request) <= clock_now())
                return expose_call_error(ret_error, MQTTRPC_EXECUTED_NO, MQTTRPC_ERROR_TIMEOUT,
                                         "no time was left to call %s", expose->bus_name);
        if (mqttrpc_request_is_cancelled(request))
                return expose_call_error(ret_error, MQTTRPC_EXECUTED_NO, MQTTRPC_ERROR_CANCELLED,
                                         "cancelled before it was passed on");
        if (mqttrpc_request_is_generic(request) && !member->batch)
                return expose_call_error(
                        ret_error, MQTTRPC_EXECUTED_NO, MQTTRPC_ERROR_ACCESS_DENIED,
                        "'%s' has access class '%s' and is called by its own topic only",
                        member->name, member->access);
        if (has_fd(&member->in) || has_fd(&member->out))
                return expose_call_error(
                        ret_error, MQTTRPC_EXECUTED_NO, MQTTRPC_ERROR_NOT_SUPPORTED,
                        "'%s' passes file descriptors, which cannot travel by MQTT", member->name);
        r = check_method_room(expose, member, ret_error);
        if (r >= 0)
                r = make_message(expose, request, path, member, &m, ret_error);
        if (r < 0)
                return r;
        log_debug("%s calls %s.%s of %s", mqttrpc_request_get_caller(request), member->interface,
                  member->member, expose->bus_name);
        expose_call_count(expose, request, USAGE_CALL, type->mapping, member->interface,
                          member->member);
        if (member->mask)
                mqttrpc_request_set_sensitive(request);
        if (wants_reply(request, member))
                return send_call(expose, request, member, m, ret_error);
        (void)mqttrpc_request_get_params(request, &size);
        r = dbus_link_send(expose->link, m, size);
        if (r < 0)
                return expose_call_explain_send(r, expose, ret_error);
        return mqttrpc_request_reply(request, NULL, 0);
}

/* ---- looking it up ---- */

/* Whether the types of a member hold for the present owner of the name: those that the file gives
 * always do; those of introspection do not outlive the owner that sent it. */
static bool is_trusted(const ExposeType *type, const MappingMember *member)
{
        if (!member || !member->typed)
                return false;
        return type->is_known || !type->was_known || mapping_member_is_complete(member);
}

static bool must_wait(const ExposeType *type, const MappingMember *member)
{
        return expose_type_must_wait(type) && !is_trusted(type, member);
}

static int no_method(const Expose *expose, const MqttRpcRequest *request,
                     const MappingMember *member, MqttRpcError **ret_error)
{
        const char *method = mqttrpc_request_get_method(request);

        if (member)
                return expose_call_error(ret_error, MQTTRPC_EXECUTED_NO, MQTTRPC_ERROR_NO_METHOD,
                                         "the types of '%s' are neither in the mapping nor in the "
                                         "introspection of %s",
                                         method, expose->bus_name);
        return expose_call_error(ret_error, MQTTRPC_EXECUTED_NO, MQTTRPC_ERROR_NO_METHOD,
                                 "%s/%s has no method '%s'", expose->name,
                                 mqttrpc_request_get_object(request), method);
}

/* Whether asking for introspection may start the service: not for the sake of a call that may not
 * start it either. A member that is not known yet could be one that "*" stands for. */
static bool may_start(const ExposeType *type, const MappingMember *member)
{
        const MappingRule *all;

        if (!type->expose->mapping->activate || (member && member->rule->no_auto_start))
                return false;
        for (const MappingInterface *i = type->mapping->interfaces; i && !member; i = i->hh.next) {
                all = i->all[MEMBER_METHOD];
                if (all && all->no_auto_start)
                        return false;
        }
        return true;
}

static int wait_for_introspection(ExposeType *type, const char *path, const MappingMember *member,
                                  MqttRpcRequest *request, MqttRpcError **ret_error)
{
        ExposeCall *call;
        int r;

        r = expose_type_introspect(type, path, may_start(type, member));
        if (r < 0)
                return expose_call_explain_send(r, type->expose, ret_error);
        return expose_call_new(type->expose, request, &type->waiting, &call);
}

/* The object that a request names: one that was found, or, since not all are, one that may be. */
static int find_target(const Expose *expose, const MqttRpcRequest *request,
                       MappingInstance *instance, ExposeType **ret_type, const char **ret_path,
                       MqttRpcError **ret_error)
{
        const char *name = mqttrpc_request_get_object(request);
        const ExposeObject *object = expose_object_find_name(expose, name);

        if (object) {
                *ret_type = object->type;
                *ret_path = object->path;
                return 0;
        }
        if (mapping_service_resolve_name(expose->mapping, name, instance) < 0)
                return expose_call_error(ret_error, MQTTRPC_EXECUTED_NO, MQTTRPC_ERROR_NOT_FOUND,
                                         "%s has no object '%s'", expose->name, name);
        *ret_type = expose_type_find(expose, instance->object);
        *ret_path = instance->path;
        return 0;
}

static int dispatch(ExposeType *type, const char *path, MappingMember *member,
                    MqttRpcRequest *request, MqttRpcError **ret_error)
{
        if (expose_set_is_method(mqttrpc_request_get_method(request)))
                return expose_set_on_request(type->expose, request, type->mapping, path, ret_error);
        if (!member || !member->typed)
                return no_method(type->expose, request, member, ret_error);
        return forward(type, request, path, member, ret_error);
}

static int accept_request(Expose *expose, MqttRpcRequest *request, MqttRpcError **ret_error)
{
        CLEANUP_MAPPING_INSTANCE MappingInstance instance = {};
        MappingMember *member;
        ExposeType *type;
        const char *path;
        int r;

        if (mqttrpc_request_get_hops(request) >= LIMIT_HOPS)
                return expose_call_error(ret_error, MQTTRPC_EXECUTED_NO, MQTTRPC_ERROR_FAILED,
                                         "the call went through %u gateways: is there a loop?",
                                         LIMIT_HOPS);
        if (expose->gateway)
                return expose_call_error(ret_error, MQTTRPC_EXECUTED_NO, MQTTRPC_ERROR_UNAVAILABLE,
                                         "%s is what a gateway offers on D-Bus, from MQTT",
                                         expose->bus_name);
        r = find_target(expose, request, &instance, &type, &path, ret_error);
        if (r >= 0)
                r = check_room(expose, ret_error);
        if (r < 0)
                return r;
        member = mapping_object_find(type->mapping, MEMBER_METHOD,
                                     mqttrpc_request_get_method(request));
        if (must_wait(type, member))
                return wait_for_introspection(type, path, member, request, ret_error);
        return dispatch(type, path, member, request, ret_error);
}

int expose_call_on_request(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        Expose *expose = userdata;
        int r;

        expose->stats.calls++;
        expose->stats.activity_usec = clock_now();
        r = accept_request(expose, request, ret_error);
        if (r < 0)
                expose->stats.errors++;
        return r;
}

/* Introspection failed: a member that can be used without goes on, the others learn why. */
static int go_on(ExposeType *type, MqttRpcRequest *request, const sd_bus_error *dbus,
                 MqttRpcError **ret_error)
{
        CLEANUP_MAPPING_INSTANCE MappingInstance instance = {};
        MappingMember *member = mapping_object_find(type->mapping, MEMBER_METHOD,
                                                    mqttrpc_request_get_method(request));
        const char *path;
        ExposeType *same;
        int r;

        r = find_target(type->expose, request, &instance, &same, &path, ret_error);
        if (r < 0)
                return r;
        if (!dbus || is_trusted(type, member))
                return dispatch(type, path, member, request, ret_error);
        *ret_error = error_from_dbus(dbus, false);
        (void)mqttrpc_error_set_executed(*ret_error, MQTTRPC_EXECUTED_NO);
        return mqttrpc_error_get_errno(*ret_error);
}

void expose_call_resume(ExposeType *type, const sd_bus_error *error)
{
        ExposeCall *waiting = STEAL(type->waiting), *call;

        while ((call = waiting)) {
                CLEANUP_RPC_ERROR MqttRpcError *failure = NULL;

                if (go_on(type, call->request, error, &failure) < 0) {
                        type->expose->stats.errors++;
                        (void)mqttrpc_request_reply_error(call->request, failure);
                }
                expose_call_free(call, &waiting);
        }
}

static void end_list(ExposeCall **list, MqttRpcExecuted executed)
{
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
        ExposeCall *call;

        error = mqttrpc_error_new(MQTTRPC_ERROR_UNAVAILABLE, "the gateway no longer serves this");
        (void)mqttrpc_error_set_executed(error, executed);
        while ((call = *list)) {
                (void)mqttrpc_request_reply_error(call->request, error);
                expose_call_free(call, list);
        }
}

void expose_call_end_all(Expose *expose)
{
        end_list(&expose->calls, MQTTRPC_EXECUTED_MAYBE);
        for (ExposeType *type = expose->types; type; type = type->hh.next)
                end_list(&type->waiting, MQTTRPC_EXECUTED_NO);
}
