/* SPDX-License-Identifier: MIT */
#pragma once

/* Topics of the protocol (section 2): what is a valid name, what a topic means, and which reply
 * address a Response Topic may name (section 4). Pure: no copies, no allocation but in a Buffer. */

#include <stdbool.h>
#include <string.h>

#include "common/buffer.h"

/* A piece of a longer text; not NUL-terminated. */
typedef struct TextSpan {
        const char *at;
        size_t length;
} TextSpan;

typedef enum TopicKind {
        TOPIC_CALL,       /* {root}/{svc}/{obj}/call/{method}/{caller} */
        TOPIC_CALL_REPLY, /* … /{token} */
        TOPIC_RPC,        /* {root}/{svc}/{obj}/rpc/{caller} */
        TOPIC_RPC_REPLY,  /* … /{token} */
        TOPIC_SIGNAL,     /* {root}/{svc}/{obj}/sig/{signal} */
        TOPIC_PROPERTY,   /* {root}/{svc}/{obj}/prop/{prop} */
        TOPIC_META,       /* {root}/{svc}/{obj}/$meta */
        TOPIC_STATE,      /* {root}/{svc}/$state */
        TOPIC_API,        /* {root}/{svc}/$api */
} TopicKind;

/* What a kind does not have is empty. */
typedef struct Topic {
        TopicKind kind;
        TextSpan service;
        TextSpan object;
        TextSpan method;
        TextSpan caller;
        TextSpan token;
        TextSpan name; /* of a signal or property */
} Topic;

/* [A-Za-z0-9_.-]{1,255}: services, methods, callers, tokens. */
bool topic_name_is_valid(const char *name, size_t length);
/* The same alphabet, up to 1,024: objects. */
bool topic_object_is_valid(const char *object, size_t length);
/* Levels of 1 or more characters without wildcards, '$' or control characters, up to 255 bytes. */
bool topic_root_is_valid(const char *root);

/* Takes a topic apart; the spans point into it. -EINVAL if it is none of the kinds above or a level
 * breaks the grammar. */
int topic_parse(const char *root, const char *topic, Topic *ret_topic);

/* Appends {root}/{service}/{object}/call/{method}/{caller}. */
int topic_write_call(Buffer *buffer, const char *root, const char *service, const char *object,
                     const char *method, const char *caller);
/* Appends {root}/{service}/{object}/{sig|prop}/{name}, or …/$meta, or
 * {root}/{service}/{$state|$api} for the kinds TOPIC_SIGNAL to TOPIC_API; what a kind does not have
 * is not looked at. The levels may be "+", which makes a filter. */
int topic_write(Buffer *buffer, TopicKind kind, const char *root, const char *service,
                const char *object, const char *name);

static inline bool text_span_is(TextSpan span, const char *text)
{
        return span.length == strlen(text) && !memcmp(span.at, text, span.length);
}

/* The reply address rule: from {service} on, `response_topic` must be `request_topic` (likewise)
 * plus one level that is a name; what is in front may differ, as after a bridge. `request` are the
 * parts of request_topic. Returns 0 and the token, which points into response_topic, or -EPERM. */
int topic_reply_token(const Topic *request, const char *request_topic, const char *response_topic,
                      size_t response_length, TextSpan *ret_token);
