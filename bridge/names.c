/* SPDX-License-Identifier: MIT */

#include "bridge/names.h"

#include <errno.h>
#include <string.h>

#include "common/limits.h"

enum { MAX_LEVELS = 6 };

static bool is_name_char(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '.' || c == '-';
}

bool name_is_valid(const char *name, size_t length, size_t limit)
{
        if (length == 0 || length > limit)
                return false;
        for (size_t i = 0; i < length; i++)
                if (!is_name_char(name[i]))
                        return false;
        return true;
}

/* ---- topics ---- */

static bool is_name(Span span)
{
        return name_is_valid(span.at, span.length, LIMIT_NAME_LENGTH);
}

static bool is_object(Span span)
{
        return name_is_valid(span.at, span.length, LIMIT_OBJECT_LENGTH);
}

static bool is_text(Span span, const char *text)
{
        return span.length == strlen(text) && memcmp(span.at, text, span.length) == 0;
}

/* Returns the number of levels, at most MAX_LEVELS + 1. */
static unsigned split(const char *text, Span levels[MAX_LEVELS + 1])
{
        unsigned n = 0;

        for (;;) {
                size_t length = strcspn(text, "/");

                levels[n++] = (Span){text, length};
                if (text[length] == '\0' || n > MAX_LEVELS)
                        return n;
                text += length + 1;
        }
}

/* {svc}/$state and {svc}/$api */
static int parse_short(const Span *level, Topic *topic)
{
        if (is_text(level[1], "$state"))
                topic->kind = TOPIC_STATE;
        else if (is_text(level[1], "$api"))
                topic->kind = TOPIC_API;
        else
                return -EINVAL;
        return is_name(level[0]) ? 0 : -EINVAL;
}

static int parse_call(const Span *level, unsigned n, Topic *topic)
{
        topic->kind = n == 5 ? TOPIC_CALL : TOPIC_CALL_REPLY;
        topic->name = level[3];
        topic->caller = level[4];
        if (n == 6)
                topic->token = level[5];
        return is_name(level[3]) && is_name(level[4]) && (n == 5 || is_name(level[5])) ? 0
                                                                                       : -EINVAL;
}

static int parse_long(const Span *level, unsigned n, Topic *topic)
{
        if (!is_name(level[0]) || !is_object(level[1]))
                return -EINVAL;
        topic->object = level[1];
        if (n == 3 && is_text(level[2], "$meta")) {
                topic->kind = TOPIC_META;
                return 0;
        }
        if (is_text(level[2], "call") && (n == 5 || n == 6))
                return parse_call(level, n, topic);
        if (n != 4 || !is_name(level[3]))
                return -EINVAL;
        if (is_text(level[2], "rpc")) {
                topic->kind = TOPIC_RPC;
                topic->caller = level[3];
                return 0;
        }
        topic->name = level[3];
        topic->kind = is_text(level[2], "sig") ? TOPIC_SIGNAL : TOPIC_PROPERTY;
        return is_text(level[2], "sig") || is_text(level[2], "prop") ? 0 : -EINVAL;
}

int topic_parse(const char *rest, Topic *ret_topic)
{
        Span level[MAX_LEVELS + 1];
        unsigned n = split(rest, level);
        Topic topic = {.service = level[0]};
        int r = -EINVAL;

        if (n == 2)
                r = parse_short(level, &topic);
        else if (n > 2 && n <= MAX_LEVELS)
                r = parse_long(level, n, &topic);
        if (r >= 0)
                *ret_topic = topic;
        return r;
}

const char *topic_below(const char *topic, const char *prefix)
{
        size_t length = strlen(prefix);

        if (strncmp(topic, prefix, length) != 0 || topic[length] != '/')
                return NULL;
        return topic + length + 1;
}

unsigned topic_count_levels(const char *topic)
{
        unsigned n = 1;

        for (; *topic; topic++)
                n += *topic == '/';
        return n;
}

/* ---- fields ---- */

int name_check(const char *text, Error **ret_error)
{
        if (name_is_valid(text, strlen(text), LIMIT_NAME_LENGTH))
                return 0;
        return error_set(ret_error, -EINVAL,
                         "'%s' is no name: expected 1 to %u of A-Z a-z 0-9 _ . -", text,
                         LIMIT_NAME_LENGTH);
}

int name_check_pattern(const char *text, Error **ret_error)
{
        size_t length = strlen(text);

        if (length > 0 && text[length - 1] == '*')
                length--;
        if ((length == 0 && text[0] == '*') || name_is_valid(text, length, LIMIT_OBJECT_LENGTH))
                return 0;
        return error_set(ret_error, -EINVAL,
                         "'%s' is no name and no pattern: expected A-Z a-z 0-9 _ . -, with a '*' "
                         "only at the end",
                         text);
}

int name_check_prefix(const char *text, Error **ret_error)
{
        const char *level = text;

        if (strlen(text) > LIMIT_ROOT_LENGTH)
                return error_set(ret_error, -EINVAL, "longer than %u bytes", LIMIT_ROOT_LENGTH);
        for (;;) {
                size_t length = strcspn(level, "/");

                if (!name_is_valid(level, length, LIMIT_NAME_LENGTH))
                        return error_set(ret_error, -EINVAL,
                                         "'%s' is no topic prefix: expected levels of A-Z a-z 0-9 "
                                         "_ . - with '/' between them",
                                         text);
                if (level[length] == '\0')
                        return 0;
                level += length + 1;
        }
}

/* ---- patterns ---- */

bool pattern_is_name(const char *pattern)
{
        size_t length = strlen(pattern);

        return length > 0 && pattern[length - 1] != '*';
}

bool pattern_matches(const char *pattern, Span name)
{
        size_t length = strlen(pattern);

        if (pattern_is_name(pattern))
                return name.length == length && memcmp(pattern, name.at, length) == 0;
        return name.length >= length - 1 && memcmp(pattern, name.at, length - 1) == 0;
}

bool pattern_meets(const char *a, const char *b)
{
        size_t length_a = strlen(a), length_b = strlen(b);
        bool open_a = !pattern_is_name(a), open_b = !pattern_is_name(b);

        length_a -= open_a;
        length_b -= open_b;
        if (length_a < length_b)
                return open_a && memcmp(a, b, length_a) == 0;
        if (length_b < length_a)
                return open_b && memcmp(a, b, length_b) == 0;
        return memcmp(a, b, length_a) == 0;
}
