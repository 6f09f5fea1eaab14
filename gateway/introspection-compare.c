/* SPDX-License-Identifier: MIT */

#include "gateway/introspection-compare.h"

#include <errno.h>
#include <string.h>

/* What is being written, and the place of it. */
typedef struct Writer {
        Facts *facts;
        Buffer where;
        Buffer what;
        int status;
} Writer;

/* Adds a fact of the place so far and of `last`, if there is more to say of it. */
static void add(Writer *writer, const char *last, const char *name)
{
        size_t length = writer->where.length;
        int r;

        if (last)
                buffer_printf(&writer->where, " %s%s%s", last, name ? " " : "", name ? name : "");
        r = buffer_status(&writer->where);
        if (r >= 0)
                r = buffer_status(&writer->what);
        if (r >= 0)
                r = facts_add(writer->facts, buffer_text(&writer->where),
                              buffer_text(&writer->what));
        if (r < 0 && writer->status == 0)
                writer->status = r;
        buffer_truncate(&writer->where, length);
        buffer_clear(&writer->what);
}

static void add_annotations(Writer *writer, const IntrospectionAnnotations *annotations)
{
        for (size_t i = 0; i < annotations->count; i++) {
                buffer_append_text(&writer->what, annotations->items[i].value);
                add(writer, "annotation", annotations->items[i].name);
        }
}

/* "in s name, u x": types and names in their order; annotations are facts of their own. */
static void write_args(Writer *writer, const IntrospectionArgs *args, const char *direction)
{
        for (size_t i = 0; i < args->count; i++)
                buffer_printf(&writer->what, "%s%s%s%s%s%s", writer->what.length > 0 ? ", " : "",
                              direction, *direction ? " " : "", args->items[i].type,
                              args->items[i].name ? " " : "",
                              args->items[i].name ? args->items[i].name : "");
}

static void add_arg_annotations(Writer *writer, const IntrospectionArgs *args, const char *list)
{
        size_t length = writer->where.length;

        for (size_t i = 0; i < args->count; i++) {
                buffer_printf(&writer->where, " %s %zu", list, i);
                add_annotations(writer, &args->items[i].annotations);
                buffer_truncate(&writer->where, length);
        }
}

static void add_member(Writer *writer, const IntrospectionMember *member)
{
        size_t length = writer->where.length;

        buffer_printf(&writer->where, " %s %s", member_kind_name(member->kind), member->name);
        switch (member->kind) {
        case MEMBER_METHOD:
                write_args(writer, &member->in, "in");
                write_args(writer, &member->out, "out");
                break;
        case MEMBER_SIGNAL: write_args(writer, &member->out, ""); break;
        case MEMBER_PROPERTY:
                buffer_printf(&writer->what, "%s %s%s", member->out.items[0].type,
                              member->readable ? "read" : "", member->writable ? "write" : "");
                break;
        case MEMBER_KINDS: break;
        }
        add(writer, NULL, NULL);
        add_annotations(writer, &member->annotations);
        add_arg_annotations(writer, &member->in, "in");
        add_arg_annotations(writer, &member->out, "out");
        buffer_truncate(&writer->where, length);
}

static void add_interface(Writer *writer, const IntrospectionInterface *interface)
{
        size_t length = writer->where.length;

        buffer_printf(&writer->where, " %s", interface->name);
        buffer_append_text(&writer->what, "interface");
        add(writer, NULL, NULL);
        add_annotations(writer, &interface->annotations);
        for (MemberKind kind = 0; kind < MEMBER_KINDS; kind++)
                for (IntrospectionMember *m = interface->members[kind]; m; m = m->hh.next)
                        add_member(writer, m);
        buffer_truncate(&writer->where, length);
}

typedef struct Child {
        UT_hash_handle hh;
        char name[];
} Child;

/* 1: it was not there. */
static int note_child(Child **children, const char *name, size_t length)
{
        Child *child;

        HASH_FIND(hh, *children, name, length, child);
        if (child)
                return 0;
        child = calloc(1, sizeof(*child) + length + 1);
        if (!child)
                return -ENOMEM;
        memcpy(child->name, name, length);
        HASH_ADD_KEYPTR(hh, *children, child->name, length, child);
        if (hash_added(child->hh))
                return 1;
        free(child);
        return -ENOMEM;
}

/* The names of nodes right below, once each: that of "a/b" too, which says that there is "a". */
static void add_children(Writer *writer, const Introspection *introspection,
                         const IntrospectionNode *node)
{
        Child *children = NULL, *child, *next;
        const char *rest;
        int r = 0;

        /* they come right after it */
        for (size_t i = (size_t)(node - introspection->nodes) + 1;
             i < introspection->n_nodes && r >= 0; i++) {
                rest = introspection_below(node->path, introspection->nodes[i].path);
                if (!rest)
                        break;
                r = note_child(&children, rest, strcspn(rest, "/"));
        }
        HASH_ITER (hh, children, child, next) {
                buffer_append_text(&writer->what, "node");
                add(writer, "node", child->name);
                HASH_DEL(children, child);
                free(child);
        }
        if (r < 0)
                writer->status = r;
}

int introspection_add_facts(const Introspection *introspection, const IntrospectionNode *node,
                            const char *path, Facts *facts)
{
        Writer writer = {.facts = facts, .where = BUFFER_INIT(0), .what = BUFFER_INIT(0)};

        buffer_append_text(&writer.where, path);
        for (size_t i = 0; i < node->n_interfaces; i++)
                add_interface(&writer, node->interfaces[i]);
        add_children(&writer, introspection, node);
        buffer_done(&writer.where);
        buffer_done(&writer.what);
        return writer.status;
}

int introspection_write_path(const char *home, const IntrospectionNode *node, Buffer *out)
{
        return buffer_printf(out, "%s%s%s", home[1] || !*node->path ? home : "",
                             *node->path ? "/" : "", node->path);
}

int introspection_add_all_facts(const Introspection *introspection, const char *path, Facts *facts)
{
        const char *home = introspection->path ? introspection->path : path;
        CLEANUP_BUFFER Buffer full = BUFFER_INIT(0);
        int r = 0;

        for (size_t i = 0; i < introspection->n_nodes && r >= 0; i++) {
                const IntrospectionNode *node = &introspection->nodes[i];

                if (!introspection_describes(introspection, node))
                        continue;
                buffer_clear(&full);
                r = introspection_write_path(home, node, &full);
                if (r >= 0)
                        r = introspection_add_facts(introspection, node, buffer_text(&full), facts);
        }
        return r;
}

int introspection_write_canonical(const Introspection *introspection, Buffer *out)
{
        CLEANUP_FACTS Facts facts = {};
        int r;

        if (introspection->n_nodes == 0)
                return 0;
        r = introspection_add_facts(introspection, &introspection->nodes[0], "", &facts);
        if (r < 0)
                return r;
        facts_sort(&facts);
        for (size_t i = 0; i < facts.count; i++)
                buffer_printf(out, "%s: %s\n", facts.items[i].where + 1, facts.items[i].what);
        return buffer_status(out);
}
