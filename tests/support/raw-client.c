/* SPDX-License-Identifier: MIT */

#include "tests/support/raw-client.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <poll.h>
#include <string.h>

struct RawClient {
        struct mosquitto *mosquitto;
        bool mqtt5;
        int connack; /* -1: not yet */
        int suback_mid, puback_mid, puback_reason;
        bool lost;
        unsigned count;
        GQueue messages;
        RawMessage *current;
};

static void raw_message_free(gpointer data)
{
        RawMessage *message = data;

        if (!message)
                return;
        g_free(message->topic);
        g_free(message->payload);
        free(message->correlation);
        free(message->response_topic);
        free(message->rc);
        g_free(message);
}

/* ---- events ---- */

static void on_connect(struct mosquitto *mosquitto, void *userdata, int reason, int flags,
                       const mosquitto_property *properties)
{
        ((RawClient *)userdata)->connack = reason;
}

static void on_disconnect(struct mosquitto *mosquitto, void *userdata, int reason,
                          const mosquitto_property *properties)
{
        ((RawClient *)userdata)->lost = true;
}

static void on_subscribe(struct mosquitto *mosquitto, void *userdata, int mid, int n_granted,
                         const int *granted, const mosquitto_property *properties)
{
        ((RawClient *)userdata)->suback_mid = mid;
}

static void on_publish(struct mosquitto *mosquitto, void *userdata, int mid, int reason,
                       const mosquitto_property *properties)
{
        RawClient *client = userdata;

        client->puback_mid = mid;
        client->puback_reason = reason;
}

static void read_properties(const mosquitto_property *properties, RawMessage *message)
{
        char *name = NULL, *value = NULL;
        uint16_t length = 0;

        if (mosquitto_property_read_binary(properties, MQTT_PROP_CORRELATION_DATA,
                                           (void **)&message->correlation, &length, false))
                message->correlation_length = length;
        mosquitto_property_read_string(properties, MQTT_PROP_RESPONSE_TOPIC,
                                       &message->response_topic, false);
        if (mosquitto_property_read_string_pair(properties, MQTT_PROP_USER_PROPERTY, &name, &value,
                                                false) &&
            !strcmp(name, "rc"))
                message->rc = STEAL(value);
        free(name);
        free(value);
}

static void on_message(struct mosquitto *mosquitto, void *userdata,
                       const struct mosquitto_message *received,
                       const mosquitto_property *properties)
{
        RawClient *client = userdata;
        RawMessage *message = g_new0(RawMessage, 1);

        message->topic = g_strdup(received->topic);
        message->length = (size_t)received->payloadlen;
        message->payload = g_malloc0(message->length + 1);
        if (message->length > 0)
                memcpy(message->payload, received->payload, message->length);
        message->qos = received->qos;
        message->retain = received->retain;
        if (properties)
                read_properties(properties, message);
        g_queue_push_tail(&client->messages, message);
        client->count++;
}

/* ---- loop ---- */

static int get_fd(void *userdata)
{
        return mosquitto_socket(((RawClient *)userdata)->mosquitto);
}

static int get_events(void *userdata)
{
        return POLLIN | (mosquitto_want_write(((RawClient *)userdata)->mosquitto) ? POLLOUT : 0);
}

static uint64_t get_timeout(void *userdata)
{
        return UINT64_MAX;
}

static void process(void *userdata, int revents)
{
        RawClient *client = userdata;

        if (revents & ~POLLOUT)
                mosquitto_loop_read(client->mosquitto, 1);
        mosquitto_loop_write(client->mosquitto, 1);
}

/* ---- life ---- */

static void set_up(RawClient *client, const RawOptions *options)
{
        struct mosquitto *mosquitto = client->mosquitto;

        mosquitto_int_option(mosquitto, MOSQ_OPT_PROTOCOL_VERSION,
                             client->mqtt5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
        mosquitto_int_option(mosquitto, MOSQ_OPT_SEND_MAXIMUM, UINT16_MAX);
        if (options->user)
                mosquitto_username_pw_set(mosquitto, options->user, options->password);
        mosquitto_connect_v5_callback_set(mosquitto, on_connect);
        mosquitto_disconnect_v5_callback_set(mosquitto, on_disconnect);
        mosquitto_subscribe_v5_callback_set(mosquitto, on_subscribe);
        mosquitto_publish_v5_callback_set(mosquitto, on_publish);
        mosquitto_message_v5_callback_set(mosquitto, on_message);
}

RawClient *raw_client_new(const Broker *broker, const RawOptions *options)
{
        static const RawOptions none;
        RawClient *client = g_new0(RawClient, 1);
        mosquitto_property *properties = NULL;
        int rc;

        options = options ? options : &none;
        mosquitto_lib_init();
        client->connack = -1;
        client->mqtt5 = !options->mqtt311;
        client->mosquitto = mosquitto_new(options->id, true, client);
        g_assert_nonnull(client->mosquitto);
        set_up(client, options);
        if (options->take_max > 0)
                mosquitto_property_add_int32(&properties, MQTT_PROP_MAXIMUM_PACKET_SIZE,
                                             options->take_max);
        rc = mosquitto_connect_bind_v5(client->mosquitto,
                                       options->port ? "127.0.0.1" : broker_get_socket(broker),
                                       options->port, 60, NULL, properties);
        mosquitto_property_free_all(&properties);
        g_assert_cmpint(rc, ==, MOSQ_ERR_SUCCESS);
        loop_add(&(LoopItem){get_fd, get_events, get_timeout, process, client});
        g_assert_true(LOOP_UNTIL(client->connack >= 0));
        g_assert_cmpint(client->connack, ==, 0);
        return client;
}

RawClient *raw_client_free(RawClient *client)
{
        if (!client)
                return NULL;
        loop_remove(client);
        mosquitto_disconnect(client->mosquitto);
        mosquitto_destroy(client->mosquitto);
        g_queue_clear_full(&client->messages, raw_message_free);
        raw_message_free(client->current);
        g_free(client);
        return NULL;
}

void raw_client_subscribe(RawClient *client, const char *filter)
{
        int mid;

        g_assert_cmpint(mosquitto_subscribe(client->mosquitto, &mid, filter, 1), ==, 0);
        g_assert_true(LOOP_UNTIL(client->suback_mid == mid));
}

void raw_client_subscribe_fresh(RawClient *client, const char *filter)
{
        int mid;

        g_assert_cmpint(mosquitto_subscribe_v5(client->mosquitto, &mid, filter, 1,
                                               MQTT_SUB_OPT_SEND_RETAIN_NEVER, NULL),
                        ==, 0);
        g_assert_true(LOOP_UNTIL(client->suback_mid == mid));
}

/* ---- sending ---- */

static void add_user(mosquitto_property **properties, const char *name, const char *value)
{
        if (value)
                g_assert_cmpint(mosquitto_property_add_string_pair(
                                        properties, MQTT_PROP_USER_PROPERTY, name, value),
                                ==, 0);
}

static int post(RawClient *client, const RawPublish *publish, int qos)
{
        mosquitto_property *properties = NULL;
        size_t length = publish->length;
        int rc, mid;

        if (length == 0 && publish->payload)
                length = strlen(publish->payload);
        if (publish->response_topic)
                g_assert_cmpint(mosquitto_property_add_string(&properties, MQTT_PROP_RESPONSE_TOPIC,
                                                              publish->response_topic),
                                ==, 0);
        if (publish->correlation)
                mosquitto_property_add_binary(&properties, MQTT_PROP_CORRELATION_DATA,
                                              publish->correlation,
                                              (uint16_t)publish->correlation_length);
        if (publish->expiry_sec > 0)
                mosquitto_property_add_int32(&properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,
                                             publish->expiry_sec);
        add_user(&properties, "ttl", publish->ttl);
        add_user(&properties, "epoch", publish->epoch);
        add_user(&properties, "pg", publish->pg);
        rc = mosquitto_publish_v5(client->mosquitto, &mid, publish->topic, (int)length,
                                  publish->payload, qos, publish->retain, properties);
        mosquitto_property_free_all(&properties);
        g_assert_cmpint(rc, ==, MOSQ_ERR_SUCCESS);
        return mid;
}

void raw_client_post(RawClient *client, const RawPublish *publish)
{
        post(client, publish, publish->qos);
}

int raw_client_publish(RawClient *client, const RawPublish *publish)
{
        int mid = post(client, publish, 1);

        g_assert_true(LOOP_UNTIL(client->puback_mid == mid));
        return client->puback_reason;
}

/* ---- receiving ---- */

const RawMessage *raw_client_poll(RawClient *client)
{
        if (g_queue_is_empty(&client->messages))
                return NULL;
        raw_message_free(client->current);
        client->current = g_queue_pop_head(&client->messages);
        return client->current;
}

const RawMessage *raw_client_receive(RawClient *client)
{
        g_assert_true(LOOP_UNTIL(!g_queue_is_empty(&client->messages)));
        return raw_client_poll(client);
}

unsigned raw_client_count(const RawClient *client)
{
        return client->count;
}

bool raw_client_is_connected(const RawClient *client)
{
        return !client->lost;
}
