/* SPDX-License-Identifier: MIT */

/* With a real store, and connections that are none. */

#include "bridge/up-events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/limits.h"
#include "tests/unit/bridge/fake-mqtt.h"
#include "tests/unit/bridge/load.h"

#define TICK "mb1/net/-/sig/Tick"

typedef struct Fixture {
        char *folder;
        Policy *policy;
        Core core;
        UpEvents *events;
} Fixture;

static void on_open(void *userdata, bool session_present)
{
}

static void on_published(void *userdata, uint64_t cookie, int reason)
{
        Fixture *fixture = userdata;

        if (cookie_kind(cookie) == COOKIE_EVENT)
                up_events_on_published(fixture->events, cookie_number(cookie), reason);
}

static void on_down(void *userdata, const char *reason)
{
        up_events_on_cloud_down(((Fixture *)userdata)->events);
}

static const MqttEvents cloud_events = {
        .on_open = on_open,
        .on_published = on_published,
        .on_down = on_down,
};

static void set_up(Fixture *fixture, gconstpointer data)
{
        g_autofree char *members = NULL;
        Core *core = &fixture->core;

        fixture->folder = g_dir_make_tmp("bridge-events-XXXXXX", NULL);
        members = g_strdup_printf(
                ",\"queue\":{\"path\":\"%s/events.db\",\"max_mib\":1}%s", fixture->folder,
                data ? (const char *)data
                     : ",\"publish\":[{\"service\":\"net\",\"signals\":[\"*\"]}]");
        fixture->policy = load_policy(members);
        *core = (Core){.policy = fixture->policy, .cloud_ready = true};
        g_assert_cmpint(mqtt_new(&cloud_events, fixture, &core->cloud), ==, 0);
        g_assert_cmpint(up_events_new(core, &fixture->events), ==, 0);
        g_assert_cmpint(up_events_open_store(fixture->events, NULL), ==, 0);
        g_assert_cmpint(up_events_open(fixture->events, NULL), ==, 0);
        fake_mqtt_open(core->cloud, false);
        fake_mqtt_open(core->events, false);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
        static const char *const names[] = {"events.db", "events.db-wal", "events.db-shm"};

        mqtt_free(fixture->core.cloud);
        mqtt_free(fixture->core.events);
        up_events_free(fixture->events);
        store_free(fixture->core.store);
        policy_free(fixture->policy);
        free(fixture->core.last_error);
        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
                g_autofree char *path = g_build_filename(fixture->folder, names[i], NULL);

                unlink(path);
        }
        g_assert_cmpint(rmdir(fixture->folder), ==, 0);
        g_free(fixture->folder);
}

static void signal_with(Fixture *fixture, const char *payload, size_t length, const char *seq)
{
        fake_mqtt_deliver(fixture->core.events, &(MqttMessage){.topic = TICK,
                                                               .payload = payload,
                                                               .length = length,
                                                               .qos = 1,
                                                               .mid = 1,
                                                               .seq = seq});
}

static void emit(Fixture *fixture, const char *payload, const char *seq)
{
        signal_with(fixture, payload, strlen(payload), seq);
}

/* The next event, as the cloud gets it. */
static const FakePublish *expect(Fixture *fixture, const char *payload)
{
        const FakePublish *publish = fake_mqtt_expect(fixture->core.cloud, "dev1/" TICK);

        g_assert_cmpstr(publish->payload, ==, payload);
        return publish;
}

static const FakePublish *expect_gap(Fixture *fixture, const char *text)
{
        const FakePublish *publish =
                fake_mqtt_expect(fixture->core.cloud, "dev1/mb1/bridge/-/sig/rpc.gap");

        if (!strstr(publish->payload, text))
                g_error("not in %s: %s", publish->payload, text);
        return publish;
}

static void process(Fixture *fixture)
{
        up_events_process(fixture->events, clock_now());
}

static void test_in_order_and_once(Fixture *fixture, gconstpointer data)
{
        uint64_t cookies[3];

        emit(fixture, "1", "0123abcd-1");
        emit(fixture, "2", "0123abcd-2");
        emit(fixture, "2", "0123abcd-2");
        emit(fixture, "3", "0123abcd-3");
        process(fixture);
        cookies[0] = expect(fixture, "1")->cookie;
        cookies[1] = expect(fixture, "2")->cookie;
        cookies[2] = expect(fixture, "3")->cookie;
        g_assert_null(fake_mqtt_take(fixture->core.cloud));
        /* Answered in another order: the first is not done, and neither is what is behind it. */
        fake_mqtt_answer(fixture->core.cloud, cookies[1], 0);
        fake_mqtt_answer(fixture->core.cloud, cookies[2], 0);
        g_assert_false(up_events_is_done(fixture->events, 1));
        fake_mqtt_hang_up(fixture->core.cloud);
        fake_mqtt_open(fixture->core.cloud, false);
        process(fixture);
        fake_mqtt_answer(fixture->core.cloud, expect(fixture, "1")->cookie, 0);
        g_assert_true(up_events_is_done(fixture->events, 1));
        g_assert_false(up_events_is_done(fixture->events, 2));
        fake_mqtt_answer(fixture->core.cloud, expect(fixture, "2")->cookie, 0);
        fake_mqtt_answer(fixture->core.cloud, expect(fixture, "3")->cookie, 0);
        g_assert_true(up_events_is_done(fixture->events, 3));
}

static void test_what_is_missing(Fixture *fixture, gconstpointer data)
{
        emit(fixture, "1", "0123abcd-1");
        emit(fixture, "5", "0123abcd-5");
        process(fixture);
        expect(fixture, "1");
        expect_gap(fixture, "\"dropped\":3,");
        expect(fixture, "5");
        g_assert_cmpuint(fixture->core.stats.events_lost, ==, 3);
}

/* More than the file may ever hold: what is behind it gets through all the same. */
static void test_one_that_is_too_large(Fixture *fixture, gconstpointer data)
{
        enum { BYTES = 24 << 20 };
        g_autofree char *large = g_strnfill(BYTES, '7');

        emit(fixture, "1", NULL);
        signal_with(fixture, large, BYTES, NULL);
        signal_with(fixture, large, BYTES, "0123abcd-1");
        emit(fixture, "2", NULL);
        process(fixture);
        expect(fixture, "1");
        expect_gap(fixture, "\"dropped\":2,");
        expect(fixture, "2");
        g_assert_null(fake_mqtt_failure(fixture->core.events));
        g_assert_cmpuint(fixture->core.stats.refused_up, ==, 2);
        g_assert_cmpuint(store_get_counts(fixture->core.store).dropped, ==, 2);
}

/* Signals at QoS 0 are not kept, but are as many as others. */
static void test_the_rate_holds_for_qos_0(Fixture *fixture, gconstpointer data)
{
        unsigned n = 0;

        for (int i = 0; i < 100; i++)
                emit(fixture, "{}", NULL);
        while (fake_mqtt_take(fixture->core.cloud))
                n++;
        g_assert_cmpuint(n, >=, 10);
        g_assert_cmpuint(n, <, 50);
        g_assert_cmpuint(fixture->core.stats.events_out, ==, n);
}

/* The store knows what was subscribed to; whether the broker has got that before a crash, only the
 * broker does. */
static void test_a_session_is_subscribed_again(Fixture *fixture, gconstpointer data)
{
        g_assert_cmpuint(fake_mqtt_count_subscribed(fixture->core.events), ==, 1);
        fake_mqtt_hang_up(fixture->core.events);
        fake_mqtt_open(fixture->core.events, true);
        g_assert_cmpuint(fake_mqtt_count_subscribed(fixture->core.events), ==, 1);
        g_assert_false(fixture->core.events_ready);
        fake_mqtt_grant(fixture->core.events, true);
        g_assert_true(fixture->core.events_ready);
        process(fixture);
        g_assert_null(fake_mqtt_take(fixture->core.cloud));
}

static void test_a_session_that_is_lost_is_a_gap(Fixture *fixture, gconstpointer data)
{
        fake_mqtt_hang_up(fixture->core.events);
        fake_mqtt_open(fixture->core.events, false);
        emit(fixture, "1", NULL);
        process(fixture);
        expect_gap(fixture, "\"reason\":\"session\"");
        expect(fixture, "1");
}

static void test_what_the_policy_no_longer_names(Fixture *fixture, gconstpointer data)
{
        Policy *before = fixture->policy;
        g_autofree char *all = NULL;
        g_autofree char *members =
                g_strdup_printf(",\"queue\":{\"path\":\"%s/events.db\"},"
                                "\"publish\":[{\"service\":\"new\",\"signals\":[\"*\"]}]",
                                fixture->folder);

        fixture->core.cloud_ready = false;
        emit(fixture, "1", NULL);
        fixture->core.policy = fixture->policy = load_policy(members);
        up_events_apply_policy(fixture->events);
        all = fake_mqtt_list_filters(fixture->core.events);
        g_assert_cmpstr(all, ==, "mb1/new/+/sig/+");
        fixture->core.cloud_ready = true;
        process(fixture);
        g_assert_null(fake_mqtt_take(fixture->core.cloud));
        g_assert_cmpint(store_commit(fixture->core.store), ==, 0);
        policy_free(before);
}

static void test_over_quota_is_tried_again(Fixture *fixture, gconstpointer data)
{
        emit(fixture, "1", NULL);
        process(fixture);
        fake_mqtt_answer(fixture->core.cloud, expect(fixture, "1")->cookie, 0x97);
        g_assert_true(fake_mqtt_failed_long(fixture->core.cloud));
        fake_mqtt_hang_up(fixture->core.cloud);
        fake_mqtt_open(fixture->core.cloud, false);
        process(fixture);
        expect(fixture, "1");
}

static void test_paused(Fixture *fixture, gconstpointer data)
{
        fixture->core.paused = true;
        emit(fixture, "1", NULL);
        process(fixture);
        g_assert_null(fake_mqtt_take(fixture->core.cloud));
        fixture->core.paused = false;
        process(fixture);
        expect(fixture, "1");
}

#define ADD(name, data, function) \
        g_test_add("/up-events/" name, Fixture, data, set_up, function, tear_down)

int main(int argc, char **argv)
{
        static const char qos_0[] = ",\"publish\":[{\"service\":\"net\",\"signals\":[\"*\"],"
                                    "\"qos\":0}],\"rate\":{\"messages_per_s\":10}";

        g_test_init(&argc, &argv, NULL);
        ADD("in-order-and-once", NULL, test_in_order_and_once);
        ADD("what-is-missing", NULL, test_what_is_missing);
        ADD("one-that-is-too-large", NULL, test_one_that_is_too_large);
        ADD("the-rate-holds-for-qos-0", qos_0, test_the_rate_holds_for_qos_0);
        ADD("a-session-is-subscribed-again", NULL, test_a_session_is_subscribed_again);
        ADD("a-session-that-is-lost-is-a-gap", NULL, test_a_session_that_is_lost_is_a_gap);
        ADD("what-the-policy-no-longer-names", NULL, test_what_the_policy_no_longer_names);
        ADD("over-quota-is-tried-again", NULL, test_over_quota_is_tried_again);
        ADD("paused", NULL, test_paused);
        return g_test_run();
}
