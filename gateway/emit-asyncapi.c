/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/emit-json.h"
#include "gateway/emit.h"
#include "gateway/type-schema.h"

/* AsyncAPI 2 tells what a client may do with a channel: "publish" to it, or "subscribe". */

/* The parameters are the parts in braces. */
static void write_parameters(EmitJson *emit, const char *topic)
{
        if (!strchr(topic, '{'))
                return;
        emit_open(emit, "parameters", '{');
        for (const char *p = strchr(topic, '{'); p; p = strchr(p, '{')) {
                size_t length = strcspn(++p, "}");
                CLEANUP_FREE char *name = strndup(p, length);

                if (!name) {
                        emit->buffer->status = -ENOMEM;
                        return;
                }
                emit_open_flat(emit, name, '{');
                emit_raw(emit, "schema", "{\"type\":\"string\"}");
                emit_close(emit, '}');
        }
        emit_close(emit, '}');
}

static void write_tuple(EmitJson *emit, const char *key, const CodecArgs *args)
{
        emit_open(emit, key, '{');
        emit_string(emit, "type", "array");
        if (args->count > 0) {
                emit_open(emit, "items", '[');
                for (size_t i = 0; i < args->count; i++)
                        type_schema_write(emit, NULL, args->items[i].type);
                emit_close(emit, ']');
        }
        emit_integer(emit, "minItems", (int64_t)args->count);
        emit_integer(emit, "maxItems", (int64_t)args->count);
        emit_close(emit, '}');
}

/* What a request may have for parameters: all by position, or by name. */
static void write_params(EmitJson *emit, const CodecArgs *args)
{
        emit_open(emit, "params", '{');
        emit_open(emit, "anyOf", '[');
        write_tuple(emit, NULL, args);
        emit_open(emit, NULL, '{');
        emit_string(emit, "type", "object");
        emit_open(emit, "properties", '{');
        for (size_t i = 0; i < args->count; i++)
                type_schema_write(emit, args->items[i].name, args->items[i].type);
        emit_close(emit, '}');
        emit_close(emit, '}');
        emit_close(emit, ']');
        emit_close(emit, '}');
}

static void write_request(EmitJson *emit, const MappingMember *member)
{
        emit_string(emit, "type", "object");
        emit_open(emit, "properties", '{');
        emit_raw(emit, "jsonrpc", "{\"const\":\"2.0\"}");
        emit_raw(emit, "id", "{\"type\":[\"string\",\"number\"]}");
        if (member->typed)
                write_params(emit, &member->in);
        emit_close(emit, '}');
}

static void write_reply(EmitJson *emit, const MappingMember *member)
{
        const CodecArgs *out = &member->out;

        emit_string(emit, "type", "object");
        emit_open(emit, "properties", '{');
        emit_raw(emit, "jsonrpc", "{\"const\":\"2.0\"}");
        emit_raw(emit, "id", "{\"type\":[\"string\",\"number\",\"null\"]}");
        if (member->typed && out->count == 0)
                emit_raw(emit, "result", "{\"type\":\"null\"}");
        else if (member->typed && member->rule->result == 1)
                emit_raw(emit, "result", "{\"type\":\"object\"}");
        else if (member->typed && out->count == 1)
                type_schema_write(emit, "result", out->items[0].type);
        else if (member->typed)
                write_tuple(emit, "result", out);
        emit_raw(emit, "error", "{\"type\":\"object\",\"required\":[\"code\",\"message\"]}");
        emit_close(emit, '}');
}

static void write_signal(EmitJson *emit, const MappingMember *member)
{
        emit_string(emit, "type", "object");
        emit_open(emit, "properties", '{');
        emit_raw(emit, "jsonrpc", "{\"const\":\"2.0\"}");
        emit_open_flat(emit, "method", '{');
        emit_string(emit, "const", member->name);
        emit_close(emit, '}');
        if (member->typed)
                write_params(emit, &member->out);
        emit_close(emit, '}');
}

/* ---- channels ---- */

/* Opens the channel of a topic, up to the schema of its payload, which is the caller's to fill. */
static void open_channel(EmitJson *emit, const char *topic, const char *operation,
                         const MappingMember *member, const char *kind)
{
        CLEANUP_FREE char *name = NULL;

        emit_open(emit, topic, '{');
        write_parameters(emit, topic);
        emit_open(emit, operation, '{');
        if (member && member->rule->summary)
                emit_string(emit, "summary", member->rule->summary);
        emit_open(emit, "message", '{');
        if (asprintf(&name, "%s%s%s", member ? member->name : "", member ? " " : "", kind) < 0)
                name = NULL;
        emit_string(emit, "name", name ? name : kind);
        emit_string(emit, "contentType", "application/json");
        emit_open(emit, "payload", '{');
}

static void close_channel(EmitJson *emit)
{
        for (int i = 0; i < 4; i++)
                emit_close(emit, '}');
}

/* The topic of something of an object; NULL without memory. */
static char *make_topic(const EmitOptions *options, const MappingObject *object, const char *what,
                        const char *name, const char *end)
{
        char *topic;

        if (asprintf(&topic, "%s/%s/%s/%s%s%s", options->root, object->service->name, object->name,
                     what, name, end) < 0)
                return NULL;
        return topic;
}

static void add_method(EmitJson *emit, const EmitOptions *options, const MappingObject *object,
                       const MappingMember *member)
{
        CLEANUP_FREE char *call = make_topic(options, object, "call/", member->name, "/{caller}");
        CLEANUP_FREE char *reply =
                make_topic(options, object, "call/", member->name, "/{caller}/reply");

        if (!call || !reply) {
                emit->buffer->status = -ENOMEM;
                return;
        }
        open_channel(emit, call, "publish", member, "request");
        write_request(emit, member);
        close_channel(emit);
        if (member->no_reply)
                return;
        open_channel(emit, reply, "subscribe", member, "reply");
        write_reply(emit, member);
        close_channel(emit);
}

static void add_property(EmitJson *emit, const EmitOptions *options, const MappingObject *object,
                         const MappingMember *member)
{
        CLEANUP_FREE char *topic = make_topic(options, object, "prop/", member->name, "");

        if (!topic) {
                emit->buffer->status = -ENOMEM;
                return;
        }
        if (member->mask || !member->readable)
                return;
        open_channel(emit, topic, "subscribe", member, "value");
        if (member->typed) {
                emit_open(emit, "allOf", '[');
                type_schema_write(emit, NULL, member->out.items[0].type);
                emit_close(emit, ']');
        }
        close_channel(emit);
}

static void add_signal(EmitJson *emit, const EmitOptions *options, const MappingObject *object,
                       const MappingMember *member)
{
        CLEANUP_FREE char *topic = make_topic(options, object, "sig/", member->name, "");

        if (!topic) {
                emit->buffer->status = -ENOMEM;
                return;
        }
        open_channel(emit, topic, "subscribe", member, "signal");
        write_signal(emit, member);
        close_channel(emit);
}

static void add_object(EmitJson *emit, const EmitOptions *options, const MappingObject *object)
{
        CLEANUP_FREE char *meta = make_topic(options, object, "", "$meta", "");

        for (const MappingMember *m = object->members[MEMBER_METHOD]; m; m = m->hh.next)
                add_method(emit, options, object, m);
        for (const MappingMember *m = object->members[MEMBER_PROPERTY]; m; m = m->hh.next)
                add_property(emit, options, object, m);
        for (const MappingMember *m = object->members[MEMBER_SIGNAL]; m; m = m->hh.next)
                add_signal(emit, options, object, m);
        if (!meta) {
                emit->buffer->status = -ENOMEM;
                return;
        }
        open_channel(emit, meta, "subscribe", NULL, "object");
        emit_string(emit, "type", "object");
        emit_raw(emit, "required", "[\"interfaces\"]");
        close_channel(emit);
}

static void add_service(EmitJson *emit, const EmitOptions *options, const MappingService *service)
{
        static const char *const own[] = {"$state", "$api"};
        static const char *const required[] = {"[\"state\"]", "[\"openrpc\"]"};

        for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
                CLEANUP_FREE char *topic = NULL;

                if (asprintf(&topic, "%s/%s/%s", options->root, service->name, own[i]) < 0) {
                        topic = NULL;
                        emit->buffer->status = -ENOMEM;
                        return;
                }
                open_channel(emit, topic, "subscribe", NULL, i == 0 ? "presence" : "description");
                emit_string(emit, "type", "object");
                emit_raw(emit, "required", required[i]);
                close_channel(emit);
        }
        for (const MappingObject *o = service->objects; o; o = o->hh.next)
                add_object(emit, options, o);
}

int emit_asyncapi(const MappingSet *set, const EmitOptions *options, Buffer *buffer)
{
        const MappingService *first = set->services;
        EmitJson emit = EMIT_JSON(buffer, true);
        bool one = first && !first->hh.next;

        emit_open(&emit, NULL, '{');
        emit_string(&emit, "asyncapi", "2.6.0");
        emit_open(&emit, "info", '{');
        emit_string(&emit, "title", one ? first->name : options->root);
        emit_string(&emit, "version", "1.0.0");
        if (one && first->summary)
                emit_string(&emit, "description", first->summary);
        emit_close(&emit, '}');
        emit_string(&emit, "defaultContentType", "application/json");
        emit_open(&emit, "channels", '{');
        for (const MappingService *s = first; s; s = s->hh.next)
                add_service(&emit, options, s);
        emit_close(&emit, '}');
        emit_close(&emit, '}');
        buffer_append_char(buffer, '\n');
        return buffer_status(buffer);
}
