/* SPDX-License-Identifier: MIT */

/* The bridge tells the local broker that an event has arrived only after it is on disk. That rests
 * on when libmosquitto writes, which its documentation does not say, as it does not say how to see
 * that a message is a repeated one: this is what would tell that another version does it
 * differently. */

#include <poll.h>
#include <string.h>

#include "bridge/policy-load.h"
#include "bridge/up-events.h"
#include "common/clock.h"
#include "tests/support/fake-broker.h"
#include "tests/support/wait.h"

typedef struct Guard {
        Mqtt *mqtt;
        FakeBroker *broker;
        unsigned n_messages;
        unsigned n_commits;         /* with messages before them */
        unsigned acked_before;      /* PUBACKs that were out when a commit began */
        unsigned n_messages_stored; /* by commits */
        bool refuse;
        unsigned n_down;
} Guard;

static void on_open(void *userdata, bool session_present)
{
}

static void on_subscribed(void *userdata, int mid, bool granted)
{
}

static void on_message(void *userdata, const MqttMessage *message)
{
        ((Guard *)userdata)->n_messages++;
}

static void on_published(void *userdata, uint64_t cookie, int reason)
{
}

/* Here the bridge commits. Whatever had been written by now would be in the socket. */
static int before_write(void *userdata)
{
        Guard *guard = userdata;

        fake_broker_process(guard->broker);
        if (fake_broker_count_pubacks(guard->broker) > guard->n_messages_stored)
                guard->acked_before++;
        if (guard->n_messages == guard->n_messages_stored)
                return 0;
        if (guard->refuse)
                return -1;
        guard->n_commits++;
        guard->n_messages_stored = guard->n_messages;
        return 0;
}

static void on_down(void *userdata, const char *reason)
{
        ((Guard *)userdata)->n_down++;
}

static const MqttEvents events = {
        .on_open = on_open,
        .on_subscribed = on_subscribed,
        .on_message = on_message,
        .on_published = on_published,
        .before_write = before_write,
        .on_down = on_down,
};

static bool step(Guard *guard, gint64 deadline)
{
        struct pollfd fd = {mqtt_fd(guard->mqtt), mqtt_poll_events(guard->mqtt), 0};

        poll(&fd, 1, 5);
        mqtt_process(guard->mqtt, fd.revents, clock_now());
        fake_broker_process(guard->broker);
        return wait_left(deadline) > 0;
}

#define STEP_UNTIL(guard, condition)                                 \
        do {                                                         \
                gint64 step_deadline = wait_deadline(WAIT_MSEC);     \
                while (!(condition) && step((guard), step_deadline)) \
                        ;                                            \
                g_assert_true(condition);                            \
        } while (0)

static void start(Guard *guard, TempDir *dir, Endpoint *endpoint)
{
        Error *error = NULL;

        guard->broker = fake_broker_new(dir);
        *endpoint = (Endpoint){.uri = (char *)(uintptr_t)fake_broker_get_uri(guard->broker),
                               .keepalive_s = 60};
        g_assert_cmpint(address_parse(endpoint->uri, &endpoint->address, NULL), ==, 0);
        g_assert_cmpint(mqtt_new(&events, guard, &guard->mqtt), ==, 0);
        g_assert_cmpint(mqtt_open(guard->mqtt,
                                  &(MqttSettings){.endpoint = endpoint,
                                                  .client_id = "guard",
                                                  .session_sec = 60,
                                                  .inflight = 512,
                                                  .reconnect_usec = 1000000},
                                  &error),
                        ==, 0);
        STEP_UNTIL(guard, mqtt_is_open(guard->mqtt));
}

static void stop(Guard *guard, Endpoint *endpoint)
{
        mqtt_free(guard->mqtt);
        fake_broker_free(guard->broker);
        address_done(&endpoint->address);
}

static void publish(Guard *guard, unsigned n)
{
        for (unsigned i = 0; i < n; i++)
                fake_broker_publish(guard->broker, "mb1/a/-/sig/S", "{}", 2, 1, false, NULL);
}

static void test_no_puback_before_the_commit(void)
{
        CLEANUP_TEMP_DIR TempDir *dir = temp_dir_new();
        Guard guard = {};
        Endpoint endpoint;

        start(&guard, dir, &endpoint);
        for (int round = 1; round <= 20; round++) {
                publish(&guard, 50);
                STEP_UNTIL(&guard, fake_broker_count_pubacks(guard.broker) == 50u * round);
        }
        g_assert_cmpuint(guard.n_messages, ==, 1000);
        g_assert_cmpuint(guard.acked_before, ==, 0);
        /* And they are committed in groups, not one by one. */
        g_assert_cmpuint(guard.n_commits, <, 500);
        stop(&guard, &endpoint);
}

static void test_no_puback_without_a_commit(void)
{
        CLEANUP_TEMP_DIR TempDir *dir = temp_dir_new();
        Guard guard = {.refuse = true};
        Endpoint endpoint;

        start(&guard, dir, &endpoint);
        publish(&guard, 10);
        STEP_UNTIL(&guard, guard.n_down == 1);
        fake_broker_process(guard.broker);
        g_assert_cmpuint(guard.n_messages, ==, 10);
        g_assert_cmpuint(fake_broker_count_pubacks(guard.broker), ==, 0);
        stop(&guard, &endpoint);
}

/* ---- events that the broker sends again ---- */

typedef struct Taker {
        FakeBroker *broker;
        Policy *policy;
        Core core;
        UpEvents *events;
} Taker;

static void taker_start(Taker *taker, TempDir *dir)
{
        g_autofree char *store = temp_dir_build(dir, "events.db");
        g_autofree char *text = g_strdup_printf(
                "{\"node\":\"d\",\"local\":{\"uri\":\"%s\"},\"cloud\":{\"uri\":\"mqtt://"
                "127.0.0.1\"},\"queue\":{\"path\":\"%s\"},"
                "\"publish\":[{\"service\":\"net\",\"signals\":[\"*\"]}]}",
                fake_broker_get_uri(taker->broker), store);

        g_assert_cmpint(policy_parse("p", text, strlen(text), NULL, &taker->policy), ==, 0);
        taker->core = (Core){.policy = taker->policy};
        g_assert_cmpint(up_events_new(&taker->core, &taker->events), ==, 0);
        g_assert_cmpint(up_events_open_store(taker->events, NULL), ==, 0);
        g_assert_cmpint(up_events_open(taker->events, NULL), ==, 0);
}

static void taker_stop(Taker *taker)
{
        mqtt_free(taker->core.events);
        up_events_free(taker->events);
        store_free(taker->core.store);
        g_free(taker->core.last_error);
        policy_free(taker->policy);
}

static bool taker_step(Taker *taker, gint64 deadline)
{
        struct pollfd fd = {mqtt_fd(taker->core.events), mqtt_poll_events(taker->core.events), 0};

        poll(&fd, 1, 5);
        mqtt_process(taker->core.events, fd.revents, clock_now());
        up_events_process(taker->events, clock_now());
        fake_broker_process(taker->broker);
        return wait_left(deadline) > 0;
}

#define TAKE_UNTIL(taker, condition)                                       \
        do {                                                               \
                gint64 step_deadline = wait_deadline(WAIT_MSEC);           \
                while (!(condition) && taker_step((taker), step_deadline)) \
                        ;                                                  \
                g_assert_true(condition);                                  \
        } while (0)

/* All of these have no `seq`. */
static void test_what_is_sent_again_is_one_event(void)
{
        static const char topic[] = "mb1/net/-/sig/S";
        CLEANUP_TEMP_DIR TempDir *dir = temp_dir_new();
        CLEANUP_FAKE_BROKER FakeBroker *broker = fake_broker_new(dir);
        Taker taker = {.broker = broker};

        taker_start(&taker, dir);
        TAKE_UNTIL(&taker, taker.core.events_ready);
        fake_broker_publish(broker, topic, "{}", 2, 1, false, NULL);
        TAKE_UNTIL(&taker, fake_broker_count_pubacks(broker) == 1);
        g_assert_cmpuint(taker.core.stats.events_in, ==, 1);

        /* The PUBACK was lost with the connection. */
        fake_broker_keep_session(broker);
        fake_broker_hang_up(broker);
        TAKE_UNTIL(&taker, fake_broker_count_connects(broker) == 2 && taker.core.events_ready);
        fake_broker_repeat(broker, topic, "{}", 1);
        fake_broker_repeat(broker, topic, "{\"another\":1}", 1);
        TAKE_UNTIL(&taker, fake_broker_count_pubacks(broker) == 3);
        g_assert_cmpuint(taker.core.stats.events_in, ==, 2);

        /* Or the bridge died with it. */
        taker_stop(&taker);
        fake_broker_hang_up(broker);
        taker_start(&taker, dir);
        TAKE_UNTIL(&taker, fake_broker_count_connects(broker) == 3 && taker.core.events_ready);
        fake_broker_repeat(broker, topic, "{}", 1);
        fake_broker_repeat(broker, topic, "{\"another\":1}", 1);
        TAKE_UNTIL(&taker, fake_broker_count_pubacks(broker) == 5);
        g_assert_cmpuint(taker.core.stats.events_in, ==, 0);
        /* One that is not repeated is another one, whatever it looks like. */
        fake_broker_publish(broker, topic, "{}", 2, 1, false, NULL);
        fake_broker_repeat(broker, topic, "{}", 1);
        TAKE_UNTIL(&taker, fake_broker_count_pubacks(broker) == 7);
        g_assert_cmpuint(taker.core.stats.events_in, ==, 2);
        taker_stop(&taker);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/bridge-guard/no-puback-before-the-commit",
                        test_no_puback_before_the_commit);
        g_test_add_func("/bridge-guard/no-puback-without-a-commit",
                        test_no_puback_without_a_commit);
        g_test_add_func("/bridge-guard/what-is-sent-again-is-one-event",
                        test_what_is_sent_again_is_one_event);
        return g_test_run();
}
