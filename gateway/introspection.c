/* SPDX-License-Identifier: MIT */

/* The document as data: life and lookup. introspection-parse.c reads the XML. */

#include "gateway/introspection.h"

#include <errno.h>
#include <string.h>

#include "common/file.h"
#include "common/limits.h"
#include "gateway/introspection-internal.h"

const char *member_kind_name(MemberKind kind)
{
        static const char *const names[] = {"method", "property", "signal"};

        return names[kind];
}

const char *emits_changed_name(EmitsChanged emits)
{
        static const char *const names[] = {"true", "invalidates", "const", "false"};

        return names[emits];
}

/* ---- life ---- */

int introspection_annotations_add(IntrospectionAnnotations *annotations, const char *name,
                                  const char *value)
{
        IntrospectionAnnotation *items, item;

        items = reallocarray(annotations->items, annotations->count + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        annotations->items = items;
        item = (IntrospectionAnnotation){.name = strdup(name), .value = strdup(value)};
        if (item.name && item.value) {
                items[annotations->count++] = item;
                return 0;
        }
        free(item.name);
        free(item.value);
        return -ENOMEM;
}

static void annotations_done(IntrospectionAnnotations *annotations)
{
        for (size_t i = 0; i < annotations->count; i++) {
                free(annotations->items[i].name);
                free(annotations->items[i].value);
        }
        free(annotations->items);
}

static void args_done(IntrospectionArgs *args)
{
        for (size_t i = 0; i < args->count; i++) {
                free(args->items[i].name);
                free(args->items[i].type);
                annotations_done(&args->items[i].annotations);
        }
        free(args->items);
        *args = (IntrospectionArgs){};
}

IntrospectionMember *introspection_member_free(IntrospectionMember *member)
{
        if (!member)
                return NULL;
        args_done(&member->in);
        args_done(&member->out);
        annotations_done(&member->annotations);
        free(member->name);
        free(member);
        return NULL;
}

IntrospectionInterface *introspection_interface_ref(IntrospectionInterface *interface)
{
        interface->n_refs++;
        return interface;
}

IntrospectionInterface *introspection_interface_unref(IntrospectionInterface *interface)
{
        IntrospectionMember *member, *next;

        if (!interface || --interface->n_refs > 0)
                return NULL;
        for (MemberKind kind = 0; kind < MEMBER_KINDS; kind++) {
                HASH_ITER (hh, interface->members[kind], member, next) {
                        HASH_DEL(interface->members[kind], member);
                        introspection_member_free(member);
                }
        }
        annotations_done(&interface->annotations);
        free(interface->name);
        free(interface);
        return NULL;
}

int introspection_node_add(IntrospectionNode *node, IntrospectionInterface *interface)
{
        IntrospectionInterface **interfaces;

        interfaces = reallocarray(node->interfaces, node->n_interfaces + 1, sizeof(*interfaces));
        if (!interfaces)
                return -ENOMEM;
        node->interfaces = interfaces;
        interfaces[node->n_interfaces++] = introspection_interface_ref(interface);
        return 0;
}

static void nodes_free(Introspection *introspection)
{
        for (size_t i = 0; i < introspection->n_nodes; i++) {
                IntrospectionNode *node = &introspection->nodes[i];

                for (size_t j = 0; j < node->n_interfaces; j++)
                        introspection_interface_unref(node->interfaces[j]);
                free(node->interfaces);
                free(node->path);
        }
        free(introspection->nodes);
}

Introspection *introspection_free(Introspection *introspection)
{
        IntrospectionInterface *interface, *next;

        if (!introspection)
                return NULL;
        HASH_ITER (hh, introspection->interfaces, interface, next) {
                HASH_DEL(introspection->interfaces, interface);
                introspection_interface_unref(interface);
        }
        free(introspection->path);
        for (size_t i = 0; i < introspection->n_children; i++)
                free(introspection->children[i]);
        free(introspection->children);
        nodes_free(introspection);
        free(introspection);
        return NULL;
}

/* ---- lookup ---- */

const char *introspection_below(const char *path, const char *other)
{
        size_t length = strlen(path);

        if (length <= 1)
                return other[length] ? other + length : NULL;
        return !strncmp(other, path, length) && other[length] == '/' && other[length + 1]
                       ? other + length + 1
                       : NULL;
}

const IntrospectionNode *introspection_find_node(const Introspection *introspection,
                                                 const char *path)
{
        const char *rest;

        if (!introspection->path)
                return NULL;
        rest = !strcmp(path, introspection->path) ? ""
                                                  : introspection_below(introspection->path, path);
        for (size_t i = 0; rest && i < introspection->n_nodes; i++)
                if (!strcmp(introspection->nodes[i].path, rest))
                        return &introspection->nodes[i];
        return NULL;
}

/* What is below a node comes right after it. */
bool introspection_describes(const Introspection *introspection, const IntrospectionNode *node)
{
        const IntrospectionNode *end = introspection->nodes + introspection->n_nodes;

        return node->n_interfaces > 0 || !*node->path ||
               (node + 1 < end && introspection_below(node->path, node[1].path));
}

bool introspection_node_has(const IntrospectionNode *node, const char *interface)
{
        for (size_t i = 0; i < node->n_interfaces; i++)
                if (!strcmp(node->interfaces[i]->name, interface))
                        return true;
        return false;
}

IntrospectionInterface *introspection_find(const Introspection *introspection, const char *name)
{
        IntrospectionInterface *interface;

        HASH_FIND_STR(introspection->interfaces, name, interface);
        return interface;
}

const IntrospectionMember *introspection_find_member(const IntrospectionInterface *interface,
                                                     MemberKind kind, const char *name)
{
        IntrospectionMember *member;

        HASH_FIND_STR(interface->members[kind], name, member);
        return member;
}

int introspection_load(const char *path, Diagnostics *diagnostics,
                       Introspection **ret_introspection, Error **ret_error)
{
        CLEANUP_FREE char *text = NULL;
        size_t length = 0;
        int r;

        r = file_read(path, LIMIT_INTROSPECTION_BYTES, &text, &length, ret_error);
        if (r < 0)
                return r;
        return introspection_parse(text, length, path, diagnostics, ret_introspection, ret_error);
}
