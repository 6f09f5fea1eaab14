/* SPDX-License-Identifier: MIT */

/* State in the cloud becomes what it is on the device, whatever happens in between. */

#include <string.h>

#include "tests/support/bridge-stage.h"

static const char publish_net[] =
        ",\"publish\":[{\"service\":\"net\",\"properties\":[\"*\"],\"signals\":[\"*\"]}]";

/* What is below the own service of the bridge is not mirrored, nor is $node at the device. */
static void expect_same(BridgeStage *stage)
{
        gint64 deadline = wait_deadline(WAIT_MSEC);
        g_autofree char *here = bridge_stage_list_retained(stage->local, "mb1/net");
        char *there = NULL;

        do {
                g_free(there);
                there = bridge_stage_list_retained(stage->cloud, "dev1/mb1/net");
        } while (strcmp(here, there) != 0 && wait_left(deadline) > 0);
        g_assert_cmpstr(there, ==, here);
        g_free(there);
}

static void test_follows_changes_and_removals(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});
        g_autofree char *all = NULL;

        bridge_stage_retain(service, "mb1/net/$state", "{\"state\":\"ready\"}");
        bridge_stage_retain(service, "mb1/net/-/prop/Name", "\"before\"");
        bridge_stage_run(stage, publish_net);
        expect_same(stage);
        bridge_stage_retain(service, "mb1/net/-/prop/Name", "\"after\"");
        bridge_stage_retain(service, "mb1/net/-/prop/Other", "[1.50, 1e3]");
        bridge_stage_retain(service, "mb1/net/-/$meta", "{\"props\":[\"Name\",\"Other\"]}");
        expect_same(stage);
        bridge_stage_retain(service, "mb1/net/-/prop/Name", "");
        expect_same(stage);
        all = bridge_stage_list_retained(stage->cloud, "dev1/mb1/net");
        g_assert_cmpstr(all, ==,
                        "$state {\"state\":\"ready\"}\n"
                        "-/$meta {\"props\":[\"Name\",\"Other\"]}\n"
                        "-/prop/Other [1.50, 1e3]");
}

static void signal_twice(RawClient *service, const char *topic)
{
        for (int i = 0; i < 2; i++)
                raw_client_publish(service,
                                   &(RawPublish){.topic = topic, .payload = "{}", .qos = 1});
}

/* What is not named stays on the device, while what is named behind it gets through. */
static void test_what_is_not_named_stays_here(void)
{
        static const char *const known[] = {"dev1/mb1/$node", "dev1/mb1/bridge/$mark",
                                            "dev1/mb1/net/-/sig/Up", "dev1/mb1/net/-/prop/Public"};
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_RAW_CLIENT RawClient *cloud = raw_client_new(stage->cloud, &(RawOptions){});
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});
        unsigned n_seen[G_N_ELEMENTS(known)] = {};

        raw_client_subscribe(cloud, "#");
        bridge_stage_run(
                stage,
                ",\"publish\":[{\"service\":\"net\",\"object\":\"-\",\"properties\":[\"Pub*\"],"
                "\"signals\":[\"Up\"]}]");
        bridge_stage_retain(service, "mb1/net/-/prop/Private", "1");
        bridge_stage_retain(service, "mb1/net/other/prop/Public", "2");
        bridge_stage_retain(service, "mb1/other/$state", "{}");
        bridge_stage_retain(service, "other/topic", "3");
        signal_twice(service, "mb1/net/-/sig/Down");
        signal_twice(service, "mb1/net/-/sig/Up");
        bridge_stage_retain(service, "mb1/net/-/prop/Public", "4");
        while (n_seen[2] < 2 || n_seen[3] < 1) {
                const RawMessage *message = raw_client_receive(cloud);
                size_t i = 0;

                while (i < G_N_ELEMENTS(known) && strcmp(message->topic, known[i]) != 0)
                        i++;
                if (i == G_N_ELEMENTS(known))
                        g_error("this is not for the cloud: %s", message->topic);
                n_seen[i]++;
        }
}

static void test_changes_while_the_bridge_was_away(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});

        bridge_stage_retain(service, "mb1/net/-/prop/Gone", "1");
        bridge_stage_retain(service, "mb1/net/-/prop/Kept", "1");
        bridge_stage_retain(service, "mb1/net/-/prop/Changed", "1");
        bridge_stage_run(stage, publish_net);
        expect_same(stage);
        bridge_stage_kill(stage);
        bridge_stage_retain(service, "mb1/net/-/prop/Gone", "");
        bridge_stage_retain(service, "mb1/net/-/prop/Changed", "2");
        bridge_stage_retain(service, "mb1/net/-/prop/New", "3");
        bridge_stage_start(stage);
        bridge_stage_wait_up(stage);
        expect_same(stage);
        /* One that is right already was not sent again: the three, and nothing else. */
        bridge_stage_expect(stage, "StateOut", "3");
}

static void test_a_cloud_that_forgets(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});

        bridge_stage_retain(service, "mb1/net/-/prop/Name", "1");
        bridge_stage_run(stage, publish_net);
        expect_same(stage);
        broker_kill(stage->cloud);
        bridge_stage_retain(service, "mb1/net/-/prop/Name", "2");
        broker_start(stage->cloud);
        bridge_stage_expect(stage, "CloudConnects", "2");
        bridge_stage_wait_up(stage);
        expect_same(stage);
}

static void test_a_local_broker_that_forgets(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        RawClient *service = raw_client_new(stage->local, &(RawOptions){});

        bridge_stage_retain(service, "mb1/net/-/prop/Gone", "1");
        bridge_stage_retain(service, "mb1/net/-/prop/Back", "1");
        bridge_stage_run(stage, publish_net);
        expect_same(stage);
        raw_client_free(service);
        broker_kill(stage->local);
        broker_start(stage->local);
        service = raw_client_new(stage->local, &(RawOptions){});
        bridge_stage_retain(service, "mb1/net/-/prop/Back", "2");
        bridge_stage_expect(stage, "LocalConnects", "2");
        bridge_stage_wait_up(stage);
        expect_same(stage);
        raw_client_free(service);
}

static void test_presence_in_the_cloud(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        g_autofree char *up = NULL, *lost = NULL, *offline = NULL;

        bridge_stage_run(stage, publish_net);
        up = bridge_stage_list_retained(stage->cloud, "dev1");
        g_assert_nonnull(strstr(up, "mb1/$node {\"state\":\"ready\""));
        bridge_stage_kill(stage);
        lost = bridge_stage_list_retained(stage->cloud, "dev1");
        g_assert_nonnull(strstr(lost, "mb1/$node {\"state\":\"lost\""));
        bridge_stage_start(stage);
        bridge_stage_wait_up(stage);
        bridge_stage_stop(stage);
        offline = bridge_stage_list_retained(stage->cloud, "dev1");
        g_assert_nonnull(strstr(offline, "mb1/$node {\"state\":\"offline\""));
}

static void test_services_found_by_pattern(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});

        bridge_stage_retain(service, "mb1/net/-/prop/Name", "1");
        bridge_stage_retain(service, "mb1/net/$state", "{}");
        bridge_stage_run(stage, ",\"publish\":[{\"service\":\"n*\",\"properties\":[\"*\"]}]");
        expect_same(stage);
        bridge_stage_retain(service, "mb1/net/$api", "{\"later\":1}");
        expect_same(stage);
}

static void test_another_policy(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});
        gint64 deadline = wait_deadline(WAIT_MSEC);
        char *all = NULL;

        bridge_stage_retain(service, "mb1/net/-/prop/A", "1");
        bridge_stage_retain(service, "mb1/net/-/prop/B", "2");
        bridge_stage_retain(service, "mb1/new/-/prop/C", "3");
        bridge_stage_run(stage, publish_net);
        expect_same(stage);
        bridge_stage_write_policy(stage,
                                  ",\"publish\":[{\"service\":\"net\",\"properties\":[\"B\"]},"
                                  "{\"service\":\"new\",\"properties\":[\"*\"]}]");
        process_signal(stage->bridge, SIGHUP);
        do {
                g_free(all);
                all = bridge_stage_list_retained(stage->cloud, "dev1/mb1");
        } while ((strstr(all, "prop/A") || !strstr(all, "new/-/prop/C 3")) &&
                 wait_left(deadline) > 0);
        g_assert_null(strstr(all, "prop/A"));
        g_assert_nonnull(strstr(all, "net/-/prop/B 2"));
        g_assert_nonnull(strstr(all, "new/-/prop/C 3"));
        g_free(all);
        /* Nothing was connected anew for that. */
        bridge_stage_expect(stage, "CloudConnects", "1");
        bridge_stage_expect(stage, "LocalConnects", "1");
}

static void test_another_node(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});
        gint64 deadline = wait_deadline(WAIT_MSEC);
        char *offline = NULL, *there = NULL;

        bridge_stage_retain(service, "mb1/net/-/prop/Name", "1");
        bridge_stage_run(stage, publish_net);
        bridge_stage_expect(stage, "Node", "\"dev1\"");
        bridge_stage_edit_policy(stage, "\"dev1\"", "\"dev2\"");
        process_signal(stage->bridge, SIGHUP);
        bridge_stage_expect(stage, "Node", "\"dev2\"");
        do {
                g_free(there);
                there = bridge_stage_list_retained(stage->cloud, "dev2/mb1/net");
        } while (strcmp(there, "-/prop/Name 1") != 0 && wait_left(deadline) > 0);
        g_assert_cmpstr(there, ==, "-/prop/Name 1");
        /* What is left below the old one is no good any more, and says so: "offline", or "lost" if
         * the broker finds the connection closed before it has read that it ends. */
        offline = bridge_stage_list_retained(stage->cloud, "dev1");
        g_assert_true(strstr(offline, "mb1/$node {\"state\":\"offline\"") ||
                      strstr(offline, "mb1/$node {\"state\":\"lost\""));
        g_free(offline);
        g_free(there);
}

static void test_a_policy_with_errors_changes_nothing(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});
        g_autofree char *good = NULL;

        bridge_stage_run(stage, publish_net);
        good = g_strdup(publish_net);
        bridge_stage_write_policy(stage, ",\"publsh\":[]");
        process_signal(stage->bridge, SIGHUP);
        g_assert_true(process_wait_output(stage->bridge, PROCESS_STDERR, "did you mean 'publish'?",
                                          WAIT_MSEC));
        bridge_stage_write_policy(stage, good);
        bridge_stage_retain(service, "mb1/net/-/prop/A", "1");
        expect_same(stage);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/bridge-state/follows-changes-and-removals",
                        test_follows_changes_and_removals);
        g_test_add_func("/bridge-state/what-is-not-named-stays-here",
                        test_what_is_not_named_stays_here);
        g_test_add_func("/bridge-state/changes-while-the-bridge-was-away",
                        test_changes_while_the_bridge_was_away);
        g_test_add_func("/bridge-state/a-cloud-that-forgets", test_a_cloud_that_forgets);
        g_test_add_func("/bridge-state/a-local-broker-that-forgets",
                        test_a_local_broker_that_forgets);
        g_test_add_func("/bridge-state/presence-in-the-cloud", test_presence_in_the_cloud);
        g_test_add_func("/bridge-state/services-found-by-pattern", test_services_found_by_pattern);
        g_test_add_func("/bridge-state/another-policy", test_another_policy);
        g_test_add_func("/bridge-state/another-node", test_another_node);
        g_test_add_func("/bridge-state/a-policy-with-errors-changes-nothing",
                        test_a_policy_with_errors_changes_nothing);
        return g_test_run();
}
