/* SPDX-License-Identifier: MIT */

#include "gateway/generate.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/json-write.h"
#include "common/limits.h"
#include "gateway/generate-access.h"
#include "gateway/name-family.h"
#include "gateway/path-template.h"

/* Names that are in use in an object, for one kind of members. */
typedef struct TakenName {
        char *name; /* owned */
        UT_hash_handle hh;
} TakenName;

typedef struct Writer {
        Buffer *out;
        TakenName *names[MEMBER_KINDS];
} Writer;

static void write_text(Writer *writer, const char *text)
{
        json_write_string(writer->out, text, strlen(text));
}

/* ---- names ---- */

char *generate_service_name(const char *bus_name)
{
        bool family = name_family_is(bus_name);
        CLEANUP_FREE char *whole = strndup(bus_name, strlen(bus_name) - (family ? 2 : 0));
        CLEANUP_FREE char *name = NULL;
        char *result;
        size_t length;

        if (!whole)
                return NULL;
        name = strdup(strrchr(whole, '.') ? strrchr(whole, '.') + 1 : whole);
        if (!name)
                return NULL;
        for (char *p = name; *p; p++)
                *p = (char)tolower((unsigned char)*p);
        length = strlen(name);
        while (length > 1 && isdigit((unsigned char)name[length - 1]))
                name[--length] = '\0';
        return asprintf(&result, "%s%s", name, family ? ".{name}" : "") < 0 ? NULL : result;
}

static void drop_names(Writer *writer)
{
        TakenName *taken, *next;

        for (MemberKind kind = 0; kind < MEMBER_KINDS; kind++)
                HASH_ITER (hh, writer->names[kind], taken, next) {
                        HASH_DEL(writer->names[kind], taken);
                        free(taken->name);
                        free(taken);
                }
}

/* True if the name was free, and is taken from now on. */
static bool take_name(Writer *writer, MemberKind kind, const char *name)
{
        TakenName *taken;

        HASH_FIND_STR(writer->names[kind], name, taken);
        if (taken)
                return false;
        taken = calloc(1, sizeof(*taken));
        if (taken)
                taken->name = strdup(name);
        if (taken && taken->name)
                HASH_ADD_KEYPTR(hh, writer->names[kind], taken->name, strlen(name), taken);
        if (taken && hash_added(taken->hh))
                return true;
        if (taken)
                free(taken->name);
        free(taken);
        writer->out->status = -ENOMEM;
        return true;
}

/* ---- members ---- */

/* Why a member is not mapped; NULL if it is. */
static const char *reason_against(const IntrospectionMember *member)
{
        if (member->deprecated)
                return "deprecated";
        for (size_t i = 0; i < member->in.count; i++)
                if (strchr(member->in.items[i].type, 'h'))
                        return "takes file descriptors, which cannot leave D-Bus";
        for (size_t i = 0; i < member->out.count; i++)
                if (strchr(member->out.items[i].type, 'h'))
                        return "carries file descriptors, which cannot leave D-Bus";
        return NULL;
}

static bool is_named_before(const IntrospectionArgs *args, size_t count, const char *name)
{
        for (size_t i = 0; i < count; i++)
                if (args->items[i].name && strcmp(args->items[i].name, name) == 0)
                        return true;
        return false;
}

static void write_args(Writer *writer, const char *key, const IntrospectionArgs *args)
{
        buffer_printf(writer->out, "\"%s\": [", key);
        for (size_t i = 0; i < args->count; i++) {
                const IntrospectionArg *arg = &args->items[i];
                CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);

                /* who repeats a name, or has none, is called by number, with more if that is taken
                 */
                if (arg->name && !is_named_before(args, i, arg->name))
                        buffer_append_text(&text, arg->name);
                else
                        buffer_printf(&text, "arg%zu", i);
                while (!arg->name && is_named_before(args, args->count, buffer_text(&text)))
                        buffer_append_char(&text, '_');
                buffer_printf(&text, ":%s", arg->type);
                buffer_append_text(writer->out, i > 0 ? ", " : "");
                write_text(writer, buffer_text(&text));
        }
        buffer_append_char(writer->out, ']');
}

static void write_method(Writer *writer, const IntrospectionMember *method)
{
        write_args(writer, "in", &method->in);
        buffer_append_text(writer->out, ", ");
        write_args(writer, "out", &method->out);
        buffer_printf(writer->out, ", \"access\": \"%s\"", guess_access(method));
        if (method->no_reply)
                buffer_append_text(writer->out, ", \"no_reply\": true");
}

static void write_property(Writer *writer, const IntrospectionMember *property)
{
        static const char *const emits[] = {"true", "invalidates", "const", "false"};

        buffer_append_text(writer->out, "\"type\": ");
        write_text(writer, property->out.items[0].type);
        if (property->writable)
                buffer_append_text(writer->out, ", \"writable\": true, \"access\": \"admin\"");
        if (property->emits_changed != EMITS_CHANGED_TRUE)
                buffer_printf(writer->out, ", \"emits_changed\": \"%s\"",
                              emits[property->emits_changed]);
}

/* Two interfaces of an object may have members of one name; the second gets a longer one. */
static void write_as(Writer *writer, const IntrospectionInterface *interface,
                     const IntrospectionMember *member)
{
        CLEANUP_BUFFER Buffer name = BUFFER_INIT(0);

        if (take_name(writer, member->kind, member->name))
                return;
        buffer_printf(&name, "%s.%s", interface->name, member->name);
        take_name(writer, member->kind, buffer_text(&name));
        buffer_append_text(writer->out, "\"as\": ");
        write_text(writer, buffer_text(&name));
        buffer_append_text(writer->out, ", ");
}

static void write_member(Writer *writer, const IntrospectionInterface *interface,
                         const IntrospectionMember *member, bool last)
{
        const char *reason = reason_against(member);

        if (reason) {
                buffer_printf(writer->out, "            // \"%s\": %s\n", member->name, reason);
                return;
        }
        buffer_printf(writer->out, "            \"%s\": { ", member->name);
        write_as(writer, interface, member);
        switch (member->kind) {
        case MEMBER_METHOD: write_method(writer, member); break;
        case MEMBER_PROPERTY: write_property(writer, member); break;
        case MEMBER_SIGNAL: write_args(writer, "args", &member->out); break;
        case MEMBER_KINDS: break;
        }
        buffer_printf(writer->out, " }%s%s\n", last ? "" : ",",
                      member->kind == MEMBER_PROPERTY &&
                                      member->emits_changed == EMITS_CHANGED_FALSE
                              ? " // does not tell of changes; \"poll_s\": 10 would look for them"
                              : "");
}

/* ---- interfaces ---- */

static unsigned count_mapped(const IntrospectionInterface *interface, MemberKind kind)
{
        unsigned count = 0;

        for (const IntrospectionMember *m = interface->members[kind]; m; m = m->hh.next)
                count += !reason_against(m);
        return count;
}

static bool has_members(const IntrospectionInterface *interface, MemberKind first)
{
        for (MemberKind kind = first; kind < MEMBER_KINDS; kind++)
                if (interface->members[kind])
                        return true;
        return false;
}

static void write_section(Writer *writer, const IntrospectionInterface *interface, MemberKind kind)
{
        static const char *const names[] = {"methods", "properties", "signals"};
        unsigned left = count_mapped(interface, kind);

        if (!interface->members[kind])
                return;
        buffer_printf(writer->out, "          \"%s\": {\n", names[kind]);
        for (const IntrospectionMember *m = interface->members[kind]; m; m = m->hh.next) {
                left -= !reason_against(m);
                write_member(writer, interface, m, left == 0);
        }
        buffer_printf(writer->out, "          }%s\n",
                      has_members(interface, (MemberKind)(kind + 1)) ? "," : "");
}

static void write_interface(Writer *writer, const IntrospectionInterface *interface, bool last)
{
        buffer_printf(writer->out, "        \"%s\": {", interface->name);
        if (has_members(interface, MEMBER_METHOD)) {
                buffer_append_char(writer->out, '\n');
                for (MemberKind kind = 0; kind < MEMBER_KINDS; kind++)
                        write_section(writer, interface, kind);
                buffer_append_text(writer->out, "        ");
        }
        buffer_printf(writer->out, "}%s\n", last ? "" : ",");
}

/* ---- objects ---- */

/* Where the default name will not do, the one that paths outside of the service's own have. */
static void write_object_name(Writer *writer, const char *bus_name, const char *path)
{
        CLEANUP_FREE char *home = strndup(bus_name, strlen(bus_name) - 2);
        CLEANUP_FREE char *name = NULL, *text = NULL;
        bool family = name_family_is(bus_name);

        if (!path_template_is(path) ||
            path_template_default_name(family && home ? home : bus_name, path, &name, NULL) >= 0)
                return;
        text = strdup(path);
        if (!text)
                return;
        for (char *p = text; *p; p++)
                if (*p == '/')
                        *p = '.';
        buffer_append_text(writer->out, "      \"object\": ");
        write_text(writer, text);
        buffer_append_text(writer->out, ",\n");
}

static void write_object(Writer *writer, const char *bus_name, const DraftObject *object, bool last)
{
        size_t left = 0;

        buffer_append_text(writer->out, "    {\n      \"path\": ");
        write_text(writer, object->path);
        buffer_append_text(writer->out, ",");
        if (path_template_is(object->path) && object->n_objects > 0)
                buffer_printf(writer->out, " // %zu when this was written", object->n_objects);
        buffer_append_char(writer->out, '\n');
        write_object_name(writer, bus_name, object->path);
        buffer_append_text(writer->out, "      \"interfaces\": {\n");
        for (size_t i = 0; i < object->n_interfaces; i++)
                left += !object->interfaces[i]->deprecated;
        for (size_t i = 0; i < object->n_interfaces; i++) {
                if (object->interfaces[i]->deprecated)
                        buffer_printf(writer->out, "        // \"%s\": deprecated\n",
                                      object->interfaces[i]->name);
                else
                        write_interface(writer, object->interfaces[i], --left == 0);
        }
        buffer_printf(writer->out, "      }\n    }%s\n", last ? "" : ",");
        drop_names(writer);
}

int generate_write(const GenerateOptions *options, const Survey *survey, const Draft *draft,
                   Buffer *buffer)
{
        CLEANUP_FREE char *suggested = generate_service_name(options->bus_name);
        Writer writer = {.out = buffer};

        if (!suggested)
                return -ENOMEM;
        buffer_append_text(buffer,
                           "// Written by dbus-mqtt-gateway generate from what the service says of "
                           "itself. The access\n// classes are guesses by the names of methods: go "
                           "over them before use.\n{\n  \"$schema\": \"mapping.schema.json\",\n  "
                           "\"service\": ");
        write_text(&writer, options->service ? options->service : suggested);
        buffer_append_text(buffer, ",\n  \"dbus\": { ");
        if (options->bus) {
                buffer_append_text(buffer, "\"bus\": ");
                write_text(&writer, options->bus);
                buffer_append_text(buffer, ", ");
        }
        buffer_append_text(buffer, "\"name\": ");
        write_text(&writer, options->bus_name);
        if (survey->object_manager) {
                buffer_append_text(buffer, ", \"object_manager\": ");
                write_text(&writer, survey->object_manager);
        }
        buffer_append_text(buffer, " },\n  \"objects\": [\n");
        for (size_t i = 0; i < draft->count; i++)
                write_object(&writer, options->bus_name, &draft->items[i], i + 1 == draft->count);
        if (draft->n_left_out > 0)
                buffer_printf(buffer, "    // %zu more kinds of objects are left out\n",
                              draft->n_left_out);
        buffer_append_text(buffer, "  ]\n}\n");
        return buffer_status(buffer);
}
