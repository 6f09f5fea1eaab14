/* SPDX-License-Identifier: MIT */

#include "gateway/openrpc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/type-schema.h"

#define OPENRPC_VERSION "1.3.2"

/* "1.0.0" says nothing: the D-Bus service has no version that a mapping would know. */
#define DOCUMENT_VERSION "1.0.0"

/* An object cannot have a '/' in its name, so this is nobody else's. NULL without memory. */
static char *dup_full_name(const MappingObject *object, const MappingMember *member)
{
        char *name;

        if (strcmp(object->name, "-") == 0)
                return strdup(member->name);
        return asprintf(&name, "%s/%s", object->name, member->name) < 0 ? NULL : name;
}

static void write_name(EmitJson *emit, const MappingObject *object, const MappingMember *member)
{
        CLEANUP_FREE char *name = dup_full_name(object, member);

        if (name)
                emit_string(emit, "name", name);
        else
                emit->buffer->status = -ENOMEM;
}

/* What all members have. */
static void write_common(EmitJson *emit, const MappingObject *object, const MappingMember *member)
{
        if (member->rule->summary)
                emit_string(emit, "summary", member->rule->summary);
        if (member->deprecated)
                emit_boolean(emit, "deprecated", true);
        emit_string(emit, "x-object", object->name);
        emit_string(emit, "x-interface", member->interface);
        emit_string(emit, "x-access", member->access);
        if (member->mask)
                emit_boolean(emit, "x-mask", true);
}

static void write_descriptor(EmitJson *emit, const char *key, const CodecArg *arg)
{
        emit_open_flat(emit, key, '{');
        emit_string(emit, "name", arg->name);
        emit_boolean(emit, "required", true);
        type_schema_write(emit, "schema", arg->type);
        emit_close(emit, '}');
}

void openrpc_write_params(EmitJson *emit, const char *key, const CodecArgs *args)
{
        emit_open(emit, key, '[');
        for (size_t i = 0; i < args->count; i++)
                write_descriptor(emit, NULL, &args->items[i]);
        emit_close(emit, ']');
}

/* Several results are an array, or an object by their names. */
static void write_results(EmitJson *emit, const CodecArgs *out, bool as_object)
{
        emit_open(emit, "schema", '{');
        emit_string(emit, "type", as_object ? "object" : "array");
        emit_open(emit, as_object ? "properties" : "items", as_object ? '{' : '[');
        for (size_t i = 0; i < out->count; i++)
                type_schema_write(emit, as_object ? out->items[i].name : NULL, out->items[i].type);
        emit_close(emit, as_object ? '}' : ']');
        if (!as_object) {
                emit_integer(emit, "minItems", (int64_t)out->count);
                emit_integer(emit, "maxItems", (int64_t)out->count);
        }
        emit_close(emit, '}');
}

static void write_result(EmitJson *emit, const MappingMember *member)
{
        const CodecArgs *out = &member->out;
        bool as_object = member->rule->result == 1;

        emit_open(emit, "result", '{');
        emit_string(emit, "name", out->count == 1 ? out->items[0].name : "result");
        if (!member->typed)
                emit_raw(emit, "schema", "{}");
        else if (out->count == 0)
                emit_raw(emit, "schema", "{\"type\":\"null\"}");
        else if (out->count == 1 && !as_object)
                type_schema_write(emit, "schema", out->items[0].type);
        else
                write_results(emit, out, as_object);
        emit_close(emit, '}');
}

static void write_method(EmitJson *emit, const MappingObject *object, const MappingMember *member)
{
        emit_open(emit, NULL, '{');
        write_name(emit, object, member);
        write_common(emit, object, member);
        emit_string(emit, "x-method", member->name);
        if (member->rule->idempotent)
                emit_boolean(emit, "x-idempotent", true);
        emit_string(emit, "paramStructure", "either");
        openrpc_write_params(emit, "params", &member->in);
        if (!member->no_reply)
                write_result(emit, member);
        emit_close(emit, '}');
}

static void write_signal(EmitJson *emit, const MappingObject *object, const MappingMember *member)
{
        emit_open(emit, NULL, '{');
        emit_string(emit, "name", member->name);
        write_common(emit, object, member);
        emit_integer(emit, "x-qos", member->rule->qos);
        openrpc_write_params(emit, "params", &member->out);
        emit_close(emit, '}');
}

static void write_property(EmitJson *emit, const MappingObject *object, const MappingMember *member)
{
        static const char *const emits[] = {"true", "invalidates", "const", "false"};

        emit_open(emit, NULL, '{');
        emit_string(emit, "name", member->name);
        write_common(emit, object, member);
        emit_boolean(emit, "readable", member->readable);
        emit_boolean(emit, "writable", member->writable);
        emit_boolean(emit, "retain", member->rule->retain != 0);
        emit_string(emit, "x-emits-changed", emits[member->emits_changed]);
        if (member->typed)
                type_schema_write(emit, "schema", member->out.items[0].type);
        emit_close(emit, '}');
}

static void write_members(EmitJson *emit, const char *key, const MappingService *service,
                          MemberKind kind,
                          void (*write)(EmitJson *emit, const MappingObject *object,
                                        const MappingMember *member))
{
        emit_open(emit, key, '[');
        for (const MappingObject *o = service->objects; o; o = o->hh.next)
                for (const MappingMember *m = o->members[kind]; m; m = m->hh.next)
                        write(emit, o, m);
        emit_close(emit, ']');
}

static void write_objects(EmitJson *emit, const MappingService *service)
{
        emit_open(emit, "x-objects", '[');
        for (const MappingObject *o = service->objects; o; o = o->hh.next) {
                emit_open(emit, NULL, '{');
                emit_string(emit, "name", o->name);
                emit_string(emit, "x-path", o->path);
                emit_open_flat(emit, "interfaces", '[');
                for (const MappingInterface *i = o->interfaces; i; i = i->hh.next)
                        emit_string(emit, NULL, i->name);
                emit_close(emit, ']');
                emit_close(emit, '}');
        }
        emit_close(emit, ']');
}

int openrpc_write(const MappingService *service, const char *name, bool pretty, Buffer *buffer)
{
        EmitJson emit = EMIT_JSON(buffer, pretty);

        emit_open(&emit, NULL, '{');
        emit_string(&emit, "openrpc", OPENRPC_VERSION);
        emit_open(&emit, "info", '{');
        emit_string(&emit, "title", name ? name : service->name);
        emit_string(&emit, "version", DOCUMENT_VERSION);
        if (service->summary)
                emit_string(&emit, "description", service->summary);
        emit_close(&emit, '}');
        emit_string(&emit, "x-dbus-name", service->bus_name);
        write_members(&emit, "methods", service, MEMBER_METHOD, write_method);
        write_members(&emit, "x-signals", service, MEMBER_SIGNAL, write_signal);
        write_members(&emit, "x-properties", service, MEMBER_PROPERTY, write_property);
        write_objects(&emit, service);
        emit_close(&emit, '}');
        if (pretty)
                buffer_append_char(buffer, '\n');
        return buffer_status(buffer);
}
