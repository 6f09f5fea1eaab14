/* SPDX-License-Identifier: MIT */

#include "bridge/up-state.h"

#include <errno.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/limits.h"
#include "tests/unit/bridge/fake-mqtt.h"
#include "tests/unit/bridge/load.h"

enum { N_MANY = 5000 };

typedef struct Fixture {
        Policy *policy;
        Core core;
        UpState *state;
        uint64_t now;
} Fixture;

/* Lookups of rules: what a turn costs. */
static unsigned n_lookups;

const PublishRule *__real_policy_find_publish(const Policy *policy, const Topic *topic);
const PublishRule *__wrap_policy_find_publish(const Policy *policy, const Topic *topic);

const PublishRule *__wrap_policy_find_publish(const Policy *policy, const Topic *topic)
{
        n_lookups++;
        return __real_policy_find_publish(policy, topic);
}

/* Just enough of a link: the state's own events. */
static void on_open(void *userdata, bool session_present)
{
}

static void on_published(void *userdata, uint64_t cookie, int reason)
{
        up_state_on_published(((Fixture *)userdata)->state, cookie_number(cookie), reason);
}

static void on_down(void *userdata, const char *reason)
{
        up_state_on_cloud_down(((Fixture *)userdata)->state);
}

static const MqttEvents events = {
        .on_open = on_open,
        .on_published = on_published,
        .on_down = on_down,
};

static void set_up(Fixture *fixture, gconstpointer data)
{
        const char *rules =
                data ? data : ",\"publish\":[{\"service\":\"net\",\"properties\":[\"*\"]}]";

        fixture->policy = load_policy(rules);
        fixture->core = (Core){.policy = fixture->policy};
        fixture->now = clock_now();
        g_assert_cmpint(up_state_new(&fixture->core, &fixture->state), ==, 0);
        g_assert_cmpint(mqtt_new(&events, fixture, &fixture->core.cloud), ==, 0);
        fake_mqtt_open(fixture->core.cloud, false);
        up_state_begin_local(fixture->state);
        fixture->core.cloud_ready = fixture->core.local_ready = true;
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
        up_state_free(fixture->state);
        mqtt_free(fixture->core.cloud);
        policy_free(fixture->policy);
        free(fixture->core.last_error);
}

static void take(Fixture *fixture, const char *rest, const char *value)
{
        MqttMessage message = {.retain = true, .payload = value, .length = strlen(value)};
        Topic topic;

        g_assert_cmpint(topic_parse(rest, &topic), ==, 0);
        up_state_take(fixture->state, rest, &topic, &message);
}

static void compare(Fixture *fixture, const char *rest, const char *value)
{
        MqttMessage message = {.retain = true, .payload = value, .length = strlen(value)};

        up_state_compare(fixture->state, rest, &message);
}

static uint64_t process(Fixture *fixture)
{
        return up_state_process(fixture->state, fixture->now);
}

/* The next message, as the cloud gets it; answered. */
static void expect(Fixture *fixture, const char *topic, const char *value)
{
        const FakePublish *publish = fake_mqtt_expect(fixture->core.cloud, topic);

        g_assert_cmpstr(publish->payload, ==, value);
        g_assert_true(publish->retain);
        fake_mqtt_answer(fixture->core.cloud, publish->cookie, 0);
}

static void expect_nothing(Fixture *fixture)
{
        process(fixture);
        g_assert_null(fake_mqtt_take(fixture->core.cloud));
}

#define NAME "dev1/mb1/net/-/prop/Name"

static void test_the_latest_value_wins(Fixture *fixture, gconstpointer data)
{
        const FakePublish *publish;
        uint64_t cookie;

        take(fixture, "net/-/prop/Name", "1");
        take(fixture, "net/-/prop/Name", "2");
        process(fixture);
        publish = fake_mqtt_expect(fixture->core.cloud, NAME);
        g_assert_cmpstr(publish->payload, ==, "2");
        cookie = publish->cookie;
        /* What changes meanwhile waits for the answer: two under way could change places. */
        take(fixture, "net/-/prop/Name", "3");
        take(fixture, "net/-/prop/Name", "4");
        expect_nothing(fixture);
        fake_mqtt_answer(fixture->core.cloud, cookie, 0);
        process(fixture);
        expect(fixture, NAME, "4");
        expect_nothing(fixture);
        g_assert_cmpuint(up_state_count_dirty(fixture->state), ==, 0);
}

static void test_a_removal_is_told_and_forgotten(Fixture *fixture, gconstpointer data)
{
        take(fixture, "net/-/prop/Name", "1");
        process(fixture);
        expect(fixture, NAME, "1");
        take(fixture, "net/-/prop/Name", "");
        process(fixture);
        expect(fixture, NAME, "");
        g_assert_cmpuint(up_state_count(fixture->state), ==, 0);
}

/* It may be there again when the broker has been heard. */
static void test_a_removal_waits_for_the_local_broker(Fixture *fixture, gconstpointer data)
{
        take(fixture, "net/-/prop/Name", "1");
        take(fixture, "net/-/prop/Other", "1");
        process(fixture);
        expect(fixture, NAME, "1");
        expect(fixture, "dev1/mb1/net/-/prop/Other", "1");
        fixture->core.local_ready = false;
        up_state_begin_local(fixture->state);
        take(fixture, "net/-/prop/Name", "");
        take(fixture, "net/-/prop/Other", "");
        expect_nothing(fixture);
        n_lookups = 0;
        expect_nothing(fixture);
        g_assert_cmpuint(n_lookups, ==, 0);
        take(fixture, "net/-/prop/Other", "2");
        fixture->core.local_ready = true;
        up_state_end_local(fixture->state);
        process(fixture);
        expect(fixture, "dev1/mb1/net/-/prop/Other", "2");
        expect(fixture, NAME, "");
        expect_nothing(fixture);
}

static void take_many(Fixture *fixture)
{
        for (unsigned i = 0; i < N_MANY; i++) {
                g_autofree char *rest = g_strdup_printf("net/-/prop/P%u", i);

                take(fixture, rest, "1");
        }
}

/* Whoever is not due costs nothing but the first look at it. */
static void test_on_demand_values_are_not_looked_at(Fixture *fixture, gconstpointer data)
{
        unsigned n = 0;

        take_many(fixture);
        expect_nothing(fixture);
        n_lookups = 0;
        for (unsigned turn = 0; turn < 100; turn++)
                expect_nothing(fixture);
        g_assert_cmpuint(n_lookups, ==, 0);
        g_assert_cmpuint(up_state_count_dirty(fixture->state), ==, N_MANY);
        /* What is gone is told, asked for or not. */
        take(fixture, "net/-/prop/P7", "");
        process(fixture);
        expect(fixture, "dev1/mb1/net/-/prop/P7", "");
        fixture->core.demand_until = fixture->now + USEC_PER_SEC;
        while (n < N_MANY - 1) {
                const FakePublish *publish;

                process(fixture);
                g_assert_nonnull(publish = fake_mqtt_take(fixture->core.cloud));
                do {
                        fake_mqtt_answer(fixture->core.cloud, publish->cookie, 0);
                        n++;
                } while ((publish = fake_mqtt_take(fixture->core.cloud)));
        }
        g_assert_cmpuint(up_state_count_dirty(fixture->state), ==, 0);
}

static void drain(Fixture *fixture)
{
        const FakePublish *publish;

        do {
                process(fixture);
                while ((publish = fake_mqtt_take(fixture->core.cloud)))
                        fake_mqtt_answer(fixture->core.cloud, publish->cookie, 0);
        } while (up_state_count_dirty(fixture->state) > 0);
}

static void test_what_is_not_due_is_not_looked_at(Fixture *fixture, gconstpointer data)
{
        uint64_t wake;

        take_many(fixture);
        drain(fixture);
        for (unsigned i = 0; i < N_MANY; i++) {
                g_autofree char *rest = g_strdup_printf("net/-/prop/P%u", i);

                take(fixture, rest, "2");
        }
        wake = process(fixture);
        g_assert_cmpuint(wake, ==, fixture->now + USEC_PER_SEC);
        n_lookups = 0;
        for (unsigned turn = 0; turn < 100; turn++)
                expect_nothing(fixture);
        g_assert_cmpuint(n_lookups, ==, 0);
        fixture->now = wake;
        process(fixture);
        expect(fixture, "dev1/mb1/net/-/prop/P0", "2");
        drain(fixture);
}

static void change_policy(Fixture *fixture, const char *rules)
{
        Policy *before = fixture->policy;

        fixture->core.policy = fixture->policy = load_policy(rules);
        up_state_apply_policy(fixture->state);
        policy_free(before);
}

static void test_another_policy_ends_the_wait(Fixture *fixture, gconstpointer data)
{
        take(fixture, "net/-/prop/Name", "1");
        process(fixture);
        expect(fixture, NAME, "1");
        take(fixture, "net/-/prop/Name", "2");
        expect_nothing(fixture);
        change_policy(fixture, ",\"publish\":[{\"service\":\"net\",\"properties\":[\"*\"]}]");
        process(fixture);
        expect(fixture, NAME, "2");
        change_policy(fixture, ",\"publish\":[{\"service\":\"net\",\"properties\":[\"Other\"]}]");
        process(fixture);
        expect(fixture, NAME, "");
        expect_nothing(fixture);
}

static void test_only_differences_are_sent(Fixture *fixture, gconstpointer data)
{
        fixture->core.cloud_ready = false;
        take(fixture, "net/-/prop/Same", "1");
        take(fixture, "net/-/prop/Other", "1");
        up_state_begin_compare(fixture->state);
        compare(fixture, "net/-/prop/Same", "1");
        compare(fixture, "net/-/prop/Other", "2");
        compare(fixture, "net/-/prop/Gone", "1");
        up_state_end_compare(fixture->state);
        fixture->core.cloud_ready = true;
        process(fixture);
        expect(fixture, "dev1/mb1/net/-/prop/Other", "1");
        expect(fixture, "dev1/mb1/net/-/prop/Gone", "");
        expect_nothing(fixture);
}

static void test_a_cloud_that_keeps_too_much_fills_no_memory(Fixture *fixture, gconstpointer data)
{
        up_state_begin_compare(fixture->state);
        for (unsigned i = 0; i < LIMIT_BRIDGE_STALE * 2; i++) {
                g_autofree char *rest = g_strdup_printf("x%u/$state", i);

                compare(fixture, rest, "{}");
        }
        g_assert_cmpuint(up_state_count(fixture->state), ==, LIMIT_BRIDGE_STALE);
        up_state_end_compare(fixture->state);
        drain(fixture);
        g_assert_cmpuint(up_state_count(fixture->state), ==, 0);
}

/* It was too much at that moment, which is no reason to be without it for ever. */
static void test_over_quota_is_tried_again(Fixture *fixture, gconstpointer data)
{
        const FakePublish *publish;

        take(fixture, "net/-/prop/Name", "1");
        process(fixture);
        publish = fake_mqtt_expect(fixture->core.cloud, NAME);
        fake_mqtt_answer(fixture->core.cloud, publish->cookie, 0x97);
        g_assert_true(fake_mqtt_failed_long(fixture->core.cloud));
        g_assert_cmpuint(fixture->core.stats.refused_up, ==, 1);
        fake_mqtt_hang_up(fixture->core.cloud);
        fake_mqtt_open(fixture->core.cloud, false);
        up_state_begin_compare(fixture->state);
        up_state_end_compare(fixture->state);
        process(fixture);
        expect(fixture, NAME, "1");
}

static void test_refused_is_counted(Fixture *fixture, gconstpointer data)
{
        const FakePublish *publish;

        take(fixture, "net/-/prop/Name", "1");
        process(fixture);
        publish = fake_mqtt_expect(fixture->core.cloud, NAME);
        fake_mqtt_answer(fixture->core.cloud, publish->cookie, 0x87);
        g_assert_null(fake_mqtt_failure(fixture->core.cloud));
        g_assert_cmpuint(fixture->core.stats.refused_up, ==, 1);
        g_assert_nonnull(strstr(fixture->core.last_error, NAME " (0x87)"));
        expect_nothing(fixture);
}

static void test_what_was_under_way_goes_again(Fixture *fixture, gconstpointer data)
{
        take(fixture, "net/-/prop/Name", "1");
        process(fixture);
        g_assert_nonnull(fake_mqtt_take(fixture->core.cloud));
        fake_mqtt_hang_up(fixture->core.cloud);
        fake_mqtt_open(fixture->core.cloud, false);
        process(fixture);
        expect(fixture, NAME, "1");
}

/* And once there is room, it goes. */
static void test_no_room_on_the_connection(Fixture *fixture, gconstpointer data)
{
        fake_mqtt_refuse(fixture->core.cloud, -ENOBUFS);
        take(fixture, "net/-/prop/Name", "1");
        expect_nothing(fixture);
        fake_mqtt_refuse(fixture->core.cloud, 0);
        process(fixture);
        expect(fixture, NAME, "1");
}

static void test_properties_that_are_missing(Fixture *fixture, gconstpointer data)
{
        take(fixture, "net/-/$meta", "{\"props\":[\"A\",\"B\",\"C\"]}");
        take(fixture, "net/-/prop/B", "1");
        up_state_end_local(fixture->state);
        g_assert_cmpuint(fixture->core.stats.incomplete, ==, 2);
}

#define ADD(name, data, function) \
        g_test_add("/up-state/" name, Fixture, data, set_up, function, tear_down)

int main(int argc, char **argv)
{
        static const char on_demand[] = ",\"publish\":[{\"service\":\"net\",\"properties\":[\"*\"],"
                                        "\"on_demand\":true}]";
        static const char interval[] = ",\"publish\":[{\"service\":\"net\",\"properties\":[\"*\"],"
                                       "\"min_interval_ms\":1000}]";

        g_test_init(&argc, &argv, NULL);
        ADD("the-latest-value-wins", NULL, test_the_latest_value_wins);
        ADD("a-removal-is-told-and-forgotten", NULL, test_a_removal_is_told_and_forgotten);
        ADD("a-removal-waits-for-the-local-broker", NULL,
            test_a_removal_waits_for_the_local_broker);
        ADD("on-demand-values-are-not-looked-at", on_demand,
            test_on_demand_values_are_not_looked_at);
        ADD("what-is-not-due-is-not-looked-at", interval, test_what_is_not_due_is_not_looked_at);
        ADD("another-policy-ends-the-wait", interval, test_another_policy_ends_the_wait);
        ADD("only-differences-are-sent", NULL, test_only_differences_are_sent);
        ADD("a-cloud-that-keeps-too-much-fills-no-memory", NULL,
            test_a_cloud_that_keeps_too_much_fills_no_memory);
        ADD("over-quota-is-tried-again", NULL, test_over_quota_is_tried_again);
        ADD("refused-is-counted", NULL, test_refused_is_counted);
        ADD("what-was-under-way-goes-again", NULL, test_what_was_under_way_goes_again);
        ADD("no-room-on-the-connection", NULL, test_no_room_on_the_connection);
        ADD("properties-that-are-missing", NULL, test_properties_that_are_missing);
        return g_test_run();
}
