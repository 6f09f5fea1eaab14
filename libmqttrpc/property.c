/* SPDX-License-Identifier: MIT */

/* Properties of objects with a vtable: asking for their values, telling changes, and the methods
 * prop.get, prop.getall, prop.set (protocol sections 6 and 7). */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/json-write.h"
#include "libmqttrpc/json-build.h"
#include "libmqttrpc/request.h"

/* Where a get handler leaves its value. */
struct MqttRpcValue {
        const Object *object;
        const VtableProperty *property;
        Buffer *buffer;
        bool given;
};

/* ---- what a get handler may call ---- */

MQTTRPC_PUBLIC const char *mqttrpc_value_get_service(const MqttRpcValue *value)
{
        return value->object->service->name;
}

MQTTRPC_PUBLIC const char *mqttrpc_value_get_object(const MqttRpcValue *value)
{
        return value->object->name;
}

MQTTRPC_PUBLIC const char *mqttrpc_value_get_property(const MqttRpcValue *value)
{
        return value->property->value.name;
}

MQTTRPC_PUBLIC int mqttrpc_value_set(MqttRpcValue *value, const char *type, ...)
{
        va_list arguments;
        int r;

        if (value->given || strcmp(type, value->property->value.type) != 0)
                return -EINVAL;
        va_start(arguments, type);
        r = json_build_append(value->buffer, type, false, arguments);
        va_end(arguments);
        value->given = r >= 0;
        return r;
}

MQTTRPC_PUBLIC int mqttrpc_value_set_json(MqttRpcValue *value, const char *text, size_t length)
{
        const Argument *declared = &value->property->value;
        CLEANUP_JSON_DOC JsonDoc doc = {};
        int r;

        if (value->given)
                return -EINVAL;
        if (length == SIZE_MAX)
                length = strlen(text);
        if (json_scan(&doc, text, length, JSON_SCAN_STRICT) < 0)
                return -EINVAL;
        r = argument_check_value(declared->type, &doc, 0, declared->name, NULL);
        if (r >= 0)
                r = buffer_append(value->buffer, text, length);
        value->given = r >= 0;
        return r;
}

/* ---- values ---- */

int property_get(Object *object, const VtableProperty *property, Buffer *buffer,
                 MqttRpcError **ret_error)
{
        MqttRpcValue value = {.object = object, .property = property, .buffer = buffer};
        size_t length = buffer->length;
        int r;

        r = property->member->get(&value, object->userdata, ret_error);
        if (r >= 0 && !value.given)
                r = mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INTERNAL,
                                      "the handler of '%s' gave no value", property->value.name);
        if (r >= 0)
                r = buffer_status(buffer);
        if (r < 0)
                buffer_truncate(buffer, length);
        return r;
}

/* Receivers forget the value they have; who wants the new one asks for it. Of a service that
 * another instance has taken over they have none. */
static int tell_invalidated(Object *object, const char *name)
{
        CLEANUP_BUFFER Buffer params = BUFFER_INIT(0);

        if (service_is_silent(object->service))
                return 0;
        buffer_append_text(&params, "[[");
        json_write_string(&params, name, strlen(name));
        buffer_append_text(&params, "]]");
        if (buffer_status(&params) < 0)
                return buffer_status(&params);
        return signal_send(object, "rpc.invalidated", params.data, params.length, 1);
}

int property_refresh(Object *object, const VtableProperty *property)
{
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        MqttRpcBus *bus = object->service->bus;
        int r;

        if (property->member->flags & MQTTRPC_PROPERTY_INVALIDATES)
                return tell_invalidated(object, property->value.name);
        if (!vtable_property_is_retained(property))
                return 0;
        r = property_get(object, property, &buffer, &error);
        if (r >= 0)
                return object_put(object, property->value.name, buffer.data, buffer.length);
        bus_log(bus, MQTTRPC_LOG_WARNING, "%s/%s has no value of '%s' to publish: %s",
                object->service->name, object->name, property->value.name,
                error ? mqttrpc_error_get_message(error) : strerrordesc_np(-r));
        /* The old one would be a wrong one. */
        (void)object_put(object, property->value.name, NULL, 0);
        return r;
}

void object_refresh(Object *object)
{
        for (size_t i = 0; i < object->vtable.n_properties; i++)
                if (vtable_property_is_retained(&object->vtable.properties[i]))
                        (void)property_refresh(object, &object->vtable.properties[i]);
}

MQTTRPC_PUBLIC int mqttrpc_property_changed(MqttRpcBus *bus, const char *service,
                                            const char *object, const char *property)
{
        const Service *owner = service_find(bus, (TextSpan){service, strlen(service)});
        Object *owned = owner ? object_find(owner, object, strlen(object)) : NULL;
        const VtableProperty *found = owned ? vtable_find_property(&owned->vtable, property) : NULL;

        return found ? property_refresh(owned, found) : -ENOENT;
}

/* ---- methods ---- */

static int no_property(const Object *object, const char *name, MqttRpcError **ret_error)
{
        int r;

        r = mqttrpc_error_set(ret_error, MQTTRPC_ERROR_NOT_FOUND, "%s/%s has no property '%.255s'",
                              object->service->name, object->name, name);
        (void)mqttrpc_error_set_name(*ret_error, "org.freedesktop.DBus.Error.UnknownProperty");
        return r;
}

static int reply_with(MqttRpcRequest *request, const Buffer *result)
{
        int r = buffer_status(result);

        return r < 0 ? r : mqttrpc_request_reply(request, result->data, result->length);
}

static int get_one(Object *object, MqttRpcRequest *request, MqttRpcError **ret_error)
{
        CLEANUP_BUFFER Buffer result = BUFFER_INIT(0);
        const VtableProperty *property;
        const char *name;
        int r;

        r = mqttrpc_request_get_string(request, 0, &name);
        if (r < 0)
                return r;
        property = vtable_find_property(&object->vtable, name);
        if (!property)
                return no_property(object, name, ret_error);
        if (property->member->flags & MQTTRPC_SENSITIVE)
                mqttrpc_request_set_sensitive(request);
        r = property_get(object, property, &result, ret_error);
        return r < 0 ? r : reply_with(request, &result);
}

/* One that has no value now is left out, as on D-Bus; so are secrets. */
static int get_all(Object *object, MqttRpcRequest *request, MqttRpcError **ret_error)
{
        CLEANUP_BUFFER Buffer result = BUFFER_INIT(0);

        buffer_append_char(&result, '{');
        for (size_t i = 0; i < object->vtable.n_properties; i++) {
                const VtableProperty *property = &object->vtable.properties[i];
                const char *name = property->value.name;
                CLEANUP_RPC_ERROR MqttRpcError *ignored = NULL;
                size_t before = result.length;

                if (property->member->flags & MQTTRPC_SENSITIVE)
                        continue;
                if (before > 1)
                        buffer_append_char(&result, ',');
                json_write_string(&result, name, strlen(name));
                buffer_append_char(&result, ':');
                if (property_get(object, property, &result, &ignored) < 0)
                        buffer_truncate(&result, before);
        }
        buffer_append_char(&result, '}');
        return reply_with(request, &result);
}

/* The request's arguments become those of the set handler: [value]. */
static int pass_value(MqttRpcRequest *request, const VtableProperty *property, unsigned index,
                      MqttRpcError **ret_error)
{
        JsonDoc *doc = &request->bus->params_doc;
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        size_t length;
        const char *params = mqttrpc_request_get_params(request, &length), *raw;
        uint32_t node = 1;
        int r;

        r = json_scan(doc, params, length, JSON_SCAN_STRICT);
        if (r < 0)
                return r;
        while (index-- > 0)
                node = json_next(doc, 0, node);
        r = argument_check_value(property->value.type, doc, node, property->value.name, ret_error);
        if (r < 0)
                return r;
        raw = json_raw(doc, node, &length);
        buffer_append_char(&buffer, '[');
        buffer_append(&buffer, raw, length);
        r = buffer_append_char(&buffer, ']');
        return r < 0 ? r : request_set_property(request, property->value.name, &buffer);
}

static int set(Object *object, MqttRpcRequest *request, const char *name, unsigned index,
               MqttRpcError **ret_error)
{
        const VtableProperty *property = vtable_find_property(&object->vtable, name);
        int r;

        if (!property)
                return no_property(object, name, ret_error);
        if (!property->member->handler)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_READ_ONLY,
                                         "property '%s' cannot be set", name);
        r = pass_value(request, property, index, ret_error);
        if (r < 0)
                return r;
        request->sensitive = property->member->flags & MQTTRPC_SENSITIVE;
        return property->member->handler(request, object->userdata, ret_error);
}

static int set_named(Object *object, MqttRpcRequest *request, MqttRpcError **ret_error)
{
        const char *name;
        int r;

        r = mqttrpc_request_get_string(request, 0, &name);
        return r < 0 ? r : set(object, request, name, 1, ret_error);
}

/* prop.set.{name}, so that grants can be given by property (protocol section 6). */
static int set_by_topic(Object *object, MqttRpcRequest *request, MqttRpcError **ret_error)
{
        return set(object, request, mqttrpc_request_get_method(request) + strlen("prop.set."), 0,
                   ret_error);
}

static const struct {
        const char *name;
        bool prefix;
        bool reads; /* may be called by way of rpc/ */
        const char *params;
        int (*call)(Object *object, MqttRpcRequest *request, MqttRpcError **ret_error);
} methods[] = {
        {"prop.get", false, true, "name:s", get_one},
        {"prop.getall", false, true, "", get_all},
        {"prop.set", false, false, "name:s value:v", set_named},
        {"prop.set.", true, false, "value:v", set_by_topic},
};

static bool is_method(const char *method, size_t i)
{
        return methods[i].prefix ? !strncmp(method, methods[i].name, strlen(methods[i].name))
                                 : !strcmp(method, methods[i].name);
}

int property_call(Object *object, MqttRpcRequest *request, MqttRpcError **ret_error)
{
        const char *method = mqttrpc_request_get_method(request);
        CLEANUP(argument_list_done) ArgumentList params = {};
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
                if (!is_method(method, i))
                        continue;
                if (!methods[i].reads && mqttrpc_request_is_generic(request))
                        return mqttrpc_error_set(
                                ret_error, MQTTRPC_ERROR_ACCESS_DENIED,
                                "'%s' is not a reading method: call it by its own topic", method);
                r = argument_list_parse(methods[i].params, &params, ret_error);
                if (r >= 0)
                        r = request_check_params(request, &params, ret_error);
                return r < 0 ? r : methods[i].call(object, request, ret_error);
        }
        return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_NO_METHOD, "there is no method '%s'",
                                 method);
}
