/* SPDX-License-Identifier: MIT */

#include <stdint.h>
#include <string.h>

#include "libmqttrpc/topic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_span(TextSpan span, const char *text, bool may_be_empty)
{
        if (span.length == 0 && may_be_empty)
                return;
        if (span.at < text || span.at + span.length > text + strlen(text) ||
            !topic_object_is_valid(span.at, span.length))
                abort();
}

/* Two lines: a topic, and a Response Topic for it. What is accepted keeps the rule: the same tail
 * from the service on, and one valid level more. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        CLEANUP_FREE char *topic = strndup((const char *)data, size);
        CLEANUP_FREE char *tail = NULL;
        TextSpan token;
        char *response;
        Topic parts;

        if (!topic)
                abort();
        response = strchr(topic, '\n');
        if (response)
                *response++ = '\0';
        if (topic_parse("mb1", topic, &parts) < 0)
                return 0;
        check_span(parts.service, topic, false);
        check_span(parts.object, topic, false);
        check_span(parts.caller, topic, false);
        check_span(parts.method, topic, parts.kind == TOPIC_RPC || parts.kind == TOPIC_RPC_REPLY);
        check_span(parts.token, topic, parts.kind == TOPIC_CALL || parts.kind == TOPIC_RPC);
        if (!response || topic_reply_token(&parts, topic, response, strlen(response), &token) < 0)
                return 0;
        if (!topic_name_is_valid(token.at, token.length) ||
            token.at + token.length != response + strlen(response))
                abort();
        tail = strdup(parts.service.at);
        if (!tail || token.at - response < (ptrdiff_t)strlen(tail) + 1 || token.at[-1] != '/' ||
            memcmp(token.at - 1 - strlen(tail), tail, strlen(tail)) != 0)
                abort();
        return 0;
}
