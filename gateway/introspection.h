/* SPDX-License-Identifier: MIT */
#pragma once

/* What a D-Bus object says about itself: introspection XML, parsed. The text comes from any service
 * on the bus, so it is taken with caution: its size, nesting and number of elements are limited, a
 * DOCTYPE is read over, entities cannot be declared, and a member with a bad name or type is left
 * out with a warning while the rest is used. Unknown elements and attributes are read over, as the
 * D-Bus specification wants it. Pure. */

#include <stdbool.h>
#include <stddef.h>

#include "common/diagnostics.h"
#include "common/hash.h"

typedef enum MemberKind {
        MEMBER_METHOD,
        MEMBER_PROPERTY,
        MEMBER_SIGNAL,
        MEMBER_KINDS, /* how many there are */
} MemberKind;

/* "method", "property", "signal". */
const char *member_kind_name(MemberKind kind);

typedef struct IntrospectionArg {
        char *name; /* owned; NULL if it has none */
        char *type; /* owned; one complete type, checked */
} IntrospectionArg;

typedef struct IntrospectionArgs {
        IntrospectionArg *items; /* owned */
        size_t count;
} IntrospectionArgs;

/* The annotation org.freedesktop.DBus.Property.EmitsChangedSignal. */
typedef enum EmitsChanged {
        EMITS_CHANGED_TRUE,
        EMITS_CHANGED_INVALIDATES,
        EMITS_CHANGED_CONST,
        EMITS_CHANGED_FALSE,
} EmitsChanged;

typedef struct IntrospectionMember {
        char *name; /* owned; a valid D-Bus member name */
        MemberKind kind;
        IntrospectionArgs in;  /* of a method */
        IntrospectionArgs out; /* of a method; a signal's arguments; a property's one value */
        bool deprecated;
        bool no_reply;
        bool readable; /* a property */
        bool writable;
        EmitsChanged emits_changed;
        bool emits_changed_set; /* it says so itself */
        UT_hash_handle hh;
} IntrospectionMember;

typedef struct IntrospectionInterface {
        unsigned n_refs;
        char *name;  /* owned; a valid interface name */
        bool nested; /* that of a node inside of the outermost one, which lacks it */
        bool deprecated;
        EmitsChanged emits_changed; /* for properties that do not say it themselves */
        IntrospectionMember *members[MEMBER_KINDS]; /* owned; hash tables by name, in order */
        UT_hash_handle hh;
} IntrospectionInterface;

typedef struct Introspection {
        char *path;                         /* owned; of the outermost node, if it says so */
        IntrospectionInterface *interfaces; /* a hash table by name; one reference each */
        char **children;                    /* owned; the names of direct child nodes */
        size_t n_children;
} Introspection;

/* Parses a document. `source` names it in the warnings, which go to `diagnostics`. Interfaces of
 * nested nodes are taken too unless an outer node has them, since a type belongs to its interface
 * wherever that is implemented. -EBADMSG: not XML, or not introspection; -E2BIG: a limit;
 * -ENOMEM. */
int introspection_parse(const char *text, size_t length, const char *source,
                        Diagnostics *diagnostics, Introspection **ret_introspection,
                        Error **ret_error);

/* Reads and parses a file. */
int introspection_load(const char *path, Diagnostics *diagnostics,
                       Introspection **ret_introspection, Error **ret_error);

/* Accepts NULL, returns NULL. */
Introspection *introspection_free(Introspection *introspection);

/* NULL if there is no such interface, or member. Borrowed. */
IntrospectionInterface *introspection_find(const Introspection *introspection, const char *name);
const IntrospectionMember *introspection_find_member(const IntrospectionInterface *interface,
                                                     MemberKind kind, const char *name);

IntrospectionInterface *introspection_interface_ref(IntrospectionInterface *interface);
IntrospectionInterface *introspection_interface_unref(IntrospectionInterface *interface);

DEFINE_CLEANUP(Introspection *, introspection_free, introspection_cleanup)
#define CLEANUP_INTROSPECTION CLEANUP(introspection_cleanup)
