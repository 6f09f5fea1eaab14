/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/topic.h"

#include <errno.h>
#include <string.h>

#include "common/limits.h"

enum { MAX_LEVELS = 6 }; /* below the root: svc/obj/call/method/caller/token */

static bool is_name_character(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '.' || c == '-';
}

static bool is_name(const char *name, size_t length, size_t maximum)
{
        if (length == 0 || length > maximum)
                return false;
        for (size_t i = 0; i < length; i++)
                if (!is_name_character(name[i]))
                        return false;
        return true;
}

bool topic_name_is_valid(const char *name, size_t length)
{
        return is_name(name, length, LIMIT_NAME_LENGTH);
}

bool topic_object_is_valid(const char *object, size_t length)
{
        return is_name(object, length, LIMIT_OBJECT_LENGTH);
}

bool topic_root_is_valid(const char *root)
{
        size_t length = strlen(root);

        if (length == 0 || length > LIMIT_ROOT_LENGTH || root[0] == '$' || root[0] == '/' ||
            root[length - 1] == '/' || strstr(root, "//"))
                return false;
        for (size_t i = 0; i < length; i++)
                if (root[i] != '/' && !is_name_character(root[i]))
                        return false;
        return true;
}

/* Splits at '/'; returns the number of levels, or MAX_LEVELS + 1 when there are more. */
static size_t split(const char *text, TextSpan levels[static MAX_LEVELS])
{
        size_t n = 0;

        for (;;) {
                const char *slash = strchrnul(text, '/');

                if (n == MAX_LEVELS)
                        return MAX_LEVELS + 1;
                levels[n++] = (TextSpan){text, (size_t)(slash - text)};
                if (!*slash)
                        return n;
                text = slash + 1;
        }
}

static bool spans_are_names(const TextSpan *levels, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (!topic_name_is_valid(levels[i].at, levels[i].length))
                        return false;
        return true;
}

/* The levels from {svc} on, for call/ and rpc/. */
static int parse_call(const TextSpan *levels, size_t n, Topic *topic)
{
        bool call = text_span_is(levels[2], "call");
        size_t first = call ? 4 : 3; /* the caller's level */

        if ((n != first + 1 && n != first + 2) || !spans_are_names(levels + 3, n - 3))
                return -EINVAL;
        topic->kind = call ? TOPIC_CALL : TOPIC_RPC;
        topic->caller = levels[first];
        if (call)
                topic->method = levels[3];
        if (n == first + 2) {
                topic->kind = call ? TOPIC_CALL_REPLY : TOPIC_RPC_REPLY;
                topic->token = levels[first + 1];
        }
        return 0;
}

static int parse_object(const TextSpan *levels, size_t n, Topic *topic)
{
        if (!topic_object_is_valid(levels[1].at, levels[1].length))
                return -EINVAL;
        topic->object = levels[1];
        if (text_span_is(levels[2], "call") || text_span_is(levels[2], "rpc"))
                return parse_call(levels, n, topic);
        if (n == 3 && text_span_is(levels[2], "$meta")) {
                topic->kind = TOPIC_META;
                return 0;
        }
        if (n != 4 || !spans_are_names(levels + 3, 1))
                return -EINVAL;
        topic->name = levels[3];
        topic->kind = TOPIC_SIGNAL;
        if (text_span_is(levels[2], "sig"))
                return 0;
        topic->kind = TOPIC_PROPERTY;
        return text_span_is(levels[2], "prop") ? 0 : -EINVAL;
}

static int parse_service(const TextSpan *levels, Topic *topic)
{
        topic->kind = TOPIC_STATE;
        if (text_span_is(levels[1], "$state"))
                return 0;
        topic->kind = TOPIC_API;
        return text_span_is(levels[1], "$api") ? 0 : -EINVAL;
}

int topic_parse(const char *root, const char *topic, Topic *ret_topic)
{
        TextSpan levels[MAX_LEVELS];
        size_t root_length = strlen(root), n;
        Topic parsed = {};
        int r;

        if (strncmp(topic, root, root_length) != 0 || topic[root_length] != '/')
                return -EINVAL;
        n = split(topic + root_length + 1, levels);
        if (n < 2 || n > MAX_LEVELS || !spans_are_names(levels, 1))
                return -EINVAL;
        parsed.service = levels[0];
        r = n == 2 ? parse_service(levels, &parsed) : parse_object(levels, n, &parsed);
        if (r >= 0)
                *ret_topic = parsed;
        return r;
}

static int write_levels(Buffer *buffer, const char *const *levels)
{
        for (size_t i = 0; levels[i]; i++) {
                if (i > 0)
                        buffer_append_char(buffer, '/');
                buffer_append_text(buffer, levels[i]);
        }
        return buffer_status(buffer);
}

int topic_write_call(Buffer *buffer, const char *root, const char *service, const char *object,
                     const char *method, const char *caller)
{
        const char *const levels[] = {root, service, object, "call", method, caller, NULL};

        return write_levels(buffer, levels);
}

int topic_write(Buffer *buffer, TopicKind kind, const char *root, const char *service,
                const char *object, const char *name)
{
        const char *const member[] = {root, service, object, kind == TOPIC_SIGNAL ? "sig" : "prop",
                                      name, NULL};
        const char *const meta[] = {root, service, object, "$meta", NULL};
        const char *const own[] = {root, service, kind == TOPIC_STATE ? "$state" : "$api", NULL};

        switch (kind) {
        case TOPIC_SIGNAL:
        case TOPIC_PROPERTY: return write_levels(buffer, member);
        case TOPIC_META: return write_levels(buffer, meta);
        default: return write_levels(buffer, own);
        }
}

int topic_reply_token(const Topic *request, const char *request_topic, const char *response_topic,
                      size_t response_length, TextSpan *ret_token)
{
        const char *tail = request->service.at, *slash, *token, *prefix_end;
        size_t tail_length = strlen(request_topic) - (size_t)(tail - request_topic);
        size_t token_length;

        slash = memrchr(response_topic, '/', response_length);
        if (!slash)
                return -EPERM;
        token = slash + 1;
        token_length = response_length - (size_t)(token - response_topic);
        if (!topic_name_is_valid(token, token_length))
                return -EPERM;
        if ((size_t)(slash - response_topic) < tail_length ||
            memcmp(slash - tail_length, tail, tail_length) != 0)
                return -EPERM;
        prefix_end = slash - tail_length;
        if (prefix_end > response_topic && prefix_end[-1] != '/')
                return -EPERM;
        *ret_token = (TextSpan){token, token_length};
        return 0;
}
