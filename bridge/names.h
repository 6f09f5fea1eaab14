/* SPDX-License-Identifier: MIT */
#pragma once

/* Names and topics of the protocol (section 2) as the bridge needs them: what may be in a policy,
 * and what a topic below a prefix means. A pattern is a name, a beginning of one with '*' after it,
 * or "*" alone. Pure: spans point into the topic, nothing is copied. */

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

/* A piece of a topic; not NUL-terminated. */
typedef struct Span {
        const char *at;
        size_t length;
} Span;

typedef enum TopicKind {
        TOPIC_CALL,       /* {svc}/{obj}/call/{method}/{caller} */
        TOPIC_CALL_REPLY, /* … /{token} */
        TOPIC_RPC,        /* {svc}/{obj}/rpc/{caller} */
        TOPIC_SIGNAL,     /* {svc}/{obj}/sig/{signal} */
        TOPIC_PROPERTY,   /* {svc}/{obj}/prop/{prop} */
        TOPIC_META,       /* {svc}/{obj}/$meta */
        TOPIC_STATE,      /* {svc}/$state */
        TOPIC_API,        /* {svc}/$api */
} TopicKind;

/* What a kind does not have is empty. */
typedef struct Topic {
        TopicKind kind;
        Span service;
        Span object;
        Span name; /* of a method, signal or property */
        Span caller;
        Span token;
} Topic;

/* Takes what is left of a topic after its prefix apart. -EINVAL if it is none of the kinds above or
 * a level breaks the grammar. */
int topic_parse(const char *rest, Topic *ret_topic);

/* What is left of `topic` after `prefix` and a '/'; NULL if it does not start so. */
const char *topic_below(const char *topic, const char *prefix);

/* [A-Za-z0-9_.-]{1,limit} */
bool name_is_valid(const char *name, size_t length, size_t limit);

/* For fields of files: 0, or -EINVAL and why not. */
int name_check(const char *text, Error **ret_error);
int name_check_pattern(const char *text, Error **ret_error);
/* One or more levels of names. */
int name_check_prefix(const char *text, Error **ret_error);

bool pattern_matches(const char *pattern, Span name);
/* Whether some name is matched by both. */
bool pattern_meets(const char *a, const char *b);
/* Whether it stands for one name. */
bool pattern_is_name(const char *pattern);

/* How many levels a topic has. */
unsigned topic_count_levels(const char *topic);
