/* SPDX-License-Identifier: MIT */

#include "cli/report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/explain.h"
#include "cli/json-print.h"
#include "cli/mosquitto-line.h"
#include "cli/near.h"
#include "common/json-write.h"
#include "common/printable.h"

int report_usage(const char *verb, const Error *error)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);

        printable_write(&buffer, error_text(error));
        fprintf(stderr, "mqttrpc: %s\nhint: see 'mqttrpc %s%s--help'\n", buffer_text(&buffer),
                verb ? verb : "", verb ? " " : "");
        return STATUS_USAGE;
}

int report_internal(int negative_errno)
{
        fprintf(stderr, "mqttrpc: %s\n", strerrordesc_np(-negative_errno));
        return STATUS_INTERNAL;
}

static int report_signal(const Client *client, bool sent)
{
        fprintf(stderr, "mqttrpc: interrupted%s\n",
                sent ? "; the method may have been executed" : "");
        return 128 + client->signal;
}

int report_print(const Buffer *buffer)
{
        if (buffer_status(buffer) < 0)
                return report_internal(buffer_status(buffer));
        errno = 0;
        if (fwrite(buffer_text(buffer), 1, buffer->length, stdout) == buffer->length &&
            fflush(stdout) == 0)
                return STATUS_OK;
        /* Who reads no further, as head(1), does not want to hear about it. */
        if (errno != EPIPE)
                fprintf(stderr, "mqttrpc: cannot write the output: %s\n", strerrordesc_np(errno));
        return STATUS_INTERNAL;
}

void report_command_line(const Client *client, const ClientCall *call, bool notification)
{
        CLEANUP_BUFFER Buffer line = BUFFER_INIT(0);

        /* Without a caller the bus could not be opened, and an error follows. */
        if (client->settings->verbose && mqttrpc_bus_get_caller(client->bus) &&
            mosquitto_line_write(&line, client, call, notification) >= 0)
                fprintf(stderr, "%s\n", buffer_text(&line));
}

/* ---- errors ---- */

void report_write_error_member(Buffer *buffer, const MqttRpcError *error)
{
        const char *message = mqttrpc_error_get_message(error);
        const char *data = mqttrpc_error_get_data(error);

        buffer_printf(buffer, "\"error\":{\"code\":%d,\"message\":", mqttrpc_error_get_code(error));
        json_write_string(buffer, message, strlen(message));
        if (data) {
                buffer_append_text(buffer, ",\"data\":");
                json_print_text(buffer, data, strlen(data), JSON_COMPACT);
        }
        buffer_append_char(buffer, '}');
}

static int report_json_error(const MqttRpcError *error, int status)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        int r;

        buffer_append_char(&buffer, '{');
        report_write_error_member(&buffer, error);
        buffer_append_text(&buffer, "}\n");
        r = report_print(&buffer);
        return r == STATUS_OK ? status : r;
}

static int report_text(const Buffer *text, int status)
{
        if (buffer_status(text) < 0)
                return report_internal(buffer_status(text));
        fprintf(stderr, "mqttrpc: %s", buffer_text(text));
        return status;
}

int report_no_connection(const Client *client, int r, const MqttRpcError *error)
{
        const ConnectContext context = {
                .address = &client->address,
                .user = client->user,
                .has_password = client->has_password,
        };
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);

        if (client->signal)
                return report_signal(client, false);
        if (!error)
                return report_internal(r);
        if (client->settings->json)
                return report_json_error(error, explain_status(error));
        if (mqttrpc_error_get_code(error) == MQTTRPC_ERROR_DISCONNECTED)
                explain_connect(&text, error, &context);
        else /* what no connection was tried for */
                buffer_printf(&text, "%s\n", mqttrpc_error_get_message(error));
        return report_text(&text, explain_status(error));
}

int report_failed_call(const Client *client, const ClientCall *call, int r,
                       const MqttRpcError *error)
{
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0), hints = BUFFER_INIT(0);
        CallContext context = {
                .service = call->service,
                .object = call->object,
                .method = call->method,
                .root = client->settings->root,
                .caller = mqttrpc_bus_get_caller(client->bus),
                .user = client->user,
                .timeout_usec = call->timeout_usec,
                .sees_refusals = client->settings->protocol == 5 && client->settings->qos == 1,
        };

        if (client->signal)
                return report_signal(client, true);
        if (!error)
                return report_internal(r);
        if (client->settings->json)
                return report_json_error(error, explain_status(error));
        near_write_hints(&hints, client, call, error, &context.unknown_service);
        explain_error(&text, error, &context);
        buffer_append_text(&text, buffer_text(&hints));
        return report_text(&text, explain_status(error));
}

int report_failed_watch(const Client *client, int r, const MqttRpcError *error)
{
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);

        if (client->signal)
                return report_signal(client, false);
        if (!error)
                return report_internal(r);
        if (client->settings->json)
                return report_json_error(error, explain_status(error));
        printable_write(&text, mqttrpc_error_get_message(error));
        buffer_append_char(&text, '\n');
        return report_text(&text, explain_status(error));
}

/* ---- results ---- */

int report_value(const Client *client, const char *text, size_t length)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        bool json = client->settings->json;
        int r;

        if (json)
                buffer_append_text(&buffer, "{\"result\":");
        r = json_print_text(&buffer, text, length, json ? JSON_COMPACT : JSON_INDENTED);
        if (r < 0)
                return report_internal(r);
        buffer_append_text(&buffer, json ? "}\n" : "\n");
        return report_print(&buffer);
}

int report_result(const Client *client, const MqttRpcReply *reply)
{
        size_t length;
        const char *result = mqttrpc_reply_get_result(reply, &length);

        return report_value(client, result, length);
}
