/* SPDX-License-Identifier: MIT */

#include "tests/support/mqtt-client.h"

#include "tests/support/wait.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <string.h>

struct MqttClient {
        Broker *broker;
        char *user;
        struct mosquitto *mosquitto;
        int subscribed; /* SUBACKs received */
        unsigned last_id;
        GPtrArray *replies; /* char *, payloads */
};

static void on_subscribed(struct mosquitto *mosquitto, void *userdata, int id, int count,
                          const int *qos)
{
        MqttClient *client = userdata;

        g_assert_cmpint(qos[0], <, 128);
        client->subscribed++;
}

static void on_message(struct mosquitto *mosquitto, void *userdata,
                       const struct mosquitto_message *message, const mosquitto_property *unused)
{
        MqttClient *client = userdata;

        g_ptr_array_add(client->replies, g_strndup(message->payload, (size_t)message->payloadlen));
}

static void turn(MqttClient *client, int msec)
{
        g_assert_cmpint(mosquitto_loop(client->mosquitto, msec, 1), ==, MOSQ_ERR_SUCCESS);
}

static void subscribe(MqttClient *client, const char *kind)
{
        g_autofree char *filter = g_strdup_printf("mb1/+/+/%s/%s/+", kind, client->user);

        g_assert_cmpint(mosquitto_subscribe(client->mosquitto, NULL, filter, 1), ==,
                        MOSQ_ERR_SUCCESS);
}

static void connect_client(MqttClient *client)
{
        g_autofree char *file = broker_get_password_file(client->broker, client->user);
        g_autofree char *password = NULL;
        gint64 deadline = wait_deadline(WAIT_MSEC);

        g_assert_true(g_file_get_contents(file, &password, NULL, NULL));
        client->mosquitto = mosquitto_new(NULL, true, client);
        g_assert_nonnull(client->mosquitto);
        mosquitto_int_option(client->mosquitto, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
        mosquitto_int_option(client->mosquitto, MOSQ_OPT_SEND_MAXIMUM, 65535);
        mosquitto_username_pw_set(client->mosquitto, client->user, g_strchomp(password));
        mosquitto_subscribe_callback_set(client->mosquitto, on_subscribed);
        mosquitto_message_v5_callback_set(client->mosquitto, on_message);
        g_assert_cmpint(
                mosquitto_connect(client->mosquitto, broker_get_socket(client->broker), 0, 600), ==,
                MOSQ_ERR_SUCCESS);
        client->subscribed = 0;
        subscribe(client, "call/+");
        subscribe(client, "rpc");
        while (client->subscribed < 2) {
                g_assert_cmpint(wait_left(deadline), >, 0);
                turn(client, wait_left(deadline));
        }
}

MqttClient *mqtt_client_new(Broker *broker, const char *user)
{
        MqttClient *client = g_new0(MqttClient, 1);

        mosquitto_lib_init();
        client->broker = broker;
        client->user = g_strdup(user);
        client->replies = g_ptr_array_new_with_free_func(g_free);
        connect_client(client);
        return client;
}

MqttClient *mqtt_client_free(MqttClient *client)
{
        if (!client)
                return NULL;
        mosquitto_destroy(client->mosquitto);
        mosquitto_lib_cleanup();
        g_ptr_array_unref(client->replies);
        g_free(client->user);
        g_free(client);
        return NULL;
}

void mqtt_client_reconnect(MqttClient *client)
{
        mosquitto_destroy(client->mosquitto);
        mqtt_client_clear(client);
        connect_client(client);
}

/* ---- sending ---- */

static void publish(MqttClient *client, const char *topic, const void *payload, size_t length,
                    const mosquitto_property *properties)
{
        g_assert_cmpint(mosquitto_publish_v5(client->mosquitto, NULL, topic, (int)length, payload,
                                             1, false, properties),
                        ==, MOSQ_ERR_SUCCESS);
}

void mqtt_client_publish(MqttClient *client, const char *topic, const void *payload, size_t length)
{
        publish(client, topic, payload, length, NULL);
}

static void add_number(mosquitto_property **properties, const char *name, unsigned value)
{
        g_autofree char *text = g_strdup_printf("%u", value);

        if (value > 0)
                g_assert_cmpint(mosquitto_property_add_string_pair(
                                        properties, MQTT_PROP_USER_PROPERTY, name, text),
                                ==, MOSQ_ERR_SUCCESS);
}

unsigned mqtt_client_send(MqttClient *client, const MqttRequest *request)
{
        g_autofree char *topic = g_strdup_printf("mb1/%s/%s/call/%s/%s", request->service,
                                                 request->object ? request->object : "-",
                                                 request->method, client->user);
        g_autoptr(GString) payload = g_string_new("{\"jsonrpc\":\"2.0\"");
        mosquitto_property *properties = NULL;

        if (!request->notification)
                g_string_append_printf(payload, ",\"id\":\"%u\"", ++client->last_id);
        if (request->params)
                g_string_append_printf(payload, ",\"params\":%s", request->params);
        g_string_append_c(payload, '}');
        add_number(&properties, "ttl", request->ttl_msec);
        add_number(&properties, "hops", request->hops);
        publish(client, topic, payload->str, payload->len, properties);
        mosquitto_property_free_all(&properties);
        return client->last_id;
}

/* ---- receiving ---- */

static char *take_reply(MqttClient *client, const char *mark)
{
        for (guint i = 0; i < client->replies->len; i++)
                if (strstr(client->replies->pdata[i], mark))
                        return g_ptr_array_steal_index(client->replies, i);
        return NULL;
}

static char *wait_for(MqttClient *client, const char *mark, unsigned msec)
{
        gint64 deadline = wait_deadline(msec);
        char *reply;

        while (!(reply = take_reply(client, mark)) && wait_left(deadline) > 0)
                turn(client, wait_left(deadline));
        return reply;
}

char *mqtt_client_wait(MqttClient *client, unsigned id, unsigned msec)
{
        g_autofree char *mark = g_strdup_printf("\"id\":\"%u\"", id);

        return wait_for(client, mark, msec);
}

char *mqtt_client_wait_any(MqttClient *client, unsigned msec)
{
        return wait_for(client, "", msec);
}

char *mqtt_client_call(MqttClient *client, const MqttRequest *request)
{
        char *reply = mqtt_client_wait(client, mqtt_client_send(client, request), WAIT_MSEC);

        if (!reply)
                g_error("no reply to %s/%s", request->service, request->method);
        return reply;
}

size_t mqtt_client_collect(MqttClient *client)
{
        guint before;

        do {
                before = client->replies->len;
                turn(client, 0);
        } while (client->replies->len > before);
        return client->replies->len;
}

void mqtt_client_clear(MqttClient *client)
{
        g_ptr_array_set_size(client->replies, 0);
}
