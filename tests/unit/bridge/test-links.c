/* SPDX-License-Identifier: MIT */

/* cloud-link.c and local-link.c: what is subscribed to, and when all has come. */

#include <stdio.h>
#include <stdlib.h>

#include "bridge/cloud-link.h"
#include "bridge/local-link.h"
#include "common/clock.h"
#include "common/limits.h"
#include "tests/unit/bridge/fake-mqtt.h"
#include "tests/unit/bridge/load.h"

#define MARK "dev1/mb1/bridge/$mark"
#define NODE "dev1/mb1/$node"

typedef struct Fixture {
        Policy *policy;
        Core core;
        UpState *state;
        UpEvents *events;
        DownCall *calls;
        LocalLink *local_link;
        CloudLink *cloud_link;
        Mqtt *local, *cloud;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data)
{
        const char *rules =
                data ? data
                     : ",\"publish\":[{\"service\":\"net\",\"properties\":[\"*\"]}],\"allow\":[{"
                       "\"service\":\"net\",\"methods\":[\"Scan\"],\"callers\":[\"alice\"]}]";
        Core *core = &fixture->core;

        fixture->policy = load_policy(rules);
        *core = (Core){.policy = fixture->policy};
        g_assert_cmpint(audit_new(NULL, &core->audit, NULL), ==, 0);
        g_assert_cmpint(up_state_new(core, &fixture->state), ==, 0);
        g_assert_cmpint(up_events_new(core, &fixture->events), ==, 0);
        g_assert_cmpint(down_call_new(core, &fixture->calls), ==, 0);
        g_assert_cmpint(local_link_new(core, fixture->state, fixture->calls, &fixture->local_link),
                        ==, 0);
        g_assert_cmpint(cloud_link_new(core, fixture->state, fixture->events, fixture->calls,
                                       &fixture->cloud_link),
                        ==, 0);
        g_assert_cmpint(local_link_open(fixture->local_link, NULL), ==, 0);
        g_assert_cmpint(cloud_link_open(fixture->cloud_link, NULL), ==, 0);
        fixture->local = core->local;
        fixture->cloud = core->cloud;
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
        Core *core = &fixture->core;

        mqtt_free(core->cloud);
        mqtt_free(core->local);
        mqtt_free(core->events);
        cloud_link_free(fixture->cloud_link);
        local_link_free(fixture->local_link);
        down_call_free(fixture->calls);
        up_events_free(fixture->events);
        up_state_free(fixture->state);
        audit_free(core->audit);
        policy_free(fixture->policy);
        free(core->last_error);
        free(core->local_error);
        free(core->cloud_error);
}

static void deliver(Mqtt *mqtt, const char *topic, const char *payload, bool retain)
{
        fake_mqtt_deliver(mqtt, &(MqttMessage){.topic = topic,
                                               .payload = payload,
                                               .length = strlen(payload),
                                               .qos = 1,
                                               .retain = retain});
}

/* ---- the cloud ---- */

/* Grants the subscriptions for calls and for what is kept; what is sent then is the mark. */
static char *grant_both(Fixture *fixture)
{
        const FakePublish *mark;

        fake_mqtt_grant(fixture->cloud, true);
        g_assert_null(fake_mqtt_take(fixture->cloud));
        fake_mqtt_grant(fixture->cloud, true);
        mark = fake_mqtt_expect(fixture->cloud, MARK);
        g_assert_false(fixture->core.cloud_ready);
        return g_strdup(mark->payload);
}

static void test_nothing_is_sent_before_all_is_subscribed(Fixture *fixture, gconstpointer data)
{
        g_autofree char *filters = NULL, *all = NULL, *mark = NULL;

        fake_mqtt_open(fixture->cloud, false);
        all = fake_mqtt_list_filters(fixture->cloud);
        g_assert_cmpstr(all, ==,
                        "dev1/mb1/+/$api\ndev1/mb1/+/$state\ndev1/mb1/+/+/$meta\n"
                        "dev1/mb1/+/+/call/+/+\ndev1/mb1/+/+/prop/+\ndev1/mb1/+/+/rpc/+\n" MARK);
        mark = grant_both(fixture);
        /* Another's, and what it keeps of an older one, is not ours. */
        deliver(fixture->cloud, MARK, "0123456789abcdef", false);
        deliver(fixture->cloud, MARK, "", false);
        g_assert_false(fixture->core.cloud_ready);
        deliver(fixture->cloud, MARK, mark, false);
        g_assert_true(fixture->core.cloud_ready);
        filters = fake_mqtt_list_filters(fixture->cloud);
        g_assert_cmpstr(filters, ==, "dev1/mb1/+/+/call/+/+\ndev1/mb1/+/+/rpc/+");
        g_assert_nonnull(strstr(fake_mqtt_expect(fixture->cloud, NODE)->payload, "\"init\""));
        fixture->core.local_ready = true;
        cloud_link_process(fixture->cloud_link, clock_now());
        g_assert_nonnull(strstr(fake_mqtt_expect(fixture->cloud, NODE)->payload, "\"ready\""));
        cloud_link_say_offline(fixture->cloud_link);
        g_assert_nonnull(strstr(fake_mqtt_expect(fixture->cloud, NODE)->payload, "\"offline\""));
}

static void test_a_will(Fixture *fixture, gconstpointer data)
{
        const MqttSettings *settings = fake_mqtt_settings(fixture->cloud);

        g_assert_cmpstr(settings->will_topic, ==, NODE);
        g_assert_cmpuint(settings->session_sec, ==, 0);
        g_assert_cmpuint(settings->packet_bytes, ==, LIMIT_BRIDGE_PACKET_BYTES);
        g_assert_cmpuint(fake_mqtt_settings(fixture->local)->packet_bytes, ==, 0);
}

static void make_ready(Fixture *fixture)
{
        g_autofree char *mark = NULL;

        fake_mqtt_open(fixture->cloud, false);
        mark = grant_both(fixture);
        deliver(fixture->cloud, MARK, mark, false);
        fake_mqtt_expect(fixture->cloud, NODE);
        g_assert_true(fixture->core.cloud_ready);
        while (fake_mqtt_take(fixture->cloud))
                ;
}

/* Once is enough: each further answer would have all that is kept sent again. */
static void test_answers_to_nothing(Fixture *fixture, gconstpointer data)
{
        MqttMessage message = {.payload = "1", .length = 1, .retain = true};
        Topic topic;

        g_assert_cmpint(topic_parse("net/-/prop/Name", &topic), ==, 0);
        up_state_take(fixture->state, "net/-/prop/Name", &topic, &message);
        make_ready(fixture);
        up_state_process(fixture->state, clock_now());
        fake_mqtt_answer(fixture->cloud,
                         fake_mqtt_expect(fixture->cloud, "dev1/mb1/net/-/prop/Name")->cookie, 0);
        for (int i = 0; i < 3; i++) {
                fake_mqtt_grant(fixture->cloud, i > 0);
                up_state_process(fixture->state, clock_now());
                g_assert_null(fake_mqtt_take(fixture->cloud));
        }
        g_assert_null(fake_mqtt_failure(fixture->cloud));
}

static void test_a_refused_subscription(Fixture *fixture, gconstpointer data)
{
        fake_mqtt_open(fixture->cloud, false);
        fake_mqtt_grant(fixture->cloud, false);
        g_assert_true(fake_mqtt_failed_long(fixture->cloud));
        fake_mqtt_hang_up(fixture->cloud);
        g_assert_nonnull(strstr(fixture->core.last_error, "the cloud refuses a subscription"));
}

static void test_a_cloud_that_delivers_nothing(Fixture *fixture, gconstpointer data)
{
        g_autofree char *mark = NULL;
        uint64_t end;

        fake_mqtt_open(fixture->cloud, false);
        mark = grant_both(fixture);
        end = cloud_link_process(fixture->cloud_link, clock_now());
        g_assert_null(fake_mqtt_failure(fixture->cloud));
        cloud_link_process(fixture->cloud_link, end);
        g_assert_true(fake_mqtt_failed_long(fixture->cloud));
}

static void test_a_cloud_that_keeps_nothing(Fixture *fixture, gconstpointer data)
{
        fake_mqtt_open(fixture->cloud, false);
        fake_mqtt_grant(fixture->cloud, true);
        g_assert_true(fixture->core.cloud_ready);
        g_assert_null(fake_mqtt_settings(fixture->cloud)->will_topic);
        g_assert_false(fake_mqtt_expect(fixture->cloud, NODE)->retain);
}

/* Only calls come this way; what else the cloud sends is counted, and comes no further. */
static void test_what_the_cloud_may_send(Fixture *fixture, gconstpointer data)
{
        make_ready(fixture);
        fake_mqtt_open(fixture->local, false);
        while (fake_mqtt_take(fixture->local))
                ;
        deliver(fixture->cloud, "dev1/mb1/net/-/prop/Name", "1", false);
        deliver(fixture->cloud, "dev1/mb1/net/$state", "{}", true);
        g_assert_cmpuint(fixture->core.stats.foreign, ==, 0);
        deliver(fixture->cloud, "mb1/net/-/call/Scan/alice", "{\"id\":1}", false);
        deliver(fixture->cloud, "dev2/mb1/net/-/call/Scan/alice", "{\"id\":1}", false);
        deliver(fixture->cloud, "dev1/mb1/net/-/sig/Up", "{}", false);
        deliver(fixture->cloud, "dev1/mb1/net/-/call/Scan/alice/reply", "{}", false);
        g_assert_cmpuint(fixture->core.stats.foreign, ==, 4);
        g_assert_cmpuint(up_state_count(fixture->state), ==, 0);
        g_assert_null(fake_mqtt_take(fixture->local));
}

/* ---- the local broker ---- */

static void test_ready_when_all_has_come(Fixture *fixture, gconstpointer data)
{
        const FakePublish *mark;
        g_autofree char *all = NULL;

        fake_mqtt_open(fixture->local, false);
        all = fake_mqtt_list_filters(fixture->local);
        g_assert_nonnull(strstr(all, "mb1/net/$state\n"));
        g_assert_nonnull(strstr(all, "mb1/net/+/prop/+"));
        g_assert_null(strstr(all, "sig"));
        fake_mqtt_grant(fixture->local, true);
        g_assert_null(fake_mqtt_take(fixture->local));
        deliver(fixture->local, "mb1/net/-/prop/Name", "1", true);
        fake_mqtt_grant(fixture->local, true);
        mark = fake_mqtt_expect(fixture->local, "mb1/bridge/$mark");
        deliver(fixture->local, "mb1/bridge/$mark", "77", false);
        g_assert_false(fixture->core.local_ready);
        deliver(fixture->local, "mb1/bridge/$mark", mark->payload, false);
        g_assert_true(fixture->core.local_ready);
        g_assert_cmpuint(up_state_count(fixture->state), ==, 1);
        /* What is not there any more at the next connection is gone. */
        fake_mqtt_hang_up(fixture->local);
        g_assert_false(fixture->core.local_ready);
        fake_mqtt_open(fixture->local, false);
        fake_mqtt_grant(fixture->local, true);
        fake_mqtt_grant(fixture->local, true);
        mark = fake_mqtt_expect(fixture->local, "mb1/bridge/$mark");
        deliver(fixture->local, "mb1/bridge/$mark", mark->payload, false);
        fixture->core.cloud_ready = true;
        fake_mqtt_open(fixture->cloud, false);
        fixture->core.cloud_ready = true;
        up_state_process(fixture->state, clock_now());
        g_assert_cmpuint(fake_mqtt_expect(fixture->cloud, "dev1/mb1/net/-/prop/Name")->length, ==,
                         0);
}

static void test_services_that_are_found(Fixture *fixture, gconstpointer data)
{
        const FakePublish *mark;
        g_autofree char *before = NULL, *after = NULL;

        fake_mqtt_open(fixture->local, false);
        fake_mqtt_grant(fixture->local, true);
        before = fake_mqtt_list_filters(fixture->local);
        g_assert_null(strstr(before, "prop"));
        deliver(fixture->local, "mb1/net/$state", "{}", true);
        deliver(fixture->local, "mb1/other/$state", "{}", true);
        after = fake_mqtt_list_filters(fixture->local);
        g_assert_nonnull(strstr(after, "mb1/net/+/prop/+"));
        g_assert_null(strstr(after, "mb1/other/"));
        fake_mqtt_grant(fixture->local, true);
        g_assert_null(fake_mqtt_take(fixture->local));
        fake_mqtt_grant(fixture->local, true);
        mark = fake_mqtt_expect(fixture->local, "mb1/bridge/$mark");
        deliver(fixture->local, "mb1/bridge/$mark", mark->payload, false);
        g_assert_true(fixture->core.local_ready);
}

static void test_a_marker_that_does_not_come(Fixture *fixture, gconstpointer data)
{
        uint64_t end;

        fake_mqtt_open(fixture->local, false);
        end = local_link_process(fixture->local_link, clock_now());
        g_assert_null(fake_mqtt_failure(fixture->local));
        local_link_process(fixture->local_link, end);
        g_assert_true(fake_mqtt_failed_long(fixture->local));
        g_assert_nonnull(strstr(fake_mqtt_failure(fixture->local), "must own the topics"));
}

static void test_another_policy(Fixture *fixture, gconstpointer data)
{
        Policy *before = fixture->policy;
        g_autofree char *all = NULL;

        fake_mqtt_open(fixture->local, false);
        fixture->core.policy = fixture->policy =
                load_policy(",\"publish\":[{\"service\":\"new\",\"properties\":[\"*\"]}]");
        local_link_apply_policy(fixture->local_link);
        all = fake_mqtt_list_filters(fixture->local);
        g_assert_null(strstr(all, "mb1/net/"));
        g_assert_nonnull(strstr(all, "mb1/new/+/prop/+"));
        g_assert_nonnull(strstr(all, "/call/"));
        policy_free(before);
}

#define ADD(name, data, function) \
        g_test_add("/links/" name, Fixture, data, set_up, function, tear_down)

int main(int argc, char **argv)
{
        static const char keeps_nothing[] = ",\"limits\":{\"retain\":false}";
        static const char pattern[] = ",\"publish\":[{\"service\":\"n*\",\"properties\":[\"*\"]}]";

        g_test_init(&argc, &argv, NULL);
        ADD("nothing-is-sent-before-all-is-subscribed", NULL,
            test_nothing_is_sent_before_all_is_subscribed);
        ADD("a-will", NULL, test_a_will);
        ADD("answers-to-nothing", NULL, test_answers_to_nothing);
        ADD("a-refused-subscription", NULL, test_a_refused_subscription);
        ADD("a-cloud-that-delivers-nothing", NULL, test_a_cloud_that_delivers_nothing);
        ADD("a-cloud-that-keeps-nothing", keeps_nothing, test_a_cloud_that_keeps_nothing);
        ADD("what-the-cloud-may-send", NULL, test_what_the_cloud_may_send);
        ADD("ready-when-all-has-come", NULL, test_ready_when_all_has_come);
        ADD("services-that-are-found", pattern, test_services_that_are_found);
        ADD("a-marker-that-does-not-come", NULL, test_a_marker_that_does_not_come);
        ADD("another-policy", NULL, test_another_policy);
        return g_test_run();
}
