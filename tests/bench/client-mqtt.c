/* SPDX-License-Identifier: MIT */

#include "tests/bench/client.h"

#include <stdio.h>
#include <string.h>

/* Ids are those of our own library, `8hex-counter`, which a service knows to be unique. They all
 * have this many digits, so that a request is made by patching the last one. */
#define FIRST_COUNTER G_GUINT64_CONSTANT(1000000000)

enum { COUNTER_DIGITS = 10 };

typedef struct MqttClient {
        Client base;
        struct mosquitto *mosquitto;
        char *topic;
        int qos;
        unsigned per_request; /* calls */
        bool is_echo;         /* the reply is the request, else a response with results */
        GString *text;        /* the request */
        GArray *counters;     /* offsets in it */
        guint64 counter;
        unsigned replies;
        GQueue starts;
} MqttClient;

/* ---- requests ---- */

static void append_call(MqttClient *client, guint32 prefix, const char *method)
{
        gsize at;

        g_string_append_printf(client->text, "{\"jsonrpc\":\"2.0\",\"id\":\"%08x-", prefix);
        at = client->text->len;
        g_array_append_val(client->counters, at);
        g_string_append_printf(client->text, "%" G_GUINT64_FORMAT "\",", FIRST_COUNTER);
        if (method)
                g_string_append_printf(client->text, "\"method\":\"%s\",", method);
        g_string_append_printf(client->text, "\"params\":%s}",
                               payload_get_params(client->base.payload));
}

static void make_request(MqttClient *client)
{
        guint32 prefix = g_random_int();

        client->text = g_string_new(NULL);
        client->counters = g_array_new(FALSE, FALSE, sizeof(gsize));
        client->counter = FIRST_COUNTER;
        if (client->per_request == 1) {
                append_call(client, prefix, NULL);
                return;
        }
        for (unsigned i = 0; i < client->per_request; i++) {
                g_string_append_c(client->text, i ? ',' : '[');
                append_call(client, prefix, payload_get_method(client->base.payload));
        }
        g_string_append_c(client->text, ']');
}

static void send_request(MqttClient *client)
{
        for (guint i = 0; i < client->counters->len; i++) {
                char *at = client->text->str + g_array_index(client->counters, gsize, i);
                guint64 counter = client->counter++;

                for (int digit = COUNTER_DIGITS; digit > 0; counter /= 10)
                        at[--digit] = (char)('0' + counter % 10);
        }
        connection_publish(client->mosquitto, client->topic, client->text->str, client->text->len,
                           client->qos);
}

/* ---- replies ---- */

static unsigned count_results(const char *text, size_t length, unsigned wanted)
{
        static const char key[] = "\"result\":";
        const char *end = text + length, *at;
        unsigned count = 0;

        /* Not further than needed: a large result is not worth searching. */
        for (at = text; count < wanted; count++) {
                at = memmem(at, (size_t)(end - at), key, strlen(key));
                if (!at)
                        break;
                at += strlen(key);
        }
        return count;
}

static void on_message(struct mosquitto *mosquitto, void *userdata,
                       const struct mosquitto_message *message,
                       const mosquitto_property *properties)
{
        size_t length = (size_t)message->payloadlen;
        MqttClient *client = userdata;

        if (client->is_echo ? length != client->text->len
                            : count_results(message->payload, length, client->per_request) !=
                                      client->per_request)
                g_error("%s: not the answer that was expected: %.*s", message->topic,
                        MIN(message->payloadlen, 1000), (const char *)message->payload);
        client->replies++;
        if (!g_queue_is_empty(&client->starts))
                client_note_end(&client->base, &client->starts);
}

/* ---- calls ---- */

static void call_once(Client *base)
{
        MqttClient *client = (MqttClient *)base;
        unsigned before = client->replies;

        send_request(client);
        while (client->replies == before)
                connection_process(client->mosquitto, false);
}

static void run(Client *base, unsigned calls, unsigned in_flight)
{
        MqttClient *client = (MqttClient *)base;
        unsigned requests = calls / client->per_request;
        unsigned window = MAX(in_flight / client->per_request, 1U), sent = 0;

        client->replies = 0;
        while (client->replies < requests) {
                while (sent < requests && sent < client->replies + window) {
                        client_note_start(&client->base, &client->starts);
                        send_request(client);
                        sent++;
                }
                connection_process(client->mosquitto, true);
        }
}

static void free_client(Client *base)
{
        MqttClient *client = (MqttClient *)base;

        connection_close(client->mosquitto);
        g_free(client->topic);
        g_string_free(client->text, TRUE);
        g_array_free(client->counters, TRUE);
        g_free(client);
}

Client *client_new_mqtt(const ClientMqtt *settings, const Payload *payload)
{
        static const ClientOps ops = {.call = call_once, .run = run, .free = free_client};
        const char *user = settings->connection.user;
        const char *prefix = settings->prefix ? settings->prefix : "";
        MqttClient *client = g_new0(MqttClient, 1);
        g_autofree char *filter = NULL;

        client->base = (Client){.ops = &ops, .payload = payload};
        client->qos = settings->qos;
        client->per_request = MAX(settings->batch, 1U);
        client->is_echo = !strcmp(settings->service, "raw");
        if (client->per_request > 1) {
                filter = g_strdup_printf("%smb1/%s/+/rpc/%s/+", prefix, settings->service, user);
                client->topic =
                        g_strdup_printf("%smb1/%s/-/rpc/%s", prefix, settings->service, user);
        } else {
                filter = g_strdup_printf("%smb1/%s/+/call/+/%s/+", prefix, settings->service, user);
                client->topic = g_strdup_printf("%smb1/%s/-/call/%s/%s", prefix, settings->service,
                                                payload_get_method(payload), user);
        }
        make_request(client);
        client->mosquitto =
                connection_open(&settings->connection, filter, settings->qos, on_message, client);
        return &client->base;
}
