/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/json-write.h"
#include "common/utf8.h"

struct MqttRpcError {
        int code;
        bool remote;
        MqttRpcExecuted executed;
        uint64_t retry_after_msec;
        char *message;
        char *name;
        char *field;
        char *detail;
        char *data; /* as it came, or a cache of what will be written; NULL: not made yet */
};

/* For whoever needs an error when there is no memory for one. Shared by all, never written to. */
static const MqttRpcError out_of_memory = {
        .code = MQTTRPC_ERROR_INTERNAL,
        .message = (char[]){"out of memory"},
};

#define NO    MQTTRPC_EXECUTED_NO
#define MAYBE MQTTRPC_EXECUTED_MAYBE
#define YES   MQTTRPC_EXECUTED_YES
#define ANY   MQTTRPC_EXECUTED_UNKNOWN

static const ErrorCode error_codes[] = {
        {MQTTRPC_ERROR_PARSE, "PARSE", -EBADMSG, NO},
        {MQTTRPC_ERROR_INVALID_REQUEST, "INVALID_REQUEST", -EBADMSG, NO},
        {MQTTRPC_ERROR_NO_METHOD, "NO_METHOD", -ENOSYS, NO},
        {MQTTRPC_ERROR_INVALID_PARAMS, "INVALID_PARAMS", -EINVAL, NO},
        {MQTTRPC_ERROR_INTERNAL, "INTERNAL", -EIO, ANY},
        {MQTTRPC_ERROR_FAILED, "FAILED", -EREMOTEIO, YES},
        {MQTTRPC_ERROR_ACCESS_DENIED, "ACCESS_DENIED", -EACCES, ANY},
        {MQTTRPC_ERROR_NOT_FOUND, "NOT_FOUND", -ENOENT, ANY},
        {MQTTRPC_ERROR_EXISTS, "EXISTS", -EEXIST, ANY},
        {MQTTRPC_ERROR_BUSY, "BUSY", -EBUSY, NO},
        {MQTTRPC_ERROR_TIMEOUT, "TIMEOUT", -ETIMEDOUT, MAYBE},
        {MQTTRPC_ERROR_CANCELLED, "CANCELLED", -ECANCELED, ANY},
        {MQTTRPC_ERROR_READ_ONLY, "READ_ONLY", -EROFS, NO},
        {MQTTRPC_ERROR_NOT_SUPPORTED, "NOT_SUPPORTED", -EOPNOTSUPP, ANY},
        {MQTTRPC_ERROR_TOO_LARGE, "TOO_LARGE", -EMSGSIZE, ANY},
        {MQTTRPC_ERROR_STALE_EPOCH, "STALE_EPOCH", -ESTALE, NO},
        {MQTTRPC_ERROR_DUPLICATE, "DUPLICATE", -EALREADY, YES},
        {MQTTRPC_ERROR_UNAVAILABLE, "UNAVAILABLE", -EHOSTDOWN, ANY},
        {MQTTRPC_ERROR_AUTH_REQUIRED, "AUTH_REQUIRED", -EPERM, NO},
        {MQTTRPC_ERROR_VERSION, "VERSION", -EPROTONOSUPPORT, NO},
        {MQTTRPC_ERROR_NO_SERVICE, "NO_SERVICE", -ENOENT, NO},
        {MQTTRPC_ERROR_PEER_LOST, "PEER_LOST", -EPIPE, MAYBE},
        {MQTTRPC_ERROR_DISCONNECTED, "DISCONNECTED", -ENOTCONN, ANY},
        {MQTTRPC_ERROR_PROTOCOL, "PROTOCOL", -EPROTO, ANY},
};

#undef NO
#undef MAYBE
#undef YES
#undef ANY

static const char *const executed_names[] = {
        [MQTTRPC_EXECUTED_NO] = "no",
        [MQTTRPC_EXECUTED_MAYBE] = "maybe",
        [MQTTRPC_EXECUTED_YES] = "yes",
};

const ErrorCode *error_code_find(int code)
{
        for (size_t i = 0; i < ARRAY_SIZE(error_codes); i++)
                if (error_codes[i].code == code)
                        return &error_codes[i];
        return NULL;
}

const ErrorCode *error_code_table(size_t *ret_count)
{
        *ret_count = ARRAY_SIZE(error_codes);
        return error_codes;
}

MQTTRPC_PUBLIC const char *mqttrpc_error_code_to_name(int code)
{
        const ErrorCode *line = error_code_find(code);

        return line ? line->name : NULL;
}

MQTTRPC_PUBLIC int mqttrpc_error_code_from_errno(int negative_errno)
{
        if (negative_errno == -EPERM)
                return MQTTRPC_ERROR_ACCESS_DENIED;
        for (size_t i = 0; i < ARRAY_SIZE(error_codes); i++)
                if (error_codes[i].negative_errno == negative_errno)
                        return error_codes[i].code;
        return MQTTRPC_ERROR_INTERNAL;
}

/* ---- life ---- */

const MqttRpcError *error_out_of_memory(void)
{
        return &out_of_memory;
}

static MqttRpcError *error_new_take(int code, char *message)
{
        const ErrorCode *line = error_code_find(code);
        MqttRpcError *error;

        error = message ? calloc(1, sizeof(*error)) : NULL;
        if (!error) {
                free(message);
                return NULL;
        }
        error->code = code;
        error->message = message;
        error->executed = line ? line->executed : MQTTRPC_EXECUTED_UNKNOWN;
        return error;
}

static MqttRpcError *error_new_va(int code, const char *format, va_list arguments)
        __attribute__((format(printf, 2, 0)));

static MqttRpcError *error_new_va(int code, const char *format, va_list arguments)
{
        char *message;

        if (vasprintf(&message, format, arguments) < 0)
                return NULL;
        return error_new_take(code, message);
}

MQTTRPC_PUBLIC MqttRpcError *mqttrpc_error_new(int code, const char *format, ...)
{
        MqttRpcError *error;
        va_list arguments;

        va_start(arguments, format);
        error = error_new_va(code, format, arguments);
        va_end(arguments);
        return error;
}

MQTTRPC_PUBLIC int mqttrpc_error_set(MqttRpcError **ret_error, int code, const char *format, ...)
{
        const ErrorCode *line = error_code_find(code);
        va_list arguments;

        if (ret_error && !*ret_error) {
                va_start(arguments, format);
                *ret_error = error_new_va(code, format, arguments);
                va_end(arguments);
        }
        return line ? line->negative_errno : -EREMOTEIO;
}

MqttRpcError *mqttrpc_error_copy(const MqttRpcError *error)
{
        CLEANUP_RPC_ERROR MqttRpcError *copy = NULL;

        if (!error)
                return NULL;
        copy = mqttrpc_error_new(error->code, "%s", error->message);
        if (!copy)
                return NULL;
        copy->remote = error->remote;
        copy->executed = error->executed;
        copy->retry_after_msec = error->retry_after_msec;
        if ((error->name && !(copy->name = strdup(error->name))) ||
            (error->field && !(copy->field = strdup(error->field))) ||
            (error->detail && !(copy->detail = strdup(error->detail))) ||
            (error->data && !(copy->data = strdup(error->data))))
                return NULL;
        return STEAL(copy);
}

MQTTRPC_PUBLIC MqttRpcError *mqttrpc_error_free(MqttRpcError *error)
{
        if (!error)
                return NULL;
        free(error->message);
        free(error->name);
        free(error->field);
        free(error->detail);
        free(error->data);
        free(error);
        return NULL;
}

/* ---- reading ---- */

MQTTRPC_PUBLIC int mqttrpc_error_get_code(const MqttRpcError *error)
{
        return error ? error->code : MQTTRPC_ERROR_INTERNAL;
}

MQTTRPC_PUBLIC const char *mqttrpc_error_get_message(const MqttRpcError *error)
{
        return error ? error->message : "out of memory";
}

MQTTRPC_PUBLIC const char *mqttrpc_error_get_name(const MqttRpcError *error)
{
        if (error && error->name)
                return error->name;
        return mqttrpc_error_code_to_name(mqttrpc_error_get_code(error));
}

MQTTRPC_PUBLIC MqttRpcExecuted mqttrpc_error_get_executed(const MqttRpcError *error)
{
        return error ? error->executed : MQTTRPC_EXECUTED_UNKNOWN;
}

MQTTRPC_PUBLIC bool mqttrpc_error_is_remote(const MqttRpcError *error)
{
        return error && error->remote;
}

MQTTRPC_PUBLIC int mqttrpc_error_get_errno(const MqttRpcError *error)
{
        const ErrorCode *line;

        if (!error || error == &out_of_memory)
                return -ENOMEM;
        line = error_code_find(error->code);
        return line ? line->negative_errno : -EREMOTEIO;
}

/* Text may come from anywhere (file names, other libraries): bytes that are not UTF-8 are shown as
 * '?', since they would spoil the whole response. */
static void write_text(Buffer *buffer, const char *text)
{
        size_t length = strlen(text), at;

        if (utf8_is_text(text, length)) {
                json_write_string(buffer, text, length);
                return;
        }
        at = buffer->length + 1;
        json_write_string(buffer, text, length);
        for (; buffer_status(buffer) >= 0 && at < buffer->length; at++)
                if (buffer->data[at] & 0x80)
                        buffer->data[at] = '?';
}

static void write_member(Buffer *buffer, const char *key, const char *text)
{
        if (!text)
                return;
        buffer_printf(buffer,
                      "%s\"%s\":", buffer_text(buffer)[buffer->length - 1] == '{' ? "" : ",", key);
        write_text(buffer, text);
}

static void write_data(const MqttRpcError *error, Buffer *buffer)
{
        buffer_append_char(buffer, '{');
        write_member(buffer, "name", error->name);
        write_member(buffer, "field", error->field);
        write_member(buffer, "detail", error->detail);
        write_member(buffer, "executed", executed_names[error->executed]);
        if (error->retry_after_msec > 0)
                buffer_printf(buffer, "%s\"retry_after_ms\":%llu",
                              buffer_text(buffer)[buffer->length - 1] == '{' ? "" : ",",
                              (unsigned long long)error->retry_after_msec);
        buffer_append_char(buffer, '}');
}

static bool has_data(const MqttRpcError *error)
{
        return error->name || error->field || error->detail || error->executed ||
               error->retry_after_msec > 0;
}

MQTTRPC_PUBLIC const char *mqttrpc_error_get_data(const MqttRpcError *error)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);

        if (!error)
                return NULL;
        if (!error->data && !error->remote && has_data(error)) {
                write_data(error, &buffer);
                /* A cache: the error is the same before and after. */
                ((MqttRpcError *)(uintptr_t)error)->data = buffer_steal(&buffer);
        }
        return error->data;
}

int mqttrpc_error_write(const MqttRpcError *error, Buffer *buffer)
{
        const char *message = mqttrpc_error_get_message(error);
        const char *data = mqttrpc_error_get_data(error);

        buffer_printf(buffer, "{\"code\":%d,\"message\":", mqttrpc_error_get_code(error));
        write_text(buffer, message);
        if (data) {
                buffer_append_text(buffer, ",\"data\":");
                buffer_append_text(buffer, data);
        }
        return buffer_append_char(buffer, '}');
}

/* ---- from the wire ---- */

static char *dup_string_member(const JsonDoc *doc, uint32_t object, const char *key)
{
        uint32_t node = json_find(doc, object, key);
        char *text = NULL;

        if (node > 0)
                (void)json_string_dup(doc, node, &text);
        return text;
}

static void read_data(MqttRpcError *error, const JsonDoc *doc, uint32_t node)
{
        uint32_t executed = json_find(doc, node, "executed");
        uint32_t retry = json_find(doc, node, "retry_after_ms");
        const char *raw;
        size_t length;

        raw = json_raw(doc, node, &length);
        error->data = strndup(raw, length);
        error->name = dup_string_member(doc, node, "name");
        error->field = dup_string_member(doc, node, "field");
        error->detail = dup_string_member(doc, node, "detail");
        if (retry > 0)
                (void)json_uint64(doc, retry, &error->retry_after_msec);
        for (size_t i = 1; executed > 0 && i < ARRAY_SIZE(executed_names); i++)
                if (json_string_is(doc, executed, executed_names[i]))
                        error->executed = (MqttRpcExecuted)i;
}

MqttRpcError *mqttrpc_error_read(const JsonDoc *doc, uint32_t node)
{
        uint32_t code = json_find(doc, node, "code"), data = json_find(doc, node, "data");
        char *message = dup_string_member(doc, node, "message");
        MqttRpcError *error;
        int64_t value;

        if (code == 0 || json_int64(doc, code, &value) < 0 || (int)value != value || !message) {
                free(message);
                return mqttrpc_error_new(MQTTRPC_ERROR_PROTOCOL,
                                         "the peer sent an error without code or message");
        }
        error = error_new_take((int)value, message);
        if (!error)
                return NULL;
        error->remote = true;
        if (data > 0)
                read_data(error, doc, data);
        return error;
}

/* ---- members of data ---- */

/* Writes the object `node` without its member `key`, and leaves it open. */
static void copy_other_members(const JsonDoc *doc, uint32_t node, const char *key, Buffer *buffer)
{
        buffer_append_char(buffer, '{');
        JSON_FOREACH (doc, node, member) {
                size_t length;
                const char *raw;

                if (json_string_is(doc, member, key))
                        continue;
                raw = json_raw(doc, member, &length);
                buffer_append(buffer, raw, length);
                buffer_append_char(buffer, ':');
                raw = json_raw(doc, member + 1, &length);
                buffer_append(buffer, raw, length);
                buffer_append_char(buffer, ',');
        }
}

/* The data that a peer has sent, with one member replaced by the JSON text `value`, or left out
 * (NULL). What was no object becomes the member "value" of one. Owned by the caller. */
static int edit_data(const MqttRpcError *error, const char *key, const char *value, char **ret_data)
{
        const char *data = error->data ? error->data : "{}";
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        CLEANUP_JSON_DOC JsonDoc doc = {};
        int r;

        r = json_scan(&doc, data, strlen(data), JSON_SCAN_STRICT);
        if (r < 0)
                return r;
        if (json_type(&doc, 0) == JSON_OBJECT)
                copy_other_members(&doc, 0, key, &buffer);
        else
                buffer_printf(&buffer, "{\"value\":%s,", data);
        if (value)
                buffer_printf(&buffer, "\"%s\":%s", key, value);
        else if (buffer_status(&buffer) >= 0 && buffer.data[buffer.length - 1] == ',')
                buffer_truncate(&buffer, buffer.length - 1);
        buffer_append_char(&buffer, '}');
        r = buffer_status(&buffer);
        if (r >= 0)
                *ret_data = buffer_steal(&buffer);
        return r;
}

/* Sees to it that `data` will say so: what a peer has sent is edited, what was made here will be
 * written anew when it is asked for. */
static int update_data(MqttRpcError *error, const char *key, const char *value)
{
        char *data = NULL;
        int r;

        r = error->remote ? edit_data(error, key, value, &data) : 0;
        if (r < 0)
                return r;
        free(error->data);
        error->data = data;
        return 0;
}

static int replace(MqttRpcError *error, char **member, const char *key, const char *text)
{
        CLEANUP_BUFFER Buffer value = BUFFER_INIT(0);
        CLEANUP_FREE char *copy = strdup(text);
        int r;

        write_text(&value, text);
        if (!copy || buffer_status(&value) < 0)
                return -ENOMEM;
        r = update_data(error, key, value.data);
        if (r < 0)
                return r;
        free(*member);
        *member = STEAL(copy);
        return 0;
}

MQTTRPC_PUBLIC int mqttrpc_error_set_name(MqttRpcError *error, const char *name)
{
        return error ? replace(error, &error->name, "name", name) : 0;
}

MQTTRPC_PUBLIC int mqttrpc_error_set_field(MqttRpcError *error, const char *field)
{
        return error ? replace(error, &error->field, "field", field) : 0;
}

MQTTRPC_PUBLIC int mqttrpc_error_set_detail(MqttRpcError *error, const char *detail)
{
        return error ? replace(error, &error->detail, "detail", detail) : 0;
}

MQTTRPC_PUBLIC int mqttrpc_error_set_retry_after(MqttRpcError *error, uint64_t msec)
{
        char value[24];
        int r;

        if (!error)
                return 0;
        snprintf(value, sizeof(value), "%llu", (unsigned long long)msec);
        r = update_data(error, "retry_after_ms", msec > 0 ? value : NULL);
        if (r >= 0)
                error->retry_after_msec = msec;
        return r;
}

MQTTRPC_PUBLIC int mqttrpc_error_set_executed(MqttRpcError *error, MqttRpcExecuted executed)
{
        char value[16];
        int r;

        if (!error)
                return 0;
        snprintf(value, sizeof(value), "\"%s\"", executed ? executed_names[executed] : "");
        r = update_data(error, "executed", executed ? value : NULL);
        if (r >= 0)
                error->executed = executed;
        return r;
}
