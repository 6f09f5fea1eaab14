/* SPDX-License-Identifier: MIT */

#include "cli/mosquitto-line.h"

#include <inttypes.h>
#include <string.h>

#include "common/util.h"

/* Appends a word as a shell reads it: in single quotes unless it is harmless. */
static void write_word(Buffer *buffer, const char *text)
{
        static const char harmless[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789_.,:/@%+-";

        if (*text && text[strspn(text, harmless)] == '\0') {
                buffer_append_text(buffer, text);
                return;
        }
        buffer_append_char(buffer, '\'');
        for (; *text; text++) {
                if (*text == '\'')
                        buffer_append_text(buffer, "'\\''");
                else
                        buffer_append_char(buffer, *text);
        }
        buffer_append_char(buffer, '\'');
}

static void write_option(Buffer *buffer, const char *option, const char *value)
{
        if (!value)
                return;
        buffer_printf(buffer, " %s ", option);
        write_word(buffer, value);
}

static void write_address(Buffer *buffer, const Client *client)
{
        const Settings *settings = client->settings;
        const Address *address = &client->address;

        if (address->unix_socket) {
                write_option(buffer, "--unix", address->host);
                return;
        }
        write_option(buffer, "-h", address->host);
        write_option(buffer, "-p", address->port);
        if (!address->tls)
                return;
        if (settings->ca_file)
                write_option(buffer, "--cafile", settings->ca_file);
        else
                write_option(buffer, "--capath", "/etc/ssl/certs");
        write_option(buffer, "--cert", settings->cert_file);
        write_option(buffer, "--key", settings->key_file);
}

static void write_credentials(Buffer *buffer, const Client *client)
{
        write_option(buffer, "-i", client->settings->client_id);
        write_option(buffer, "-u", client->user);
        if (client->password_file) {
                buffer_append_text(buffer, " -P \"$(head -n 1 ");
                write_word(buffer, client->password_file);
                buffer_append_text(buffer, ")\"");
        } else if (client->has_password) {
                buffer_append_text(buffer, " -P PASSWORD");
        }
}

static void write_payload(Buffer *buffer, const ClientCall *call, bool notification)
{
        CLEANUP_BUFFER Buffer payload = BUFFER_INIT(0);

        buffer_printf(&payload, "{\"jsonrpc\":\"2.0\",%s\"method\":\"%s\"",
                      notification ? "" : "\"id\":1,", call->method);
        if (call->params)
                buffer_printf(&payload, ",\"params\":%s", call->params);
        buffer_append_char(&payload, '}');
        write_option(buffer, "-m", buffer_text(&payload));
}

int mosquitto_line_write(Buffer *buffer, const Client *client, const ClientCall *call,
                         bool notification)
{
        const Settings *settings = client->settings;
        CLEANUP_BUFFER Buffer topic = BUFFER_INIT(0);

        buffer_printf(&topic, "%s/%s/%s/call/%s/%s", settings->root, call->service, call->object,
                      call->method, mqttrpc_bus_get_caller(client->bus));
        buffer_append_text(buffer, notification ? "mosquitto_pub" : "mosquitto_rr");
        write_address(buffer, client);
        write_credentials(buffer, client);
        buffer_printf(buffer, " -V %s -q %u", settings->protocol == 5 ? "5" : "311", settings->qos);
        if (!notification)
                buffer_printf(buffer, " -W %" PRIu64,
                              (call->timeout_usec + USEC_PER_SEC - 1) / USEC_PER_SEC);
        write_option(buffer, "-t", buffer_text(&topic));
        if (!notification) {
                buffer_append_text(&topic, "/reply");
                write_option(buffer, "-e", buffer_text(&topic));
        }
        write_payload(buffer, call, notification);
        return buffer_status(buffer);
}

int mosquitto_line_write_watch(Buffer *buffer, const Client *client, const char *const *filters,
                               bool retained)
{
        const Settings *settings = client->settings;

        buffer_append_text(buffer, "mosquitto_sub");
        write_address(buffer, client);
        write_credentials(buffer, client);
        buffer_printf(buffer, " -V %s -q 1 -v", settings->protocol == 5 ? "5" : "311");
        if (retained)
                buffer_append_text(buffer, " --retained-only -W 1");
        for (; *filters; filters++) {
                CLEANUP_BUFFER Buffer topic = BUFFER_INIT(0);

                buffer_printf(&topic, "%s/%s", settings->root, *filters);
                write_option(buffer, "-t", buffer_text(&topic));
        }
        return buffer_status(buffer);
}
