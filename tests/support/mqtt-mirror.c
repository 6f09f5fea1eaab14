/* SPDX-License-Identifier: MIT */

#include "tests/support/mqtt-mirror.h"

#include "tests/support/wait.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <string.h>

#define ROOT "mb1/"

struct MqttMirror {
        struct mosquitto *mosquitto;
        bool subscribed;
        GHashTable *topics;  /* topic → payload */
        GPtrArray *messages; /* "topic payload" */
};

static void on_subscribed(struct mosquitto *mosquitto, void *userdata, int id, int count,
                          const int *qos)
{
        MqttMirror *mirror = userdata;

        mirror->subscribed = true;
}

static bool is_retained_topic(const char *topic)
{
        return strstr(topic, "/prop/") || strstr(topic, "/$");
}

static void on_message(struct mosquitto *mosquitto, void *userdata,
                       const struct mosquitto_message *message, const mosquitto_property *unused)
{
        const char *topic = message->topic + strlen(ROOT);
        MqttMirror *mirror = userdata;
        char *payload = g_strndup(message->payload, (size_t)message->payloadlen);

        g_ptr_array_add(mirror->messages, g_strdup_printf("%s %s", topic, payload));
        if (message->payloadlen == 0 || !is_retained_topic(topic)) {
                g_hash_table_remove(mirror->topics, topic);
                g_free(payload);
        } else {
                g_hash_table_insert(mirror->topics, g_strdup(topic), payload);
        }
}

static void turn(MqttMirror *mirror, int msec)
{
        g_assert_cmpint(mosquitto_loop(mirror->mosquitto, msec, 1), ==, MOSQ_ERR_SUCCESS);
}

MqttMirror *mqtt_mirror_new(Broker *broker, const char *user)
{
        g_autofree char *file = broker_get_password_file(broker, user);
        MqttMirror *mirror = g_new0(MqttMirror, 1);
        gint64 deadline = wait_deadline(WAIT_MSEC);
        g_autofree char *password = NULL;

        mosquitto_lib_init();
        g_assert_true(g_file_get_contents(file, &password, NULL, NULL));
        mirror->topics = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        mirror->messages = g_ptr_array_new_with_free_func(g_free);
        mirror->mosquitto = mosquitto_new(NULL, true, mirror);
        mosquitto_int_option(mirror->mosquitto, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
        mosquitto_username_pw_set(mirror->mosquitto, user, g_strchomp(password));
        mosquitto_subscribe_callback_set(mirror->mosquitto, on_subscribed);
        mosquitto_message_v5_callback_set(mirror->mosquitto, on_message);
        g_assert_cmpint(mosquitto_connect(mirror->mosquitto, broker_get_socket(broker), 0, 600), ==,
                        MOSQ_ERR_SUCCESS);
        g_assert_cmpint(mosquitto_subscribe(mirror->mosquitto, NULL, ROOT "#", 1), ==,
                        MOSQ_ERR_SUCCESS);
        while (!mirror->subscribed && wait_left(deadline) > 0)
                turn(mirror, wait_left(deadline));
        g_assert_true(mirror->subscribed);
        return mirror;
}

MqttMirror *mqtt_mirror_free(MqttMirror *mirror)
{
        if (!mirror)
                return NULL;
        mosquitto_destroy(mirror->mosquitto);
        mosquitto_lib_cleanup();
        g_hash_table_unref(mirror->topics);
        g_ptr_array_unref(mirror->messages);
        g_free(mirror);
        return NULL;
}

const char *mqtt_mirror_get(const MqttMirror *mirror, const char *topic)
{
        return g_hash_table_lookup(mirror->topics, topic);
}

void mqtt_mirror_expect(MqttMirror *mirror, const char *topic, const char *payload)
{
        gint64 deadline = wait_deadline(WAIT_MSEC);

        while (g_strcmp0(mqtt_mirror_get(mirror, topic), payload) != 0) {
                if (wait_left(deadline) == 0)
                        g_error("%s is %s, not %s", topic, mqtt_mirror_get(mirror, topic), payload);
                turn(mirror, wait_left(deadline));
        }
}

void mqtt_mirror_expect_text(MqttMirror *mirror, const char *topic, const char *text)
{
        gint64 deadline = wait_deadline(WAIT_MSEC);
        const char *payload;

        while (!(payload = mqtt_mirror_get(mirror, topic)) || !strstr(payload, text)) {
                if (wait_left(deadline) == 0)
                        g_error("%s is %s, without %s", topic, payload, text);
                turn(mirror, wait_left(deadline));
        }
}

guint mqtt_mirror_expect_message(MqttMirror *mirror, const char *line)
{
        gint64 deadline = wait_deadline(WAIT_MSEC);

        for (guint i = 0;; i++) {
                while (i == mirror->messages->len) {
                        if (wait_left(deadline) == 0)
                                g_error("no message '%s'", line);
                        turn(mirror, wait_left(deadline));
                }
                if (g_str_has_prefix(mirror->messages->pdata[i], line))
                        return i;
        }
}

const char *mqtt_mirror_get_message(const MqttMirror *mirror, guint place)
{
        return place < mirror->messages->len ? mirror->messages->pdata[place] : NULL;
}

guint mqtt_mirror_count(const MqttMirror *mirror, const char *line)
{
        guint count = 0;

        for (guint i = 0; i < mirror->messages->len; i++)
                count += g_str_has_prefix(mirror->messages->pdata[i], line) ? 1 : 0;
        return count;
}

guint mqtt_mirror_count_retained(const MqttMirror *mirror, const char *prefix)
{
        GHashTableIter iter;
        gpointer topic;
        guint count = 0;

        g_hash_table_iter_init(&iter, mirror->topics);
        while (g_hash_table_iter_next(&iter, &topic, NULL))
                count += g_str_has_prefix(topic, prefix) ? 1 : 0;
        return count;
}

char *mqtt_mirror_dup_tree(const MqttMirror *mirror)
{
        g_autoptr(GList) topics = g_hash_table_get_keys(mirror->topics);
        GString *tree = g_string_new(NULL);

        topics = g_list_sort(topics, (GCompareFunc)strcmp);
        for (GList *topic = topics; topic; topic = topic->next)
                g_string_append_printf(tree, "%s %s\n", (char *)topic->data,
                                       mqtt_mirror_get(mirror, topic->data));
        return g_string_free(tree, FALSE);
}

bool mqtt_mirror_turn(MqttMirror *mirror)
{
        gint64 deadline = wait_deadline(WAIT_MSEC);
        guint before = mirror->messages->len;

        while (mirror->messages->len == before && wait_left(deadline) > 0)
                turn(mirror, wait_left(deadline));
        return mirror->messages->len > before;
}

void mqtt_mirror_clear(MqttMirror *mirror)
{
        g_ptr_array_set_size(mirror->messages, 0);
}
