/* SPDX-License-Identifier: MIT */

#include "bridge/down-call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/limits.h"
#include "tests/unit/bridge/fake-mqtt.h"
#include "tests/unit/bridge/load.h"

#define SCAN "dev1/mb1/net/-/call/Scan/alice"

static const char rules[] =
        ",\"allow\":[{\"service\":\"net\",\"object\":\"-\",\"methods\":[\"Scan\"],\"callers\":"
        "[\"alice\"],\"rate_per_minute\":1000000,\"max_bytes\":100,\"timeout_ms\":5000},"
        "{\"service\":\"net\",\"object\":\"-\",\"methods\":[\"Ping\"],\"others\":true,"
        "\"rate_per_minute\":1000000},"
        "{\"service\":\"net\",\"object\":\"-\",\"methods\":[\"Slow\"],\"callers\":[\"alice\"],"
        "\"rate_per_minute\":2}]";

typedef struct Fixture {
        Policy *policy;
        Core core;
        DownCall *calls;
        char *token; /* of the bridge */
} Fixture;

static void on_open(void *userdata, bool session_present)
{
}

static const MqttEvents events = {.on_open = on_open};

static void set_up(Fixture *fixture, gconstpointer data)
{
        CLEANUP_FREE char *filter = NULL;

        fixture->policy = load_policy(rules);
        fixture->core = (Core){.policy = fixture->policy, .local_ready = true, .cloud_ready = true};
        g_assert_cmpint(audit_new(NULL, &fixture->core.audit, NULL), ==, 0);
        g_assert_cmpint(mqtt_new(&events, fixture, &fixture->core.cloud), ==, 0);
        g_assert_cmpint(mqtt_new(&events, fixture, &fixture->core.local), ==, 0);
        g_assert_cmpint(down_call_new(&fixture->core, &fixture->calls), ==, 0);
        fake_mqtt_open(fixture->core.cloud, false);
        fake_mqtt_open(fixture->core.local, false);
        g_assert_cmpint(down_call_list_filters(fixture->calls, &filter), ==, 0);
        g_assert_true(g_str_has_prefix(filter, "mb1/+/+/call/+/+/"));
        fixture->token = g_strdup(strrchr(filter, '/') + 1);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
        down_call_free(fixture->calls);
        mqtt_free(fixture->core.cloud);
        mqtt_free(fixture->core.local);
        audit_free(fixture->core.audit);
        policy_free(fixture->policy);
        free(fixture->core.last_error);
        g_free(fixture->token);
}

static void request(Fixture *fixture, const char *topic, const char *payload)
{
        down_call_take(fixture->calls, &(MqttMessage){.topic = topic,
                                                      .payload = payload,
                                                      .length = strlen(payload),
                                                      .qos = 1});
}

/* The local service answers. */
static void answer(Fixture *fixture, const char *rest, uint64_t number, const char *payload)
{
        g_autofree char *whole = g_strdup_printf("%s/%s", rest, fixture->token);
        Topic topic;

        g_assert_cmpint(topic_parse(whole, &topic), ==, 0);
        down_call_take_answer(fixture->calls, whole, &topic,
                              &(MqttMessage){.payload = payload,
                                             .length = strlen(payload),
                                             .correlation = &number,
                                             .correlation_length = sizeof(number)});
}

static void expect_error(Fixture *fixture, int code, const char *executed)
{
        g_autofree char *has_code = g_strdup_printf("\"code\":%d,", code);
        g_autofree char *has_executed = g_strdup_printf("\"executed\":\"%s\"", executed);
        g_autofree char *rc = g_strdup_printf("%d", code);
        const FakePublish *publish = fake_mqtt_take(fixture->core.cloud);

        g_assert_nonnull(publish);
        g_assert_nonnull(strstr(publish->payload, has_code));
        g_assert_nonnull(strstr(publish->payload, has_executed));
        g_assert_cmpstr(publish->rc, ==, rc);
}

static void expect_nothing(Fixture *fixture)
{
        g_assert_null(fake_mqtt_take(fixture->core.local));
        g_assert_null(fake_mqtt_take(fixture->core.cloud));
}

static void test_there_and_back(Fixture *fixture, gconstpointer data)
{
        g_autofree char *reply =
                g_strdup_printf("mb1/net/-/call/Scan/cloud.alice/%s", fixture->token);
        const FakePublish *publish;

        request(fixture, SCAN, "{\"id\":1}");
        publish = fake_mqtt_expect(fixture->core.local, "mb1/net/-/call/Scan/cloud.alice");
        g_assert_cmpstr(publish->payload, ==, "{\"id\":1}");
        g_assert_cmpstr(publish->response_topic, ==, reply);
        g_assert_cmpstr(publish->ttl, ==, "5000");
        g_assert_cmpuint(publish->expiry_sec, ==, 5);
        g_assert_null(publish->origin);
        g_assert_cmpuint(down_call_count(fixture->calls), ==, 1);
        answer(fixture, "net/-/call/Scan/cloud.alice", publish->correlation,
               "{\"id\":1,\"result\":2}");
        publish = fake_mqtt_expect(fixture->core.cloud, SCAN "/reply");
        g_assert_cmpstr(publish->payload, ==, "{\"id\":1,\"result\":2}");
        g_assert_cmpuint(down_call_count(fixture->calls), ==, 0);
        /* Once is enough. */
        answer(fixture, "net/-/call/Scan/cloud.alice", publish->correlation, "{\"result\":3}");
        expect_nothing(fixture);
}

static void test_who_is_not_named(Fixture *fixture, gconstpointer data)
{
        const FakePublish *publish;

        request(fixture, "dev1/mb1/net/-/call/Ping/gateway", "{\"id\":1}");
        publish = fake_mqtt_expect(fixture->core.local, "mb1/net/-/call/Ping/cloud.other");
        g_assert_cmpstr(publish->origin, ==, "gateway");
}

/* Whoever makes names up takes the room of one caller, not of all. */
static void test_who_is_not_named_takes_the_room_of_one(Fixture *fixture, gconstpointer data)
{
        for (unsigned i = 0; i < LIMIT_BRIDGE_CALLER_CALLS; i++) {
                g_autofree char *topic = g_strdup_printf("dev1/mb1/net/-/call/Ping/eve%u", i);

                request(fixture, topic, "{\"id\":1}");
                g_assert_nonnull(fake_mqtt_take(fixture->core.local));
        }
        request(fixture, "dev1/mb1/net/-/call/Ping/mallory", "{\"id\":1}");
        g_assert_null(fake_mqtt_take(fixture->core.local));
        expect_error(fixture, -32004, "no");
        for (unsigned i = 0; i < LIMIT_BRIDGE_CALLER_CALLS; i++) {
                request(fixture, SCAN, "{\"id\":1}");
                g_assert_nonnull(fake_mqtt_take(fixture->core.local));
        }
        request(fixture, SCAN, "{\"id\":1}");
        g_assert_null(fake_mqtt_take(fixture->core.local));
        expect_error(fixture, -32004, "no");
}

static void test_more_often_than_allowed(Fixture *fixture, gconstpointer data)
{
        const FakePublish *publish;

        for (int i = 0; i < 2; i++) {
                request(fixture, "dev1/mb1/net/-/call/Slow/alice", "{\"id\":1}");
                g_assert_nonnull(fake_mqtt_take(fixture->core.local));
        }
        request(fixture, "dev1/mb1/net/-/call/Slow/alice", "{\"id\":1}");
        g_assert_null(fake_mqtt_take(fixture->core.local));
        publish = fake_mqtt_take(fixture->core.cloud);
        g_assert_nonnull(strstr(publish->payload, "\"code\":-32004"));
        g_assert_nonnull(strstr(publish->payload, "\"retry_after_ms\":"));
        /* By this rule only; and another policy begins to count anew. */
        request(fixture, SCAN, "{\"id\":1}");
        g_assert_nonnull(fake_mqtt_take(fixture->core.local));
        down_call_apply_policy(fixture->calls);
        request(fixture, "dev1/mb1/net/-/call/Slow/alice", "{\"id\":1}");
        g_assert_nonnull(fake_mqtt_take(fixture->core.local));
}

static void test_what_is_no_request(Fixture *fixture, gconstpointer data)
{
        static const char long_correlation[4096] = "";
        g_autofree char *large = g_strnfill(LIMIT_PAYLOAD_BYTES + 1, ' ');
        const MqttMessage rows[] = {
                {.retain = true},
                {.response_topic = "elsewhere/t"},
                {.response_topic = SCAN},
                {.response_topic = "dev1/mb1/net/-/call/Scan/bob/t"},
                {.response_topic = SCAN "/a/b"},
                {.response_topic = SCAN "/+"},
                {.response_topic = ""},
                {.ttl = "0"},
                {.payload = "{\"id\":1,\"x\":{\"ttl\":0}}"},
                {.correlation = long_correlation, .correlation_length = sizeof(long_correlation)},
                {.payload = large, .length = LIMIT_PAYLOAD_BYTES + 1},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                MqttMessage message = rows[i];

                message.topic = SCAN;
                if (!message.payload)
                        message.payload = "{\"id\":1}";
                if (message.length == 0)
                        message.length = strlen(message.payload);
                down_call_take(fixture->calls, &message);
                expect_nothing(fixture);
                g_assert_cmpuint(fixture->core.stats.calls_refused, ==, i + 1);
        }
        /* Without an id nobody waits for what is said about it. */
        request(fixture, "dev1/mb1/net/-/call/Reboot/alice", "{}");
        expect_nothing(fixture);
        request(fixture, "dev1/mb1/net/-/call/Reboot/alice", "{\"id\":1}");
        expect_error(fixture, -32001, "no");
        request(fixture, "dev1/mb1/net/-/prop/Name", "1");
        g_assert_cmpuint(fixture->core.stats.foreign, ==, 1);
}

static void test_what_the_link_has_held_back(Fixture *fixture, gconstpointer data)
{
        fake_mqtt_set_lag(fixture->core.cloud, 4 * USEC_PER_SEC);
        request(fixture, SCAN, "{\"id\":1}");
        g_assert_cmpstr(fake_mqtt_take(fixture->core.local)->ttl, ==, "1000");
        fake_mqtt_set_lag(fixture->core.cloud, 5 * USEC_PER_SEC);
        request(fixture, SCAN, "{\"id\":1}");
        g_assert_null(fake_mqtt_take(fixture->core.local));
        expect_error(fixture, -32005, "no");
}

static void test_nobody_answers(Fixture *fixture, gconstpointer data)
{
        uint64_t now = clock_now(), number;

        request(fixture, SCAN, "{\"id\":1}");
        number = fake_mqtt_take(fixture->core.local)->correlation;
        g_assert_cmpuint(down_call_process(fixture->calls, now), >, now + 4 * USEC_PER_SEC);
        expect_nothing(fixture);
        down_call_process(fixture->calls, now + 6 * USEC_PER_SEC);
        expect_error(fixture, -32005, "maybe");
        answer(fixture, "net/-/call/Scan/cloud.alice", number, "{\"id\":1,\"result\":1}");
        expect_nothing(fixture);
        g_assert_cmpuint(fixture->core.stats.late, ==, 1);
}

/* He has said how long he waits, and listens no longer. */
static void test_the_time_of_the_caller_is_over(Fixture *fixture, gconstpointer data)
{
        request(fixture, SCAN, "{\"id\":1,\"x\":{\"ttl\":100}}");
        g_assert_cmpstr(fake_mqtt_take(fixture->core.local)->ttl, ==, "100");
        down_call_process(fixture->calls, clock_now() + USEC_PER_SEC);
        expect_nothing(fixture);
        g_assert_cmpuint(down_call_count(fixture->calls), ==, 0);
}

static void test_what_the_local_broker_says(Fixture *fixture, gconstpointer data)
{
        static const struct {
                int reason, code;
        } rows[] = {{0x10, -32012}, {0x87, -32001}, {0x97, -32012}};

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                const FakePublish *publish;

                request(fixture, SCAN, "{\"id\":1}");
                publish = fake_mqtt_take(fixture->core.local);
                g_assert_cmpint(cookie_kind(publish->cookie), ==, COOKIE_CALL);
                down_call_on_published(fixture->calls, cookie_number(publish->cookie),
                                       rows[i].reason);
                expect_error(fixture, rows[i].code, "no");
        }
        request(fixture, SCAN, "{\"id\":1}");
        down_call_on_published(fixture->calls,
                               cookie_number(fake_mqtt_take(fixture->core.local)->cookie), 0);
        expect_nothing(fixture);
}

static void test_nothing_outlives_a_connection(Fixture *fixture, gconstpointer data)
{
        uint64_t number;

        request(fixture, SCAN, "{\"id\":1}");
        g_assert_nonnull(fake_mqtt_take(fixture->core.local));
        down_call_on_local_down(fixture->calls);
        expect_error(fixture, -32012, "maybe");
        request(fixture, SCAN, "{\"id\":2}");
        number = fake_mqtt_take(fixture->core.local)->correlation;
        down_call_on_cloud_down(fixture->calls);
        answer(fixture, "net/-/call/Scan/cloud.alice", number, "{\"id\":2,\"result\":1}");
        expect_nothing(fixture);
        fixture->core.local_ready = false;
        request(fixture, SCAN, "{\"id\":3}");
        g_assert_null(fake_mqtt_take(fixture->core.local));
        expect_error(fixture, -32012, "no");
}

/* It is refused, and not kept until there is room. */
static void test_no_room_at_the_local_broker(Fixture *fixture, gconstpointer data)
{
        fake_mqtt_refuse(fixture->core.local, -ENOBUFS);
        request(fixture, SCAN, "{\"id\":1}");
        expect_error(fixture, -32012, "no");
        g_assert_cmpuint(down_call_count(fixture->calls), ==, 0);
}

static void test_an_answer_that_is_too_large(Fixture *fixture, gconstpointer data)
{
        g_autofree char *large = g_strnfill(600, '7');
        g_autofree char *payload = g_strdup_printf("{\"id\":1,\"result\":%s}", large);

        fixture->policy->quirks.message_bytes = 500;
        request(fixture, SCAN, "{\"id\":1}");
        answer(fixture, "net/-/call/Scan/cloud.alice",
               fake_mqtt_take(fixture->core.local)->correlation, payload);
        expect_error(fixture, -32009, "yes");
}

static void test_an_answer_of_another(Fixture *fixture, gconstpointer data)
{
        uint64_t number;

        request(fixture, SCAN, "{\"id\":1}");
        number = fake_mqtt_take(fixture->core.local)->correlation;
        answer(fixture, "evil/-/call/Scan/cloud.alice", number, "{\"id\":1,\"result\":1}");
        answer(fixture, "net/-/call/Other/cloud.alice", number, "{\"id\":1,\"result\":1}");
        answer(fixture, "net/x/call/Scan/cloud.alice", number, "{\"id\":1,\"result\":1}");
        expect_nothing(fixture);
        g_assert_cmpuint(fixture->core.stats.late, ==, 3);
        g_assert_cmpuint(down_call_count(fixture->calls), ==, 1);
}

/* A flood of what is refused is answered only as far as the cloud takes the answers: the rest of
 * what is to go there does not wait behind it. */
static void test_refusals_that_nobody_takes(Fixture *fixture, gconstpointer data)
{
        unsigned n = 0;

        for (unsigned i = 0; i < LIMIT_BRIDGE_REFUSALS * 3; i++)
                request(fixture, "dev1/mb1/net/-/call/Reboot/alice", "{\"id\":1}");
        while (fake_mqtt_take(fixture->core.cloud))
                n++;
        g_assert_cmpuint(n, ==, LIMIT_BRIDGE_REFUSALS);
        g_assert_cmpuint(fixture->core.stats.calls_refused, ==, LIMIT_BRIDGE_REFUSALS * 3);
}

#define ADD(name, function) \
        g_test_add("/down-call/" name, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD("there-and-back", test_there_and_back);
        ADD("who-is-not-named", test_who_is_not_named);
        ADD("who-is-not-named-takes-the-room-of-one", test_who_is_not_named_takes_the_room_of_one);
        ADD("more-often-than-allowed", test_more_often_than_allowed);
        ADD("what-is-no-request", test_what_is_no_request);
        ADD("what-the-link-has-held-back", test_what_the_link_has_held_back);
        ADD("nobody-answers", test_nobody_answers);
        ADD("the-time-of-the-caller-is-over", test_the_time_of_the_caller_is_over);
        ADD("what-the-local-broker-says", test_what_the_local_broker_says);
        ADD("nothing-outlives-a-connection", test_nothing_outlives_a_connection);
        ADD("no-room-at-the-local-broker", test_no_room_at_the_local_broker);
        ADD("an-answer-that-is-too-large", test_an_answer_that_is_too_large);
        ADD("an-answer-of-another", test_an_answer_of_another);
        ADD("refusals-that-nobody-takes", test_refusals_that_nobody_takes);
        return g_test_run();
}
