/* SPDX-License-Identifier: MIT */

/* Introspection of a node, from the mapping. Nothing that is written needs escapes: D-Bus names and
 * types have no characters that are special in XML, and names of arguments are checked. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/limits.h"
#include "gateway/facade.h"

#define DEPRECATED "org.freedesktop.DBus.Deprecated"
#define NO_REPLY   "org.freedesktop.DBus.Method.NoReply"
#define EMITS      "org.freedesktop.DBus.Property.EmitsChangedSignal"

static const char prologue[] =
        "<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\"\n"
        "\"https://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">\n"
        "<node>\n"
        " <interface name=\"org.freedesktop.DBus.Peer\">\n"
        "  <method name=\"Ping\"/>\n"
        "  <method name=\"GetMachineId\">\n"
        "   <arg type=\"s\" name=\"machine_uuid\" direction=\"out\"/>\n"
        "  </method>\n"
        " </interface>\n"
        " <interface name=\"org.freedesktop.DBus.Introspectable\">\n"
        "  <method name=\"Introspect\">\n"
        "   <arg name=\"xml_data\" type=\"s\" direction=\"out\"/>\n"
        "  </method>\n"
        " </interface>\n"
        " <interface name=\"org.freedesktop.DBus.Properties\">\n"
        "  <method name=\"Get\">\n"
        "   <arg name=\"interface_name\" direction=\"in\" type=\"s\"/>\n"
        "   <arg name=\"property_name\" direction=\"in\" type=\"s\"/>\n"
        "   <arg name=\"value\" direction=\"out\" type=\"v\"/>\n"
        "  </method>\n"
        "  <method name=\"GetAll\">\n"
        "   <arg name=\"interface_name\" direction=\"in\" type=\"s\"/>\n"
        "   <arg name=\"props\" direction=\"out\" type=\"a{sv}\"/>\n"
        "  </method>\n"
        "  <method name=\"Set\">\n"
        "   <arg name=\"interface_name\" direction=\"in\" type=\"s\"/>\n"
        "   <arg name=\"property_name\" direction=\"in\" type=\"s\"/>\n"
        "   <arg name=\"value\" direction=\"in\" type=\"v\"/>\n"
        "  </method>\n"
        "  <signal name=\"PropertiesChanged\">\n"
        "   <arg type=\"s\" name=\"interface_name\"/>\n"
        "   <arg type=\"a{sv}\" name=\"changed_properties\"/>\n"
        "   <arg type=\"as\" name=\"invalidated_properties\"/>\n"
        "  </signal>\n"
        " </interface>\n";

static const char object_manager[] =
        " <interface name=\"org.freedesktop.DBus.ObjectManager\">\n"
        "  <method name=\"GetManagedObjects\">\n"
        "   <arg type=\"a{oa{sa{sv}}}\" name=\"object_paths_interfaces_and_properties\" "
        "direction=\"out\"/>\n"
        "  </method>\n"
        "  <signal name=\"InterfacesAdded\">\n"
        "   <arg type=\"o\" name=\"object_path\"/>\n"
        "   <arg type=\"a{sa{sv}}\" name=\"interfaces_and_properties\"/>\n"
        "  </signal>\n"
        "  <signal name=\"InterfacesRemoved\">\n"
        "   <arg type=\"o\" name=\"object_path\"/>\n"
        "   <arg type=\"as\" name=\"interfaces\"/>\n"
        "  </signal>\n"
        " </interface>\n";

/* ---- members ---- */

static void write_annotation(Buffer *out, const char *name, const char *value)
{
        buffer_printf(out, "   <annotation name=\"%s\" value=\"%s\"/>\n", name, value);
}

/* Whether the name is one that the codec gives to what has none. */
static bool is_made_up(const char *name, size_t index)
{
        char text[24];

        snprintf(text, sizeof(text), "arg%zu", index);
        return strcmp(name, text) == 0;
}

/* Names come from files and may be any text. */
static void write_escaped(Buffer *out, const char *text)
{
        for (; *text; text++)
                switch (*text) {
                case '<': buffer_append_text(out, "&lt;"); break;
                case '&': buffer_append_text(out, "&amp;"); break;
                case '"': buffer_append_text(out, "&quot;"); break;
                default: buffer_append_char(out, *text);
                }
}

static void write_args(Buffer *out, const CodecArgs *args, const char *direction)
{
        for (size_t i = 0; i < args->count; i++) {
                const CodecArg *arg = &args->items[i];

                buffer_printf(out, "   <arg type=\"%s\"", codec_type_signature(arg->type));
                if (!is_made_up(arg->name, i)) {
                        buffer_append_text(out, " name=\"");
                        write_escaped(out, arg->name);
                        buffer_append_text(out, "\"");
                }
                if (direction)
                        buffer_printf(out, " direction=\"%s\"", direction);
                buffer_append_text(out, "/>\n");
        }
}

static void write_property(Buffer *out, const MappingMember *member)
{
        static const char *const words[] = {
                [EMITS_CHANGED_INVALIDATES] = "invalidates",
                [EMITS_CHANGED_CONST] = "const",
                [EMITS_CHANGED_FALSE] = "false",
        };
        const char *access = !member->readable ? "write" : member->writable ? "readwrite" : "read";

        buffer_printf(out, "  <property name=\"%s\" type=\"%s\" access=\"%s\">\n", member->member,
                      codec_type_signature(member->out.items[0].type), access);
        if (member->emits_changed != EMITS_CHANGED_TRUE)
                write_annotation(out, EMITS, words[member->emits_changed]);
        if (member->deprecated)
                write_annotation(out, DEPRECATED, "true");
        buffer_append_text(out, "  </property>\n");
}

static void write_member(Buffer *out, const MappingMember *member)
{
        if (member->kind == MEMBER_PROPERTY) {
                write_property(out, member);
                return;
        }
        buffer_printf(out, "  <%s name=\"%s\">\n", member_kind_name(member->kind), member->member);
        write_args(out, &member->in, "in");
        write_args(out, &member->out, member->kind == MEMBER_METHOD ? "out" : NULL);
        if (member->no_reply)
                write_annotation(out, NO_REPLY, "true");
        if (member->deprecated)
                write_annotation(out, DEPRECATED, "true");
        buffer_printf(out, "  </%s>\n", member_kind_name(member->kind));
}

static void write_interface(Buffer *out, const MappingInterface *interface)
{
        buffer_printf(out, " <interface name=\"%s\">\n", interface->name);
        if (interface->introspection && interface->introspection->deprecated)
                write_annotation(out, DEPRECATED, "true");
        for (MemberKind kind = 0; kind < MEMBER_KINDS; kind++)
                for (const MappingMember *m = interface->members[kind]; m; m = m->hh_dbus.next)
                        write_member(out, m);
        buffer_append_text(out, " </interface>\n");
}

/* ---- nodes ---- */

/* What follows `path` in a path below it; NULL if that is not below. */
static const char *below(const char *path, const char *other)
{
        size_t length = strlen(path);

        if (length == 1)
                return other[1] ? other + 1 : NULL;
        return !strncmp(other, path, length) && other[length] == '/' ? other + length + 1 : NULL;
}

bool facade_node_exists(const Facade *facade, const char *path)
{
        if (!strcmp(path, "/") || facade_object_find(facade, path))
                return true;
        if (facade->manager && (!strcmp(facade->manager, path) || below(path, facade->manager)))
                return true;
        for (const FacadeObject *o = facade->objects; o; o = o->hh.next)
                if (o->announced && below(path, o->path))
                        return true;
        return false;
}

typedef struct Child {
        UT_hash_handle hh;
        char name[];
} Child;

static int add_child(Child **children, const char *rest)
{
        size_t length;
        Child *child;

        if (!rest)
                return 0;
        length = strcspn(rest, "/");
        HASH_FIND(hh, *children, rest, length, child);
        if (child)
                return 0;
        child = calloc(1, sizeof(*child) + length + 1);
        if (!child)
                return -ENOMEM;
        memcpy(child->name, rest, length);
        HASH_ADD_KEYPTR(hh, *children, child->name, length, child);
        if (hash_added(child->hh))
                return 0;
        free(child);
        return -ENOMEM;
}

static int by_name(Child *a, Child *b)
{
        return strcmp(a->name, b->name);
}

static int write_children(const Facade *facade, const char *path, Buffer *out)
{
        Child *children = NULL, *child, *next;
        int r;

        r = facade->manager ? add_child(&children, below(path, facade->manager)) : 0;
        for (const FacadeObject *o = facade->objects; o && r >= 0; o = o->hh.next)
                if (o->announced)
                        r = add_child(&children, below(path, o->path));
        HASH_SORT(children, by_name);
        HASH_ITER (hh, children, child, next) {
                buffer_printf(out, " <node name=\"%s\"/>\n", child->name);
                HASH_DEL(children, child);
                free(child);
        }
        return r;
}

int facade_introspect(const Facade *facade, const char *path, Buffer *buffer)
{
        const FacadeObject *object = facade_object_find(facade, path);
        int r;

        buffer_append_text(buffer, prologue);
        if (facade->manager && !strcmp(facade->manager, path))
                buffer_append_text(buffer, object_manager);
        for (const MappingInterface *i = object ? object->mapping->interfaces : NULL; i;
             i = i->hh.next)
                if (facade_object_has(object, i))
                        write_interface(buffer, i);
        r = write_children(facade, path, buffer);
        if (r < 0)
                return r;
        buffer_append_text(buffer, "</node>\n");
        return buffer_status(buffer);
}
