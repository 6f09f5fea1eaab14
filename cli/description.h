/* SPDX-License-Identifier: MIT */
#pragma once

/* The description of a service ($api, rpc.discover): an OpenRPC document, read for what people want
 * to know of its members. Members are told one by one. Pure. */

#include "common/json-scan.h"

typedef enum MemberKind {
        MEMBER_METHOD,
        MEMBER_SIGNAL,
        MEMBER_PROPERTY,
} MemberKind;

typedef struct Description {
        char *text; /* owned */
        JsonDoc doc;
} Description;

/* Texts are owned by it, NULL where nothing is said. */
typedef struct Member {
        MemberKind kind;
        char *name;
        char *object;    /* the one that it is described for */
        char *interface; /* NULL: none */
        char *signature; /* of the arguments, or of the property, as D-Bus signature; "" for none */
        char *result;    /* of a method */
        char *flags;     /* words with spaces between */
        uint32_t params; /* node of the list of arguments; 0: none */
} Member;

/* -EBADMSG if it is no description. The text is copied. */
int description_parse(Description *description, const char *text, size_t length);
void description_done(Description *description);
#define CLEANUP_DESCRIPTION CLEANUP(description_done)

/* Calls `visit` for all members until it returns a negative value, which is returned then. The
 * member is borrowed. */
typedef int (*DescriptionVisit)(const Description *description, const Member *member,
                                void *userdata);
int description_each(const Description *description, DescriptionVisit visit, void *userdata);

/* The bus name of a D-Bus service; owned by the caller, NULL if it is none. */
char *description_dbus_name(const Description *description);

/* True if any member is described for this object. */
bool description_has_object(const Description *description, const char *object);

/* Whether the member is one of `object`: it is described for it, or the object is not `described`
 * itself (description_has_object()) but has, by its $meta, the interface of the member. */
bool description_member_is_of(const Member *member, const char *object, bool described,
                              const JsonDoc *meta);
