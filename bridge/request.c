/* SPDX-License-Identifier: MIT */

#include "bridge/request.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/json-scan.h"
#include "common/json-write.h"
#include "common/limits.h"

void request_done(Request *request)
{
        free(request->id);
        *request = (Request){};
}

static int read_id(const JsonDoc *doc, Request *request)
{
        uint32_t node = json_find(doc, 0, "id");
        const char *raw;
        size_t length;

        if (node == 0) {
                request->notification = true;
                return 0;
        }
        raw = json_raw(doc, node, &length);
        if ((json_type(doc, node) != JSON_STRING && json_type(doc, node) != JSON_NUMBER) ||
            length > LIMIT_ID_LENGTH)
                return -EINVAL;
        request->id = strndup(raw, length);
        return request->id ? 0 : -ENOMEM;
}

static void read_ttl(const JsonDoc *doc, Request *request)
{
        uint32_t x = json_find(doc, 0, "x"), ttl = 0;

        if (x > 0 && json_type(doc, x) == JSON_OBJECT)
                ttl = json_find(doc, x, "ttl");
        if (ttl > 0 && json_type(doc, ttl) == JSON_NUMBER)
                (void)json_uint64(doc, ttl, &request->ttl_msec);
}

int request_read(const void *payload, size_t length, Request *ret_request)
{
        CLEANUP_JSON_DOC JsonDoc doc = {};
        Request request = {.ttl_msec = UINT64_MAX};
        int r = 0;

        if (json_scan(&doc, payload, length, JSON_SCAN_STRICT) < 0)
                r = -EBADMSG;
        else if (json_type(&doc, 0) != JSON_OBJECT)
                r = -EINVAL;
        if (r >= 0)
                r = read_id(&doc, &request);
        if (r >= 0)
                read_ttl(&doc, &request);
        else if (!request.id)
                request.id = strdup("null");
        *ret_request = request;
        return r;
}

uint64_t request_parse_ttl(const char *text)
{
        uint64_t ttl = 0;

        if (!text || json_parse_uint64(text, strlen(text), &ttl) < 0)
                return UINT64_MAX;
        return ttl;
}

int request_reply_token(const char *rest, const char *response, Span *ret_token)
{
        size_t n_rest = strlen(rest), n_response = strlen(response);
        const char *slash = strrchr(response, '/');
        const char *token = slash ? slash + 1 : response;
        size_t n_front;

        if (!slash || !name_is_valid(token, strlen(token), LIMIT_NAME_LENGTH))
                return -EPERM;
        n_front = (size_t)(slash - response);
        if (n_front < n_rest || memcmp(slash - n_rest, rest, n_rest) != 0)
                return -EPERM;
        if (n_front > n_rest && slash[-(ptrdiff_t)n_rest - 1] != '/')
                return -EPERM;
        *ret_token = (Span){token, n_response - (size_t)(token - response)};
        return 0;
}

bool request_is_final(const void *payload, size_t length)
{
        CLEANUP_JSON_DOC JsonDoc doc = {};

        if (json_scan(&doc, payload, length, JSON_SCAN_STRICT) < 0 ||
            json_type(&doc, 0) != JSON_OBJECT)
                return true;
        return json_find(&doc, 0, "result") > 0 || json_find(&doc, 0, "error") > 0 ||
               json_find(&doc, 0, "method") == 0;
}

int request_write_error(Buffer *buffer, const char *id, const RequestError *error)
{
        buffer_printf(buffer,
                      "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":%d,\"message\":", id,
                      error->code);
        json_write_string(buffer, error->message, strlen(error->message));
        buffer_printf(buffer, ",\"data\":{\"name\":\"%s\",\"executed\":\"%s\"", error->name,
                      error->executed);
        if (error->retry_after_msec > 0)
                buffer_printf(buffer, ",\"retry_after_ms\":%" PRIu64, error->retry_after_msec);
        buffer_append_text(buffer, "}}}");
        return buffer_status(buffer);
}
