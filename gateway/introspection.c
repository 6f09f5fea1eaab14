/* SPDX-License-Identifier: MIT */

/* The document as data: life and lookup. introspection-parse.c reads the XML. */

#include "gateway/introspection.h"

#include "common/file.h"
#include "common/limits.h"
#include "gateway/introspection-internal.h"

const char *member_kind_name(MemberKind kind)
{
        static const char *const names[] = {"method", "property", "signal"};

        return names[kind];
}

static void args_done(IntrospectionArgs *args)
{
        for (size_t i = 0; i < args->count; i++) {
                free(args->items[i].name);
                free(args->items[i].type);
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
        free(interface->name);
        free(interface);
        return NULL;
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
        free(introspection);
        return NULL;
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
