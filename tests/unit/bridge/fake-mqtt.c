/* SPDX-License-Identifier: MIT */

#include "tests/unit/bridge/fake-mqtt.h"

#include <errno.h>
#include <string.h>

struct Mqtt {
        const MqttEvents *events;
        void *userdata;
        MqttSettings settings; /* its texts are borrowed, and good while the test looks at them */
        bool open, failed_long;
        char *failure;
        GQueue *published; /* FakePublish */
        FakePublish *taken;
        GPtrArray *filters;
        unsigned n_subscribed, n_unanswered;
        int refuse, last_mid;
        uint64_t lag;
};

static void fake_publish_free(FakePublish *publish)
{
        if (!publish)
                return;
        g_free(publish->topic);
        g_free(publish->payload);
        g_free(publish->response_topic);
        g_free(publish->ttl);
        g_free(publish->origin);
        g_free(publish->eid);
        g_free(publish->rc);
        g_free(publish);
}

/* ---- what the bridge sees ---- */

int mqtt_new(const MqttEvents *events, void *userdata, Mqtt **ret_mqtt)
{
        Mqtt *mqtt = g_new0(Mqtt, 1);

        *mqtt = (Mqtt){.events = events, .userdata = userdata, .published = g_queue_new()};
        mqtt->filters = g_ptr_array_new_with_free_func(g_free);
        *ret_mqtt = mqtt;
        return 0;
}

Mqtt *mqtt_free(Mqtt *mqtt)
{
        if (!mqtt)
                return NULL;
        g_queue_free_full(mqtt->published, (GDestroyNotify)fake_publish_free);
        fake_publish_free(mqtt->taken);
        g_ptr_array_unref(mqtt->filters);
        g_free(mqtt->failure);
        g_free(mqtt);
        return NULL;
}

int mqtt_open(Mqtt *mqtt, const MqttSettings *settings, Error **ret_error)
{
        mqtt->settings = *settings;
        mqtt->open = false;
        return 0;
}

void mqtt_adopt(Mqtt *mqtt, const Endpoint *endpoint)
{
        mqtt->settings.endpoint = endpoint;
}

void mqtt_fail(Mqtt *mqtt, const char *reason)
{
        if (!mqtt->failure)
                mqtt->failure = g_strdup(reason);
}

void mqtt_fail_long(Mqtt *mqtt, const char *reason)
{
        mqtt_fail(mqtt, reason);
        mqtt->failed_long = true;
}

bool mqtt_is_open(const Mqtt *mqtt)
{
        return mqtt->open && !mqtt->failure;
}

int mqtt_subscribe(Mqtt *mqtt, const char *const *filters, size_t n_filters, bool fresh,
                   int *ret_mid)
{
        if (!mqtt_is_open(mqtt))
                return -ENOTCONN;
        for (size_t i = 0; i < n_filters; i++)
                g_ptr_array_add(mqtt->filters, g_strdup(filters[i]));
        mqtt->n_subscribed += (unsigned)n_filters;
        *ret_mid = ++mqtt->last_mid;
        return 0;
}

int mqtt_unsubscribe(Mqtt *mqtt, const char *const *filters, size_t n_filters)
{
        guint index;

        if (!mqtt_is_open(mqtt))
                return -ENOTCONN;
        for (size_t i = 0; i < n_filters; i++)
                while (g_ptr_array_find_with_equal_func(mqtt->filters, filters[i], g_str_equal,
                                                        &index))
                        g_ptr_array_remove_index(mqtt->filters, index);
        return 0;
}

int mqtt_publish(Mqtt *mqtt, const MqttPublish *publish, uint64_t cookie)
{
        FakePublish *copy;

        if (!mqtt_is_open(mqtt))
                return -ENOTCONN;
        if (mqtt->refuse < 0)
                return mqtt->refuse;
        copy = g_new0(FakePublish, 1);
        *copy = (FakePublish){.topic = g_strdup(publish->topic),
                              .payload = g_strndup(publish->payload, publish->length),
                              .response_topic = g_strdup(publish->response_topic),
                              .length = publish->length,
                              .qos = publish->qos,
                              .retain = publish->retain,
                              .expiry_sec = publish->expiry_sec,
                              .cookie = cookie};
        if (publish->correlation_length > 0)
                memcpy(&copy->correlation, publish->correlation,
                       MIN(publish->correlation_length, sizeof(copy->correlation)));
        for (size_t i = 0; i < publish->n_pairs; i++) {
                const MqttPair *pair = &publish->pairs[i];

                if (strcmp(pair->name, "ttl") == 0)
                        copy->ttl = g_strdup(pair->value);
                else if (strcmp(pair->name, "origin") == 0)
                        copy->origin = g_strdup(pair->value);
                else if (strcmp(pair->name, "eid") == 0)
                        copy->eid = g_strdup(pair->value);
                else if (strcmp(pair->name, "rc") == 0)
                        copy->rc = g_strdup(pair->value);
        }
        g_queue_push_tail(mqtt->published, copy);
        mqtt->n_unanswered += publish->qos > 0;
        return 0;
}

size_t mqtt_count_unanswered(const Mqtt *mqtt)
{
        return mqtt->n_unanswered;
}

uint64_t mqtt_get_lag(const Mqtt *mqtt, uint64_t now)
{
        return mqtt->lag;
}

/* ---- what the test does ---- */

void fake_mqtt_open(Mqtt *mqtt, bool session_present)
{
        mqtt->open = true;
        mqtt->failed_long = false;
        mqtt->n_subscribed = 0;
        g_clear_pointer(&mqtt->failure, g_free);
        if (!session_present)
                g_ptr_array_set_size(mqtt->filters, 0);
        mqtt->events->on_open(mqtt->userdata, session_present);
}

void fake_mqtt_hang_up(Mqtt *mqtt)
{
        mqtt->open = false;
        mqtt->n_unanswered = 0;
        mqtt->events->on_down(mqtt->userdata, mqtt->failure ? mqtt->failure : "hung up");
}

void fake_mqtt_deliver(Mqtt *mqtt, const MqttMessage *message)
{
        mqtt->events->on_message(mqtt->userdata, message);
        if (mqtt->events->before_write && mqtt->events->before_write(mqtt->userdata) < 0)
                mqtt_fail_long(mqtt, "not stored");
}

void fake_mqtt_grant(Mqtt *mqtt, bool granted)
{
        mqtt->events->on_subscribed(mqtt->userdata, mqtt->last_mid, granted);
}

void fake_mqtt_answer(Mqtt *mqtt, uint64_t cookie, int reason)
{
        g_assert_cmpuint(mqtt->n_unanswered, >, 0);
        mqtt->n_unanswered--;
        mqtt->events->on_published(mqtt->userdata, cookie, reason);
}

void fake_mqtt_refuse(Mqtt *mqtt, int r)
{
        mqtt->refuse = r;
}

void fake_mqtt_set_lag(Mqtt *mqtt, uint64_t usec)
{
        mqtt->lag = usec;
}

const FakePublish *fake_mqtt_take(Mqtt *mqtt)
{
        fake_publish_free(mqtt->taken);
        mqtt->taken = g_queue_pop_head(mqtt->published);
        return mqtt->taken;
}

const FakePublish *fake_mqtt_expect(Mqtt *mqtt, const char *topic)
{
        const FakePublish *publish = fake_mqtt_take(mqtt);

        g_assert_nonnull(publish);
        g_assert_cmpstr(publish->topic, ==, topic);
        return publish;
}

static gint compare(gconstpointer a, gconstpointer b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char *fake_mqtt_list_filters(const Mqtt *mqtt)
{
        g_autoptr(GPtrArray) lines = g_ptr_array_new();

        for (guint i = 0; i < mqtt->filters->len; i++)
                g_ptr_array_add(lines, mqtt->filters->pdata[i]);
        g_ptr_array_sort(lines, compare);
        g_ptr_array_add(lines, NULL);
        return g_strjoinv("\n", (char **)lines->pdata);
}

unsigned fake_mqtt_count_subscribed(const Mqtt *mqtt)
{
        return mqtt->n_subscribed;
}

const char *fake_mqtt_failure(const Mqtt *mqtt)
{
        return mqtt->failure;
}

bool fake_mqtt_failed_long(const Mqtt *mqtt)
{
        return mqtt->failed_long;
}

const MqttSettings *fake_mqtt_settings(const Mqtt *mqtt)
{
        return &mqtt->settings;
}
