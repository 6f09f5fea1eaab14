/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/envelope.h"

#include <errno.h>
#include <string.h>

#include "common/json-write.h"
#include "common/limits.h"

const TextSpan envelope_null_id = {"null", 4};

static int invalid(MqttRpcError **ret_error, const char *text)
{
        return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_REQUEST, "%s", text);
}

static int read_id(const JsonDoc *doc, uint32_t id, EnvelopeRequest *request,
                   MqttRpcError **ret_error)
{
        size_t length;
        const char *raw;

        if (id == 0) {
                request->notification = true;
                request->id = (TextSpan){};
                return 0;
        }
        request->id = envelope_null_id;
        if (json_type(doc, id) != JSON_STRING && json_type(doc, id) != JSON_NUMBER)
                return invalid(ret_error, "'id' must be a string or a number");
        raw = json_raw(doc, id, &length);
        if (length > LIMIT_ID_LENGTH)
                return invalid(ret_error, "'id' is too long");
        request->id = (TextSpan){raw, length};
        return 0;
}

/* The member "x": what MQTT 5 clients say in user properties. */
static void read_extension(const JsonDoc *doc, uint32_t x, EnvelopeRequest *request)
{
        uint32_t ttl = json_find(doc, x, "ttl"), epoch = json_find(doc, x, "epoch");
        uint32_t progress = json_find(doc, x, "pg");

        if (ttl > 0)
                (void)json_uint64(doc, ttl, &request->ttl_msec);
        if (epoch > 0 && json_type(doc, epoch) == JSON_STRING)
                request->epoch = epoch;
        request->progress = progress > 0 && json_type(doc, progress) == JSON_BOOLEAN &&
                            json_boolean(doc, progress);
}

/* The members that a request has, in one pass; others are none of our business. */
typedef struct Members {
        uint32_t id, version, method, params, x;
} Members;

static void find_members(const JsonDoc *doc, uint32_t node, Members *members)
{
        const struct {
                const char *key;
                uint32_t *value;
        } known[] = {{"id", &members->id},
                     {"jsonrpc", &members->version},
                     {"method", &members->method},
                     {"params", &members->params},
                     {"x", &members->x}};

        JSON_FOREACH (doc, node, key)
                for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                        if (json_string_is(doc, key, known[i].key)) {
                                *known[i].value = key + 1;
                                break;
                        }
}

int envelope_read_request(const JsonDoc *doc, uint32_t node, EnvelopeRequest *ret_request,
                          MqttRpcError **ret_error)
{
        Members members = {};
        int r;

        *ret_request = (EnvelopeRequest){.id = envelope_null_id, .ttl_msec = UINT64_MAX};
        if (json_type(doc, node) != JSON_OBJECT)
                return invalid(ret_error, "a request must be a JSON object");
        find_members(doc, node, &members);
        r = read_id(doc, members.id, ret_request, ret_error);
        if (r < 0)
                return r;
        if (members.version > 0 && !json_string_is(doc, members.version, "2.0"))
                return invalid(ret_error, "'jsonrpc' must be \"2.0\"");
        ret_request->method = members.method;
        if (members.method > 0 && json_type(doc, members.method) != JSON_STRING)
                return invalid(ret_error, "'method' must be a string");
        ret_request->params = members.params;
        if (members.params > 0 && json_type(doc, members.params) != JSON_ARRAY &&
            json_type(doc, members.params) != JSON_OBJECT)
                return invalid(ret_error, "'params' must be an array or an object");
        if (members.x > 0)
                read_extension(doc, members.x, ret_request);
        return 0;
}

int envelope_read_response(const JsonDoc *doc, EnvelopeResponse *ret_response)
{
        EnvelopeResponse response = {
                .id = json_find(doc, 0, "id"),
                .result = json_find(doc, 0, "result"),
                .error = json_find(doc, 0, "error"),
        };

        if (response.id == 0 || (response.result > 0) == (response.error > 0))
                return -EPROTO;
        *ret_response = response;
        return 0;
}

bool envelope_is_progress(const JsonDoc *doc)
{
        uint32_t method = json_find(doc, 0, "method");

        return method > 0 && json_string_is(doc, method, "rpc.progress") &&
               json_find(doc, 0, "result") == 0 && json_find(doc, 0, "error") == 0;
}

int envelope_read_progress(const JsonDoc *doc, EnvelopeProgress *ret_progress)
{
        uint32_t params = json_find(doc, 0, "params"), seq;
        EnvelopeProgress progress;

        if (params == 0)
                return -EPROTO;
        progress.id = json_find(doc, params, "id");
        progress.value = json_find(doc, params, "value");
        seq = json_find(doc, params, "seq");
        if (progress.id == 0 || progress.value == 0 || seq == 0 ||
            json_uint64(doc, seq, &progress.seq) < 0 || progress.seq == 0)
                return -EPROTO;
        *ret_progress = progress;
        return 0;
}

static void write_extension(Buffer *buffer, const EnvelopeExtension *extension)
{
        buffer_append_text(buffer, ",\"x\":{\"ttl\":");
        json_write_uint64(buffer, extension->ttl_msec);
        if (extension->epoch[0]) {
                buffer_append_text(buffer, ",\"epoch\":");
                json_write_string(buffer, extension->epoch, strlen(extension->epoch));
        }
        if (extension->progress)
                buffer_append_text(buffer, ",\"pg\":true");
        buffer_append_char(buffer, '}');
}

int envelope_write_request(Buffer *buffer, const char *id, const char *method, const char *params,
                           const EnvelopeExtension *extension)
{
        buffer_append_text(buffer, "{\"jsonrpc\":\"2.0\"");
        if (id) {
                buffer_append_text(buffer, ",\"id\":\"");
                buffer_append_text(buffer, id);
                buffer_append_char(buffer, '"');
        }
        buffer_append_text(buffer, ",\"method\":");
        json_write_string(buffer, method, strlen(method));
        if (params) {
                buffer_append_text(buffer, ",\"params\":");
                buffer_append_text(buffer, params);
        }
        if (extension)
                write_extension(buffer, extension);
        return buffer_append_char(buffer, '}');
}

static void write_head(Buffer *buffer, TextSpan id)
{
        buffer_append_text(buffer, "{\"jsonrpc\":\"2.0\",\"id\":");
        buffer_append(buffer, id.at, id.length);
}

int envelope_write_result(Buffer *buffer, TextSpan id, const char *result, size_t length)
{
        write_head(buffer, id);
        buffer_append_text(buffer, ",\"result\":");
        buffer_append(buffer, result, length);
        return buffer_append_char(buffer, '}');
}

int envelope_write_error(Buffer *buffer, TextSpan id, const MqttRpcError *error)
{
        write_head(buffer, id);
        buffer_append_text(buffer, ",\"error\":");
        mqttrpc_error_write(error, buffer);
        return buffer_append_char(buffer, '}');
}

int envelope_write_progress(Buffer *buffer, TextSpan id, uint64_t seq, const char *value,
                            size_t length)
{
        buffer_append_text(buffer,
                           "{\"jsonrpc\":\"2.0\",\"method\":\"rpc.progress\",\"params\":{\"id\":");
        buffer_append(buffer, id.at, id.length);
        buffer_append_text(buffer, ",\"seq\":");
        json_write_uint64(buffer, seq);
        buffer_append_text(buffer, ",\"value\":");
        buffer_append(buffer, value, length);
        return buffer_append_text(buffer, "}}");
}
