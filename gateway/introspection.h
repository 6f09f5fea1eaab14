/* SPDX-License-Identifier: MIT */
#pragma once

/* What a D-Bus object says about itself: introspection XML, parsed. The text comes from any service
 * on the bus, so it is taken with caution: its size, nesting and number of elements are limited, a
 * DOCTYPE is read over, entities cannot be declared, and a member with a bad name or type is left
 * out with a warning while the rest is used. Unknown elements and attributes are read over, as the
 * D-Bus specification wants it; annotations are kept, whatever they say, up to a number. Pure. */

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

/* As it stands in the document. */
typedef struct IntrospectionAnnotation {
        char *name;  /* owned; any text */
        char *value; /* owned; any text */
} IntrospectionAnnotation;

typedef struct IntrospectionAnnotations {
        IntrospectionAnnotation *items; /* owned */
        size_t count;
} IntrospectionAnnotations;

/* Those that say something to the gateway. */
#define ANNOTATION_DEPRECATED    "org.freedesktop.DBus.Deprecated"
#define ANNOTATION_NO_REPLY      "org.freedesktop.DBus.Method.NoReply"
#define ANNOTATION_EMITS_CHANGED "org.freedesktop.DBus.Property.EmitsChangedSignal"

typedef struct IntrospectionArg {
        char *name; /* owned; NULL if it has none */
        char *type; /* owned; one complete type, checked */
        IntrospectionAnnotations annotations;
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

/* "true", "invalidates", "const", "false". */
const char *emits_changed_name(EmitsChanged emits);

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
        bool emits_changed_set;               /* it says so itself */
        IntrospectionAnnotations annotations; /* all of them */
        UT_hash_handle hh;
} IntrospectionMember;

typedef struct IntrospectionInterface {
        unsigned n_refs;
        char *name;  /* owned; a valid interface name */
        bool nested; /* that of a node inside of the outermost one, which lacks it */
        bool deprecated;
        EmitsChanged emits_changed;           /* for properties that do not say it themselves */
        IntrospectionAnnotations annotations; /* all of them */
        IntrospectionMember *members[MEMBER_KINDS]; /* owned; hash tables by name, in order */
        UT_hash_handle hh;
} IntrospectionInterface;

/* A node with a usable name, of whatever depth. */
typedef struct IntrospectionNode {
        char *path; /* owned; below the outermost node, "" of that itself, "a/b" of others */
        IntrospectionInterface **interfaces; /* owned array; a reference each */
        size_t n_interfaces;
} IntrospectionNode;

typedef struct Introspection {
        char *path;                         /* owned; of the outermost node, if it says so */
        IntrospectionInterface *interfaces; /* a hash table by name; one reference each */
        char **children;                    /* owned; the names of direct child nodes */
        size_t n_children;
        IntrospectionNode
                *nodes; /* owned; each before those below it; at least the outermost one */
        size_t n_nodes;
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

/* What follows `path` in a path below it, with both "" and "/" for the top; NULL if it is not
 * below.
 */
const char *introspection_below(const char *path, const char *other);
/* A node by its path; of the outermost one, whose name then says where it is, NULL if there is none
 * or the document does not say. Borrowed. */
const IntrospectionNode *introspection_find_node(const Introspection *introspection,
                                                 const char *path);
/* Whether the document says what is at the node, and not only that there is one. */
bool introspection_describes(const Introspection *introspection, const IntrospectionNode *node);
bool introspection_node_has(const IntrospectionNode *node, const char *interface);

/* NULL if there is no such interface, or member. Borrowed. */
IntrospectionInterface *introspection_find(const Introspection *introspection, const char *name);
const IntrospectionMember *introspection_find_member(const IntrospectionInterface *interface,
                                                     MemberKind kind, const char *name);

IntrospectionInterface *introspection_interface_ref(IntrospectionInterface *interface);
IntrospectionInterface *introspection_interface_unref(IntrospectionInterface *interface);

DEFINE_CLEANUP(Introspection *, introspection_free, introspection_cleanup)
#define CLEANUP_INTROSPECTION CLEANUP(introspection_cleanup)
