/* SPDX-License-Identifier: MIT */

/* Properties by calls: prop.get, prop.getall, prop.set and prop.set.{name} (protocol section 6).
 * They ask the service itself, so the answer is the present value, or the real error. A value that
 * was set and whose change the service tells is on MQTT before the answer, since D-Bus brings the
 * one before the other. */

#include <errno.h>
#include <string.h>

#include "common/json-write.h"
#include "gateway/codec/dbus-to-json.h"
#include "gateway/codec/json-to-dbus.h"
#include "gateway/expose-call.h"

#define PROPERTIES "org.freedesktop.DBus.Properties"

/* One such request, taken apart. */
typedef struct Access {
        Expose *expose;
        MqttRpcRequest *request;
        const MappingObject *mapping;
        const char *path;
        MappingMember *member; /* of the property */
        uint32_t value;        /* node in the scratch document */
} Access;

/* ---- errors ---- */

static int no_property(const Access *access, const char *name, MqttRpcError **ret_error)
{
        int r;

        r = expose_call_error(ret_error, MQTTRPC_EXECUTED_NO, MQTTRPC_ERROR_NOT_FOUND,
                              "%s/%s has no property '%.255s'", access->expose->name,
                              mqttrpc_request_get_object(access->request), name);
        (void)mqttrpc_error_set_name(*ret_error, "org.freedesktop.DBus.Error.UnknownProperty");
        return r;
}

static int bad_params(const char *text, MqttRpcError **ret_error)
{
        return expose_call_error(ret_error, MQTTRPC_EXECUTED_NO, MQTTRPC_ERROR_INVALID_PARAMS, "%s",
                                 text);
}

/* ---- the request ---- */

/* Node of a parameter: by position, or by name. */
static uint32_t find_param(const JsonDoc *doc, unsigned index, const char *name)
{
        if (json_type(doc, 0) == JSON_OBJECT)
                return json_find(doc, 0, name);
        JSON_FOREACH (doc, 0, child)
                if (index-- == 0)
                        return child;
        return 0;
}

static int scan(const Access *access, unsigned count, MqttRpcError **ret_error)
{
        JsonDoc *doc = &access->expose->scratch->doc;
        const char *params;
        size_t length;

        params = mqttrpc_request_get_params(access->request, &length);
        if (json_scan(doc, params, length, JSON_SCAN_STRICT) < 0)
                return bad_params(doc->error_reason, ret_error);
        if (doc->nodes[0].count == count)
                return 0;
        return expose_call_error(ret_error, MQTTRPC_EXECUTED_NO, MQTTRPC_ERROR_INVALID_PARAMS,
                                 "%u arguments are expected", count);
}

static int find_property(Access *access, const char *name, MqttRpcError **ret_error)
{
        access->member = mapping_object_find(access->mapping, MEMBER_PROPERTY, name);
        if (!access->member)
                return no_property(access, name, ret_error);
        if (!access->member->typed)
                return expose_call_error(ret_error, MQTTRPC_EXECUTED_NO, MQTTRPC_ERROR_NOT_FOUND,
                                         "the type of '%s' is neither in the mapping nor in the "
                                         "introspection of %s",
                                         name, access->expose->bus_name);
        if (codec_type_has_fd(access->member->out.items[0].type))
                return expose_call_error(
                        ret_error, MQTTRPC_EXECUTED_NO, MQTTRPC_ERROR_NOT_SUPPORTED,
                        "'%s' is a file descriptor, which cannot travel by MQTT", name);
        if (access->member->mask)
                mqttrpc_request_set_sensitive(access->request);
        return 0;
}

static int find_named(Access *access, MqttRpcError **ret_error)
{
        JsonDoc *doc = &access->expose->scratch->doc;
        uint32_t node = find_param(doc, 0, "name");
        CLEANUP_FREE char *name = NULL;
        int r;

        r = node > 0 ? json_string_dup(doc, node, &name) : -EINVAL;
        if (r < 0)
                return bad_params("argument 'name' is to be the name of a property", ret_error);
        return find_property(access, name, ret_error);
}

/* ---- sending ---- */

static int new_message(const Access *access, const char *member, sd_bus_message **ret_message,
                       MqttRpcError **ret_error)
{
        Expose *expose = access->expose;
        int r;

        r = expose_new_message(expose, access->path, PROPERTIES, member, ret_message);
        if (r >= 0)
                r = sd_bus_message_set_auto_start(*ret_message, expose->mapping->activate);
        return r < 0 ? expose_call_explain_send(r, expose, ret_error) : 0;
}

static int send(const Access *access, UsageKind kind, sd_bus_message *m,
                sd_bus_message_handler_t handler, MqttRpcError **ret_error)
{
        const MappingMember *member = access->member;
        Expose *expose = access->expose;
        ExposeCall *call;
        int r;

        expose_call_count(expose, access->request, kind, access->mapping, member->interface,
                          member->member);
        r = expose_call_new(expose, access->request, &expose->calls, &call);
        if (r < 0)
                return r;
        call->member = mapping_member_ref(access->member);
        r = expose_call_send(call, m, handler, ret_error);
        if (r < 0)
                expose_call_free(call, &expose->calls);
        return r;
}

/* ---- prop.get ---- */

static void reply_value(const ExposeCall *call, sd_bus_message *m)
{
        Buffer *buffer = &call->expose->scratch->buffer;
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
        CLEANUP_ERROR Error *why = NULL;
        int r;

        buffer_clear(buffer);
        r = codec_variant_to_json(m, call->member->out.items[0].type, call->member->name, buffer,
                                  &why);
        if (r >= 0) {
                (void)mqttrpc_request_reply(call->request, buffer_text(buffer), buffer->length);
                return;
        }
        (void)expose_call_error(&error, MQTTRPC_EXECUTED_YES,
                                r == -EMSGSIZE ? MQTTRPC_ERROR_TOO_LARGE : MQTTRPC_ERROR_INTERNAL,
                                "the value cannot be passed on: %s",
                                why ? error_text(why) : "it is too large");
        (void)mqttrpc_request_reply_error(call->request, error);
}

static int on_value(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        ExposeCall *call = userdata;

        if (sd_bus_message_is_method_error(m, NULL))
                expose_call_reply_failure(call, sd_bus_message_get_error(m));
        else
                reply_value(call, m);
        expose_call_free(call, &call->expose->calls);
        return DBUS_LINK_TAKEN;
}

static int get(Access *access, MqttRpcError **ret_error)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = scan(access, 1, ret_error);
        if (r >= 0)
                r = find_named(access, ret_error);
        if (r < 0)
                return r;
        if (mqttrpc_request_is_generic(access->request) &&
            strcmp(access->member->access, "read") != 0)
                return expose_call_error(ret_error, MQTTRPC_EXECUTED_NO,
                                         MQTTRPC_ERROR_ACCESS_DENIED,
                                         "'%s' has access class '%s' and is read by its own topic",
                                         access->member->name, access->member->access);
        r = new_message(access, "Get", &m, ret_error);
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "ss", access->member->interface, access->member->member);
        return r < 0 ? expose_call_explain_send(r, access->expose, ret_error)
                     : send(access, USAGE_GET, m, on_value, ret_error);
}

/* ---- prop.set ---- */

/* What is polled may have been set without a word. */
static void fetch_again(const ExposeCall *call)
{
        ExposeObject *object =
                expose_object_find_name(call->expose, mqttrpc_request_get_object(call->request));
        MappingInterface *interface;

        if (!object || call->member->emits_changed != EMITS_CHANGED_FALSE ||
            !expose_property_is_retained(call->member))
                return;
        HASH_FIND_STR(object->type->mapping->interfaces, call->member->interface, interface);
        if (!interface || !expose_object_has(object, interface))
                return;
        expose_fetch(object, interface, call->member);
        expose_fetch_go_on(call->expose);
}

static int on_set(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        ExposeCall *call = userdata;

        if (sd_bus_message_is_method_error(m, NULL)) {
                expose_call_reply_failure(call, sd_bus_message_get_error(m));
        } else {
                (void)mqttrpc_request_reply(call->request, NULL, 0);
                fetch_again(call);
        }
        expose_call_free(call, &call->expose->calls);
        return DBUS_LINK_TAKEN;
}

static int append_value(const Access *access, sd_bus_message *m, MqttRpcError **ret_error)
{
        const MappingMember *member = access->member;
        CLEANUP_ERROR Error *why = NULL;
        int r;

        r = sd_bus_message_append(m, "ss", member->interface, member->member);
        if (r < 0)
                return expose_call_explain_send(r, access->expose, ret_error);
        r = codec_variant_from_json(&access->expose->scratch->doc, access->value,
                                    member->out.items[0].type, member->name, m, &why);
        return r < 0 ? expose_call_explain_params(r, "value", why, ret_error) : 0;
}

static int set(Access *access, MqttRpcError **ret_error)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        if (!access->member->writable)
                return expose_call_error(ret_error, MQTTRPC_EXECUTED_NO, MQTTRPC_ERROR_READ_ONLY,
                                         "property '%s' cannot be set", access->member->name);
        r = new_message(access, "Set", &m, ret_error);
        if (r >= 0)
                r = append_value(access, m, ret_error);
        return r < 0 ? r : send(access, USAGE_SET, m, on_set, ret_error);
}

static int check_by_topic(const Access *access, MqttRpcError **ret_error)
{
        if (!mqttrpc_request_is_generic(access->request))
                return 0;
        return expose_call_error(ret_error, MQTTRPC_EXECUTED_NO, MQTTRPC_ERROR_ACCESS_DENIED,
                                 "'%s' is not a reading method: call it by its own topic",
                                 mqttrpc_request_get_method(access->request));
}

static int set_named(Access *access, MqttRpcError **ret_error)
{
        int r;

        r = check_by_topic(access, ret_error);
        if (r >= 0)
                r = scan(access, 2, ret_error);
        if (r >= 0)
                r = find_named(access, ret_error);
        if (r < 0)
                return r;
        access->value = find_param(&access->expose->scratch->doc, 1, "value");
        return access->value > 0 ? set(access, ret_error)
                                 : bad_params("argument 'value' is missing", ret_error);
}

/* prop.set.{name}, so that grants can be given by property. */
static int set_by_topic(Access *access, MqttRpcError **ret_error)
{
        int r;

        r = check_by_topic(access, ret_error);
        if (r >= 0)
                r = scan(access, 1, ret_error);
        if (r >= 0)
                r = find_property(access,
                                  mqttrpc_request_get_method(access->request) + strlen("prop.set."),
                                  ret_error);
        if (r < 0)
                return r;
        access->value = find_param(&access->expose->scratch->doc, 0, "value");
        return access->value > 0 ? set(access, ret_error)
                                 : bad_params("argument 'value' is missing", ret_error);
}

/* ---- prop.getall ---- */

/* Whether prop.getall tells it: not what it takes a further right to see. */
static bool is_told(const ExposeCall *call, const MappingMember *member)
{
        if (!member->typed || member->mask || !member->readable)
                return false;
        return !mqttrpc_request_is_generic(call->request) || !strcmp(member->access, "read");
}

static int gather_value(ExposeCall *call, const MappingMember *member, sd_bus_message *m)
{
        CLEANUP_ERROR Error *why = NULL;

        if (call->answer.length > 1)
                buffer_append_char(&call->answer, ',');
        json_write_string(&call->answer, member->name, strlen(member->name));
        buffer_append_char(&call->answer, ':');
        return codec_variant_to_json(m, member->out.items[0].type, member->name, &call->answer,
                                     &why);
}

static int gather(ExposeCall *call, sd_bus_message *m)
{
        const MappingMember *member;
        const char *name;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = sd_bus_message_read(m, "s", &name);
                if (r < 0)
                        return r;
                HASH_FIND(hh_dbus, call->interface->members[MEMBER_PROPERTY], name, strlen(name),
                          member);
                r = member && is_told(call, member) ? gather_value(call, member, m)
                                                    : sd_bus_message_skip(m, "v");
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r;
}

static bool has_told(const ExposeCall *call, const MappingInterface *interface)
{
        const MappingMember *member;

        for (member = interface->members[MEMBER_PROPERTY]; member; member = member->hh_dbus.next)
                if (is_told(call, member))
                        return true;
        return false;
}

/* The next interface that has properties, from `interface` on; then the answer. Negative: the call
 * is still there, and the error is to be its answer. */
static int ask_from(ExposeCall *call, const MappingInterface *interface, MqttRpcError **ret_error);

static int on_all(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
        ExposeCall *call = userdata;
        Expose *expose = call->expose;
        int r = 0;

        call->slot = sd_bus_slot_unref(call->slot);
        if (!sd_bus_message_is_method_error(m, NULL)) {
                r = gather(call, m);
                if (r < 0)
                        (void)expose_call_error(
                                &error, MQTTRPC_EXECUTED_YES,
                                r == -EMSGSIZE ? MQTTRPC_ERROR_TOO_LARGE : MQTTRPC_ERROR_INTERNAL,
                                "the values of %s cannot be passed on", call->interface->name);
        } else if (!sd_bus_error_has_name(sd_bus_message_get_error(m),
                                          SD_BUS_ERROR_UNKNOWN_INTERFACE)) {
                expose_call_reply_failure(call, sd_bus_message_get_error(m));
                expose_call_free(call, &expose->calls);
                return DBUS_LINK_TAKEN;
        }
        if (r >= 0)
                r = ask_from(call, call->interface->hh.next, &error);
        if (r < 0)
                (void)mqttrpc_request_reply_error(call->request, error);
        if (r <= 0)
                expose_call_free(call, &expose->calls);
        return DBUS_LINK_TAKEN;
}

/* An object that has been found has some of the interfaces of its entry. What services say to a
 * question for another one is not always UnknownInterface. */
static bool is_asked(const ExposeCall *call, const MappingInterface *interface)
{
        const ExposeObject *object = expose_object_find(call->expose, call->path);

        return has_told(call, interface) && (!object || expose_object_has(object, interface));
}

/* > 0: has asked; 0: has answered. */
static int ask_from(ExposeCall *call, const MappingInterface *interface, MqttRpcError **ret_error)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        Access access = {.expose = call->expose, .path = call->path};
        int r;

        while (interface && !is_asked(call, interface))
                interface = interface->hh.next;
        call->interface = interface;
        if (!interface) {
                buffer_append_char(&call->answer, '}');
                r = buffer_status(&call->answer);
                if (r >= 0)
                        (void)mqttrpc_request_reply(call->request, call->answer.data,
                                                    call->answer.length);
                return r < 0 ? r : 0;
        }
        r = new_message(&access, "GetAll", &m, ret_error);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", interface->name);
        if (r >= 0)
                r = expose_call_send(call, m, on_all, ret_error);
        return r < 0 ? r : 1;
}

static int get_all(Access *access, MqttRpcError **ret_error)
{
        Expose *expose = access->expose;
        ExposeCall *call;
        int r;

        r = scan(access, 0, ret_error);
        if (r >= 0)
                r = expose_call_new(expose, access->request, &expose->calls, &call);
        if (r < 0)
                return r;
        expose_call_count(expose, access->request, USAGE_GET, access->mapping, PROPERTIES,
                          "GetAll");
        call->answer = BUFFER_INIT(expose->scratch->buffer.maximum);
        buffer_append_char(&call->answer, '{');
        call->path = strdup(access->path);
        r = call->path ? ask_from(call, access->mapping->interfaces, ret_error) : -ENOMEM;
        if (r <= 0)
                expose_call_free(call, &expose->calls);
        return r < 0 ? r : 0;
}

/* ---- dispatch ---- */

static const struct {
        const char *name; /* ends with '.': all that start so */
        int (*handle)(Access *access, MqttRpcError **ret_error);
} methods[] = {
        {"prop.get", get},
        {"prop.getall", get_all},
        {"prop.set", set_named},
        {"prop.set.", set_by_topic},
};

bool expose_set_is_method(const char *method)
{
        return !strncmp(method, "prop.", 5);
}

int expose_set_on_request(Expose *expose, MqttRpcRequest *request, const MappingObject *mapping,
                          const char *path, MqttRpcError **ret_error)
{
        Access access = {.expose = expose, .request = request, .mapping = mapping, .path = path};
        const char *method = mqttrpc_request_get_method(request);

        for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
                size_t length = strlen(methods[i].name);
                bool prefix = methods[i].name[length - 1] == '.';

                if (prefix ? !strncmp(method, methods[i].name, length)
                           : !strcmp(method, methods[i].name))
                        return methods[i].handle(&access, ret_error);
        }
        return expose_call_error(ret_error, MQTTRPC_EXECUTED_NO, MQTTRPC_ERROR_NO_METHOD,
                                 "there is no method '%s'", method);
}
