/* SPDX-License-Identifier: MIT */

/* Introspection of a node. The mapping says what there is. Where a file of introspection is beside
 * it, that says how it is shown, so that who compares finds what the daemon used to say: names of
 * arguments, annotations, and the interfaces that every service has, of which each implementation
 * of D-Bus has its own idea. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/limits.h"
#include "gateway/facade.h"
#include "gateway/introspection-write.h"

#define INTROSPECTABLE "org.freedesktop.DBus.Introspectable"
#define OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"

static const char prologue[] =
        "<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\"\n"
        "\"https://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">\n"
        "<node>\n";

static const char peer[] = " <interface name=\"org.freedesktop.DBus.Peer\">\n"
                           "  <method name=\"Ping\"/>\n"
                           "  <method name=\"GetMachineId\">\n"
                           "   <arg type=\"s\" name=\"machine_uuid\" direction=\"out\"/>\n"
                           "  </method>\n"
                           " </interface>\n";

static const char introspectable[] = " <interface name=\"org.freedesktop.DBus.Introspectable\">\n"
                                     "  <method name=\"Introspect\">\n"
                                     "   <arg name=\"xml_data\" type=\"s\" direction=\"out\"/>\n"
                                     "  </method>\n"
                                     " </interface>\n";

static const char properties[] = " <interface name=\"org.freedesktop.DBus.Properties\">\n"
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

static const struct {
        const char *name;
        const char *text;
} standard[] = {
        {"org.freedesktop.DBus.Peer", peer},
        {INTROSPECTABLE, introspectable},
        {"org.freedesktop.DBus.Properties", properties},
        {OBJECT_MANAGER, object_manager},
};

/* ---- members ---- */

static void write_args(const CodecArgs *args, const IntrospectionArgs *seen, const char *direction,
                       Buffer *out)
{
        if (seen && seen->count != args->count)
                seen = NULL;
        for (size_t i = 0; i < args->count; i++) {
                const CodecArg *arg = &args->items[i];
                const char *name = arg->named ? arg->name : NULL;

                introspection_write_arg(seen ? seen->items[i].name : name,
                                        codec_type_signature(arg->type), direction,
                                        seen ? &seen->items[i].annotations : NULL, out);
        }
}

/* What `seen` says, but where the mapping says otherwise. */
static void write_annotations(const MappingMember *member, const IntrospectionMember *seen,
                              Buffer *out)
{
        const struct {
                const char *name;
                bool differs;
                const char *value;
        } own[] = {
                {ANNOTATION_NO_REPLY,
                 member->kind == MEMBER_METHOD && member->no_reply != (seen && seen->no_reply),
                 member->no_reply ? "true" : "false"},
                {ANNOTATION_DEPRECATED, member->deprecated != (seen && seen->deprecated), "true"},
                {ANNOTATION_EMITS_CHANGED,
                 member->kind == MEMBER_PROPERTY &&
                         member->emits_changed != (seen ? seen->emits_changed : EMITS_CHANGED_TRUE),
                 emits_changed_name(member->emits_changed)},
        };

        for (size_t i = 0; seen && i < seen->annotations.count; i++) {
                const IntrospectionAnnotation *annotation = &seen->annotations.items[i];
                bool replaced = false;

                for (size_t j = 0; j < ARRAY_SIZE(own); j++)
                        replaced = replaced ||
                                   (own[j].differs && !strcmp(own[j].name, annotation->name));
                if (!replaced)
                        introspection_write_annotation(annotation->name, annotation->value, out);
        }
        for (size_t j = 0; j < ARRAY_SIZE(own); j++)
                if (own[j].differs)
                        introspection_write_annotation(own[j].name, own[j].value, out);
}

static void write_member(const MappingMember *member, const IntrospectionMember *seen, Buffer *out)
{
        const char *kind = member_kind_name(member->kind);

        buffer_printf(out, "  <%s name=\"%s\"", kind, member->member);
        if (member->kind == MEMBER_PROPERTY)
                buffer_printf(out, " type=\"%s\" access=\"%s\"",
                              codec_type_signature(member->out.items[0].type),
                              introspection_access(member->readable, member->writable));
        buffer_append_text(out, ">\n");
        if (member->kind != MEMBER_PROPERTY) {
                write_args(&member->in, seen ? &seen->in : NULL, "in", out);
                write_args(&member->out, seen ? &seen->out : NULL,
                           member->kind == MEMBER_METHOD ? "out" : NULL, out);
        }
        write_annotations(member, seen, out);
        buffer_printf(out, "  </%s>\n", kind);
}

/* In the order of `seen`, and then what that has not. */
static void write_members(const MappingInterface *interface, MemberKind kind,
                          const IntrospectionInterface *seen, Buffer *out)
{
        const MappingMember *member;

        for (IntrospectionMember *s = seen ? seen->members[kind] : NULL; s; s = s->hh.next) {
                HASH_FIND(hh_dbus, interface->members[kind], s->name, strlen(s->name), member);
                if (member)
                        write_member(member, s, out);
        }
        for (member = interface->members[kind]; member; member = member->hh_dbus.next)
                if (!seen || !introspection_find_member(seen, kind, member->member))
                        write_member(member, NULL, out);
}

static void write_interface(const MappingInterface *interface, Buffer *out)
{
        const IntrospectionInterface *seen = interface->introspection;

        buffer_printf(out, " <interface name=\"%s\">\n", interface->name);
        if (seen)
                introspection_write_annotations(&seen->annotations, out);
        for (MemberKind kind = 0; kind < MEMBER_KINDS; kind++)
                write_members(interface, kind, seen, out);
        buffer_append_text(out, " </interface>\n");
}

/* ---- interfaces that every service has ---- */

/* A file that does not speak of Introspectable was not recorded from a service: it says nothing
 * about these. */
static bool says_standard(const Introspection *document)
{
        return document && introspection_find(document, INTROSPECTABLE);
}

/* What the file says of a node; NULL if nothing, or nothing that counts. */
static const IntrospectionNode *described(const Facade *facade, const char *path)
{
        const Introspection *document = facade->mapping->document;
        const IntrospectionNode *node;

        node = says_standard(document) ? introspection_find_node(document, path) : NULL;
        return node && introspection_describes(document, node) ? node : NULL;
}

static bool shows_standard(const Facade *facade, const char *path, const char *name)
{
        const Introspection *document = facade->mapping->document;
        const IntrospectionNode *node = described(facade, path);

        if (!strcmp(name, OBJECT_MANAGER))
                return facade->manager && !strcmp(facade->manager, path);
        if (node)
                return introspection_node_has(node, name);
        return !says_standard(document) || introspection_find(document, name);
}

static void write_standard(const Facade *facade, size_t index, Buffer *out)
{
        const Introspection *document = facade->mapping->document;
        const IntrospectionInterface *seen =
                document ? introspection_find(document, standard[index].name) : NULL;

        if (seen)
                introspection_write_interface(seen, out);
        else
                buffer_append_text(out, standard[index].text);
}

/* The interface of that name, if the node has it. */
static void write_named(const Facade *facade, const char *path, const char *name, Buffer *out)
{
        const FacadeObject *object = facade_object_find(facade, path);
        const MappingInterface *interface;

        for (size_t i = 0; i < ARRAY_SIZE(standard); i++)
                if (!strcmp(standard[i].name, name)) {
                        if (shows_standard(facade, path, name))
                                write_standard(facade, i, out);
                        return;
                }
        interface = object ? facade_object_interface(object, name) : NULL;
        if (interface)
                write_interface(interface, out);
}

/* In the order of the file, and then what that has not. */
static void write_interfaces(const Facade *facade, const char *path, Buffer *out)
{
        const IntrospectionNode *node = described(facade, path);
        const FacadeObject *object = facade_object_find(facade, path);

        for (size_t i = 0; node && i < node->n_interfaces; i++)
                write_named(facade, path, node->interfaces[i]->name, out);
        for (size_t i = 0; i < ARRAY_SIZE(standard); i++)
                if (!node || !introspection_node_has(node, standard[i].name))
                        write_named(facade, path, standard[i].name, out);
        for (const MappingInterface *i = object ? object->mapping->interfaces : NULL; i;
             i = i->hh.next)
                if (!node || !introspection_node_has(node, i->name))
                        write_named(facade, path, i->name, out);
}

/* ---- nodes ---- */

bool facade_node_exists(const Facade *facade, const char *path)
{
        if (!strcmp(path, "/") || facade_object_find(facade, path))
                return true;
        if (facade->manager &&
            (!strcmp(facade->manager, path) || introspection_below(path, facade->manager)))
                return true;
        for (const FacadeObject *o = facade->objects; o; o = o->hh.next)
                if (o->announced && introspection_below(path, o->path))
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

static void write_child(Child **children, Child *child, Buffer *out)
{
        buffer_printf(out, " <node name=\"%s\"/>\n", child->name);
        HASH_DEL(*children, child);
        free(child);
}

/* Those that the file has too, in its order: what is below a node comes right after it. */
static void write_described_children(const Facade *facade, const char *path, Child **children,
                                     Buffer *out)
{
        const Introspection *document = facade->mapping->document;
        const IntrospectionNode *node = described(facade, path);
        const char *rest;
        Child *child;

        for (const IntrospectionNode *n = node ? node + 1 : NULL;
             n && n < document->nodes + document->n_nodes; n++) {
                rest = introspection_below(node->path, n->path);
                if (!rest)
                        break;
                HASH_FIND(hh, *children, rest, strcspn(rest, "/"), child);
                if (child)
                        write_child(children, child, out);
        }
}

static int write_children(const Facade *facade, const char *path, Buffer *out)
{
        Child *children = NULL, *child, *next;
        int r;

        r = facade->manager ? add_child(&children, introspection_below(path, facade->manager)) : 0;
        for (const FacadeObject *o = facade->objects; o && r >= 0; o = o->hh.next)
                if (o->announced)
                        r = add_child(&children, introspection_below(path, o->path));
        write_described_children(facade, path, &children, out);
        HASH_SORT(children, by_name);
        HASH_ITER (hh, children, child, next)
                write_child(&children, child, out);
        return r;
}

int facade_introspect(const Facade *facade, const char *path, Buffer *buffer)
{
        int r;

        buffer_append_text(buffer, prologue);
        write_interfaces(facade, path, buffer);
        r = write_children(facade, path, buffer);
        if (r < 0)
                return r;
        buffer_append_text(buffer, "</node>\n");
        return buffer_status(buffer);
}
