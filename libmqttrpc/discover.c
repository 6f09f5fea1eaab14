/* SPDX-License-Identifier: MIT */

/* The description of a service made from its vtables: an OpenRPC document with the types of D-Bus
 * beside each schema, and x-signals and x-properties for what OpenRPC does not know. Objects that
 * share a vtable are described once. */

#include <string.h>

#include "common/json-schema.h"
#include "common/json-write.h"
#include "libmqttrpc/service.h"

typedef struct Writer {
        Buffer *buffer;
        const Service *service;
        bool any; /* something is in the present list */
} Writer;

static void text(Writer *writer, const char *key, const char *value)
{
        buffer_printf(writer->buffer, "\"%s\":", key);
        json_write_string(writer->buffer, value, strlen(value));
}

static void next(Writer *writer)
{
        if (writer->any)
                buffer_append_char(writer->buffer, ',');
        writer->any = true;
}

/* ---- members ---- */

/* The name is that of the method for the root object; OpenRPC wants it to be unique, so elsewhere
 * the object that has it first stands in front. */
static void write_names(Writer *writer, const Object *object, const MqttRpcMember *member,
                        const char *interface)
{
        CLEANUP_BUFFER Buffer name = BUFFER_INIT(0);

        if (strcmp(object->name, "-") != 0)
                buffer_printf(&name, "%s/", object->name);
        buffer_append_text(&name, member->name);
        text(writer, "name", buffer_text(&name));
        buffer_append_char(writer->buffer, ',');
        text(writer, "x-object", object->name);
        if (interface) {
                buffer_append_char(writer->buffer, ',');
                text(writer, "x-interface", interface);
        }
        buffer_append_text(writer->buffer, ",\"x-access\":");
        buffer_append_text(writer->buffer, member->flags & MQTTRPC_ACCESS_READ      ? "\"read\""
                                           : member->flags & MQTTRPC_ACCESS_CONTROL ? "\"control\""
                                                                                    : "\"admin\"");
        if (member->flags & MQTTRPC_DEPRECATED)
                buffer_append_text(writer->buffer, ",\"deprecated\":true");
}

static void write_schema(Writer *writer, const char *type)
{
        buffer_append_text(writer->buffer, "\"schema\":");
        json_schema_write(writer->buffer, type);
        buffer_append_char(writer->buffer, ',');
        text(writer, "x-dbus-type", type);
}

static void write_argument(Writer *writer, const Argument *argument)
{
        buffer_append_char(writer->buffer, '{');
        text(writer, "name", argument->name);
        buffer_append_text(writer->buffer, ",\"required\":true,");
        write_schema(writer, argument->type);
        buffer_append_char(writer->buffer, '}');
}

static void write_arguments(Writer *writer, const ArgumentList *list)
{
        buffer_append_text(writer->buffer, ",\"params\":[");
        for (size_t i = 0; i < list->count; i++) {
                if (i > 0)
                        buffer_append_char(writer->buffer, ',');
                write_argument(writer, &list->items[i]);
        }
        buffer_append_char(writer->buffer, ']');
}

static void write_method(Writer *writer, const Object *object, const VtableMethod *method)
{
        uint64_t flags = method->member->flags;

        next(writer);
        buffer_append_char(writer->buffer, '{');
        write_names(writer, object, method->member, method->interface);
        write_arguments(writer, &method->params);
        buffer_append_text(writer->buffer, ",\"result\":{\"name\":\"result\",");
        if (method->result.count > 0)
                write_schema(writer, method->result.items[0].type);
        else
                buffer_append_text(writer->buffer, "\"schema\":{\"type\":\"null\"}");
        buffer_append_char(writer->buffer, '}');
        if (flags & MQTTRPC_METHOD_IDEMPOTENT)
                buffer_append_text(writer->buffer, ",\"x-idempotent\":true");
        if (flags & MQTTRPC_METHOD_CONST)
                buffer_append_text(writer->buffer, ",\"x-const\":true");
        if (flags & MQTTRPC_METHOD_NO_REPLY)
                buffer_append_text(writer->buffer, ",\"x-no-reply\":true");
        buffer_append_char(writer->buffer, '}');
}

static void write_signal(Writer *writer, const Object *object, const VtableSignal *signal)
{
        next(writer);
        buffer_append_char(writer->buffer, '{');
        write_names(writer, object, signal->member, signal->interface);
        write_arguments(writer, &signal->params);
        buffer_append_char(writer->buffer, '}');
}

/* How a change is told, in D-Bus's words for it. */
static const char *emits_changed(uint64_t flags)
{
        if (flags & MQTTRPC_PROPERTY_CONST)
                return "const";
        if (flags & MQTTRPC_PROPERTY_INVALIDATES)
                return "invalidates";
        return flags & (MQTTRPC_PROPERTY_NO_SIGNAL | MQTTRPC_SENSITIVE) ? "false" : "true";
}

static void write_property(Writer *writer, const Object *object, const VtableProperty *property)
{
        next(writer);
        buffer_append_char(writer->buffer, '{');
        write_names(writer, object, property->member, property->interface);
        buffer_append_char(writer->buffer, ',');
        write_schema(writer, property->value.type);
        buffer_append_text(writer->buffer, ",\"writable\":");
        buffer_append_text(writer->buffer, property->member->handler ? "true," : "false,");
        text(writer, "x-emits-changed", emits_changed(property->member->flags));
        buffer_append_char(writer->buffer, '}');
}

/* ---- document ---- */

/* True if an earlier object has the same vtable, and has described it. */
static bool is_described(const Object *object)
{
        for (const Object *other = object->service->objects; other != object;
             other = other->hh.next)
                if (other->members == object->members)
                        return true;
        return false;
}

typedef void (*EachObject)(Writer *writer, const Object *object);

static void each_method(Writer *writer, const Object *object)
{
        for (size_t i = 0; i < object->vtable.n_methods; i++)
                write_method(writer, object, &object->vtable.methods[i]);
}

static void each_signal(Writer *writer, const Object *object)
{
        for (size_t i = 0; i < object->vtable.n_signals; i++)
                write_signal(writer, object, &object->vtable.signals[i]);
}

static void each_property(Writer *writer, const Object *object)
{
        for (size_t i = 0; i < object->vtable.n_properties; i++)
                write_property(writer, object, &object->vtable.properties[i]);
}

static void write_list(Writer *writer, const char *key, EachObject each)
{
        buffer_printf(writer->buffer, ",\"%s\":[", key);
        writer->any = false;
        for (const Object *object = writer->service->objects; object; object = object->hh.next)
                if (object->members && !is_described(object))
                        each(writer, object);
        buffer_append_char(writer->buffer, ']');
}

/* A detail of $state, or a default, both JSON. */
static const char *detail(const Service *service, const char *key, const char *otherwise)
{
        for (const Detail *at = service->details; at; at = at->next)
                if (!strcmp(at->key, key))
                        return at->value;
        return otherwise;
}

int discover_write(const Service *service, Buffer *buffer)
{
        Writer writer = {.buffer = buffer, .service = service};

        buffer_append_text(buffer, "{\"openrpc\":\"1.2.6\",\"info\":{");
        text(&writer, "title", service->name);
        buffer_printf(buffer, ",\"version\":%s", detail(service, "ver", "\"0\""));
        buffer_printf(buffer, ",\"description\":%s}", detail(service, "summary", "\"\""));
        write_list(&writer, "methods", each_method);
        write_list(&writer, "x-signals", each_signal);
        write_list(&writer, "x-properties", each_property);
        return buffer_append_char(buffer, '}');
}
