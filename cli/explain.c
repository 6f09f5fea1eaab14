/* SPDX-License-Identifier: MIT */

#include "cli/explain.h"

#include <string.h>

#include "cli/duration.h"
#include "cli/template.h"
#include "common/json-scan.h"
#include "common/limits.h"
#include "common/printable.h"
#include "common/util.h"

typedef enum Origin {
        LOCAL = 1 << 0,  /* found out in this process */
        REMOTE = 1 << 1, /* sent by the peer */
        ANY = LOCAL | REMOTE,
} Origin;

typedef struct Explanation {
        int code;
        Origin origin;
        ExitStatus status;
        bool outcome; /* say whether it was executed even if it was not */
        const char *text;
        const char *hint; /* NULL: none */
} Explanation;

/* Texts are templates (template.h). The first line that fits counts. */
static const Explanation explanations[] = {
        {MQTTRPC_ERROR_NO_SERVICE, ANY, STATUS_NO_SERVICE, false, "nobody serves '{service}'",
         "is it spelled right and running? A D-Bus service needs dbus-mqtt-gateway running, with a "
         "mapping for it loaded"},
        {MQTTRPC_ERROR_PEER_LOST, ANY, STATUS_NO_SERVICE, true,
         "'{service}' went away during the call: {message}", NULL},
        {MQTTRPC_ERROR_UNAVAILABLE, ANY, STATUS_NO_SERVICE, true,
         "'{service}' is not available: {message}",
         "what serves it on MQTT is there, the D-Bus service behind it is not: is it installed, "
         "and does it start?"},
        {MQTTRPC_ERROR_ACCESS_DENIED, LOCAL, STATUS_DENIED, false,
         "access denied: '{caller}' may not call {method} of '{service}', object '{object}'",
         "the broker has no grant for the topic {topic}"},
        {MQTTRPC_ERROR_ACCESS_DENIED, REMOTE, STATUS_DENIED, false,
         "access denied by '{service}': {message}", NULL},
        {MQTTRPC_ERROR_AUTH_REQUIRED, ANY, STATUS_DENIED, false,
         "'{service}' wants an authentication: {message}",
         "nobody can be asked for a password by way of MQTT; the policy of the service (polkit) "
         "has to allow it without"},
        {MQTTRPC_ERROR_TIMEOUT, LOCAL, STATUS_TIMEOUT, true,
         "timed out: no answer from '{service}' within {timeout}", NULL},
        {MQTTRPC_ERROR_TIMEOUT, REMOTE, STATUS_TIMEOUT, true, "timed out at '{service}': {message}",
         NULL},
        {MQTTRPC_ERROR_BUSY, REMOTE, STATUS_TRY_AGAIN, true, "'{service}' is busy: {message}",
         NULL},
        {MQTTRPC_ERROR_BUSY, LOCAL, STATUS_TRY_AGAIN, true, "busy: {message}", NULL},
        {MQTTRPC_ERROR_STALE_EPOCH, ANY, STATUS_TRY_AGAIN, true,
         "'{service}' has been restarted: {message}", "try again"},
        {MQTTRPC_ERROR_NO_METHOD, ANY, STATUS_BAD_REQUEST, false, "no such method: {message}",
         "is '{method}' spelled right (upper and lower case count), and '{object}' the right "
         "object?"},
        {MQTTRPC_ERROR_INVALID_PARAMS, REMOTE, STATUS_BAD_REQUEST, false,
         "wrong argument: {message}", NULL},
        {MQTTRPC_ERROR_INVALID_PARAMS, LOCAL, STATUS_USAGE, false, "{message}", NULL},
        {MQTTRPC_ERROR_INVALID_REQUEST, ANY, STATUS_BAD_REQUEST, false,
         "'{service}' does not take the request: {message}", NULL},
        {MQTTRPC_ERROR_PARSE, ANY, STATUS_BAD_REQUEST, false,
         "'{service}' cannot read the request: {message}", NULL},
        {MQTTRPC_ERROR_VERSION, ANY, STATUS_BAD_REQUEST, false,
         "'{service}' speaks another version of the protocol: {message}", NULL},
        {MQTTRPC_ERROR_TOO_LARGE, LOCAL, STATUS_USAGE, false, "too large: {message}", NULL},
        {MQTTRPC_ERROR_TOO_LARGE, REMOTE, STATUS_FAILED, true, "too large: {message}", NULL},
        {MQTTRPC_ERROR_NOT_FOUND, ANY, STATUS_FAILED, false, "not found: {message}", NULL},
        {MQTTRPC_ERROR_EXISTS, ANY, STATUS_FAILED, false, "exists already: {message}", NULL},
        {MQTTRPC_ERROR_READ_ONLY, ANY, STATUS_FAILED, false, "read-only: {message}", NULL},
        {MQTTRPC_ERROR_NOT_SUPPORTED, ANY, STATUS_FAILED, false, "not supported: {message}", NULL},
        {MQTTRPC_ERROR_CANCELLED, ANY, STATUS_FAILED, true, "cancelled: {message}", NULL},
        {MQTTRPC_ERROR_DUPLICATE, ANY, STATUS_FAILED, true, "taken for a duplicate: {message}",
         NULL},
        {MQTTRPC_ERROR_PROTOCOL, ANY, STATUS_FAILED, true,
         "'{service}' breaks the protocol: {message}", NULL},
        {MQTTRPC_ERROR_DISCONNECTED, ANY, STATUS_CONNECTION, true,
         "the connection to the broker was lost: {message}", NULL},
        {MQTTRPC_ERROR_FAILED, LOCAL, STATUS_CONNECTION, false, "{message}", NULL},
        {MQTTRPC_ERROR_FAILED, REMOTE, STATUS_FAILED, false, "{method} failed: {message}", NULL},
        {MQTTRPC_ERROR_INTERNAL, LOCAL, STATUS_INTERNAL, false, "{message}", NULL},
        {MQTTRPC_ERROR_INTERNAL, REMOTE, STATUS_FAILED, true,
         "internal error of '{service}': {message}", NULL},
};

/* Codes of applications, and what later versions of the protocol may add. */
static const Explanation other = {
        0, ANY, STATUS_FAILED, false, "{method} failed with code {code}: {message}", NULL,
};

static const Explanation *find_explanation(const MqttRpcError *error)
{
        Origin origin = mqttrpc_error_is_remote(error) ? REMOTE : LOCAL;
        int code = mqttrpc_error_get_code(error);

        for (size_t i = 0; i < ARRAY_SIZE(explanations); i++)
                if (explanations[i].code == code && (explanations[i].origin & origin))
                        return &explanations[i];
        return &other;
}

ExitStatus explain_status(const MqttRpcError *error)
{
        return find_explanation(error)->status;
}

/* ---- what comes with an error ---- */

typedef struct Details {
        char *field;
        char *detail;
        uint64_t retry_msec; /* 0: not said */
} Details;

static void details_done(Details *details)
{
        free(details->field);
        free(details->detail);
}

static char *dup_member(const JsonDoc *doc, const char *key)
{
        uint32_t node = json_find(doc, 0, key);
        char *text = NULL;

        if (node > 0)
                (void)json_string_dup(doc, node, &text);
        return text;
}

static void read_details(const MqttRpcError *error, Details *details)
{
        const char *data = mqttrpc_error_get_data(error);
        CLEANUP_JSON_DOC JsonDoc doc = {};
        uint32_t retry;

        if (!data || json_scan(&doc, data, strlen(data), JSON_SCAN_STRICT) < 0 ||
            json_type(&doc, 0) != JSON_OBJECT)
                return;
        details->field = dup_member(&doc, "field");
        details->detail = dup_member(&doc, "detail");
        retry = json_find(&doc, 0, "retry_after_ms");
        if (retry > 0)
                (void)json_uint64(&doc, retry, &details->retry_msec);
}

/* ---- lines ---- */

/* The D-Bus name, say: what is more than the name of the code. */
static void write_name(Buffer *buffer, const MqttRpcError *error)
{
        const char *name = mqttrpc_error_get_name(error);
        const char *of_code = mqttrpc_error_code_to_name(mqttrpc_error_get_code(error));

        if (!name || (of_code && !strcmp(name, of_code)))
                return;
        buffer_append_text(buffer, " [");
        printable_write(buffer, name);
        buffer_append_char(buffer, ']');
}

static void write_details(Buffer *buffer, const MqttRpcError *error, const Details *details)
{
        const char *message = mqttrpc_error_get_message(error);

        if (details->field && !strstr(message, details->field)) {
                buffer_append_text(buffer, " (argument '");
                printable_write(buffer, details->field);
                buffer_append_text(buffer, "')");
        }
        if (details->detail && !strstr(message, details->detail)) {
                buffer_append_text(buffer, " (");
                printable_write(buffer, details->detail);
                buffer_append_char(buffer, ')');
        }
}

static void write_outcome(Buffer *buffer, const MqttRpcError *error, bool always)
{
        switch (mqttrpc_error_get_executed(error)) {
        case MQTTRPC_EXECUTED_MAYBE:
                buffer_append_text(buffer, "; the method may have been executed");
                break;
        case MQTTRPC_EXECUTED_YES:
                buffer_append_text(buffer, always ? "; the method was executed" : "");
                break;
        case MQTTRPC_EXECUTED_NO:
                buffer_append_text(buffer, always ? "; the method was not executed" : "");
                break;
        case MQTTRPC_EXECUTED_UNKNOWN: break;
        }
}

static void write_hint(Buffer *buffer, const char *text, const TemplateValue *values)
{
        buffer_append_text(buffer, "hint: ");
        template_write(buffer, text, values);
        buffer_append_char(buffer, '\n');
}

static void write_access_hint(Buffer *buffer, const CallContext *context,
                              const TemplateValue *values)
{
        bool named = context->user && !strcmp(context->user, context->caller);

        if (!context->user)
                write_hint(buffer, "log in with --user and --password-file", values);
        else if (!named)
                write_hint(buffer,
                           "'{user}' normally may call only by that name: leave --caller out",
                           values);
        if (context->user && !strcmp(context->root, "mb1"))
                write_hint(buffer,
                           "an administrator grants it with: mqttrpc-adduser --call "
                           "{service}/{object}/{method} {user}",
                           values);
        else if (context->user)
                write_hint(buffer,
                           "an administrator grants it with: mqttrpc-adduser --root {root} --call "
                           "{service}/{object}/{method} {user}",
                           values);
}

/* For the one mistake that the shell makes easy. */
static void write_string_hint(Buffer *buffer, const MqttRpcError *error,
                              const TemplateValue *values)
{
        if (strstr(mqttrpc_error_get_message(error), "expected a string"))
                write_hint(buffer,
                           "what reads as JSON is sent as that; a string that looks like JSON "
                           "needs quotes inside of quotes: '\"5\"'",
                           values);
}

static void write_timeout_hint(Buffer *buffer, const CallContext *context,
                               const TemplateValue *values)
{
        write_hint(buffer,
                   context->sees_refusals
                           ? "allow it more time with --timeout, if it is slow"
                           : "without MQTT 5 and QoS 1 a service that is not there, and a missing "
                             "right, look the same as a slow one",
                   values);
}

int explain_error(Buffer *buffer, const MqttRpcError *error, const CallContext *context)
{
        const Explanation *explanation = find_explanation(error);
        CLEANUP(details_done) Details details = {};
        CLEANUP_BUFFER Buffer topic = BUFFER_INIT(0), timeout = BUFFER_INIT(0);
        CLEANUP_BUFFER Buffer code = BUFFER_INIT(0), retry = BUFFER_INIT(0);
        int number = mqttrpc_error_get_code(error);

        read_details(error, &details);
        buffer_printf(&topic, "%s/%s/%s/call/%s/%s", context->root, context->service,
                      context->object, context->method, context->caller);
        duration_write(&timeout, context->timeout_usec);
        buffer_printf(&code, "%d", number);
        duration_write(&retry,
                       MIN(details.retry_msec, LIMIT_TIMEOUT_USEC / USEC_PER_MSEC) * USEC_PER_MSEC);

        const TemplateValue values[] = {
                {"service", context->service},
                {"object", context->object},
                {"method", context->method},
                {"root", context->root},
                {"caller", context->caller},
                {"user", context->user},
                {"message", mqttrpc_error_get_message(error)},
                {"topic", buffer_text(&topic)},
                {"timeout", buffer_text(&timeout)},
                {"code", buffer_text(&code)},
                {"retry", buffer_text(&retry)},
                {NULL, NULL},
        };

        template_write(buffer, explanation->text, values);
        write_details(buffer, error, &details);
        write_name(buffer, error);
        write_outcome(buffer, error, explanation->outcome);
        buffer_append_char(buffer, '\n');
        if (explanation->hint)
                write_hint(buffer, explanation->hint, values);
        if (explanation->code == MQTTRPC_ERROR_INVALID_PARAMS && explanation->origin == REMOTE)
                write_string_hint(buffer, error, values);
        if (explanation->status == STATUS_DENIED && explanation->origin == LOCAL &&
            !context->unknown_service)
                write_access_hint(buffer, context, values);
        if (explanation->status == STATUS_TIMEOUT && explanation->origin == LOCAL)
                write_timeout_hint(buffer, context, values);
        if (details.retry_msec > 0)
                write_hint(buffer, "try again in {retry}", values);
        return buffer_status(buffer);
}
