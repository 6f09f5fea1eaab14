/* SPDX-License-Identifier: MIT */

/* The other verbs of mqttrpc-bridge: exit status, what they print, and that this works. */

#include <string.h>

#include "tests/support/bridge-stage.h"

static const char rules[] =
        ",\"publish\":[{\"service\":\"net\",\"properties\":[\"*\"],\"signals\":[\"*\"]}],"
        "\"allow\":[{\"service\":\"net\",\"object\":\"-\",\"methods\":[\"Scan\"],"
        "\"callers\":[\"alice\"]}]";

static int run(BridgeStage *stage, const char *first, const char *second, const char *config,
               char **ret_out, char **ret_error)
{
        g_autofree char *program = process_program_path("mqttrpc-bridge");
        const char *argv[] = {program, first, NULL, NULL, NULL, NULL};
        int n = 2;

        if (second)
                argv[n++] = second;
        if (config) {
                argv[n++] = "--config";
                argv[n++] = config;
        }
        return process_run(stage->dir, argv, NULL, WAIT_MSEC, ret_out, ret_error);
}

static void test_check(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        g_autofree char *good = NULL, *bad = NULL, *missing = NULL;

        bridge_stage_write_policy(stage, rules);
        g_assert_cmpint(run(stage, "check", NULL, stage->policy, &good, NULL), ==, 0);
        g_assert_nonnull(strstr(good, "1 rules to publish, 1 to allow; no errors"));
        bridge_stage_write_policy(stage, ",\"alow\":[]");
        g_assert_cmpint(run(stage, "check", NULL, stage->policy, NULL, &bad), ==, 1);
        g_assert_nonnull(strstr(bad, "bridge.json:2:"));
        g_assert_nonnull(strstr(bad, "did you mean 'allow'?"));
        g_assert_cmpint(run(stage, "check", NULL, "/does/not/exist", NULL, &missing), ==, 1);
        g_assert_cmpint(run(stage, "check", "extra", NULL, NULL, NULL), ==, 2);
        g_assert_cmpint(run(stage, "emit", "nothing", NULL, NULL, NULL), ==, 2);
        g_assert_cmpint(run(stage, "run", "--bogus", NULL, NULL, NULL), ==, 2);
}

static void test_a_wrong_policy_does_not_start(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();

        bridge_stage_write_policy(stage, ",\"alow\":[]");
        g_assert_cmpint(run(stage, "run", NULL, stage->policy, NULL, NULL), ==, 1);
}

static void test_two_on_one_store(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        g_autofree char *errors = NULL, *warning = NULL;

        bridge_stage_run(stage, rules);
        g_assert_cmpint(run(stage, "run", NULL, stage->policy, NULL, &errors), ==, 1);
        g_assert_nonnull(strstr(errors, "is in use by another process"));
        g_assert_cmpint(run(stage, "check", NULL, stage->policy, NULL, &warning), ==, 0);
        g_assert_nonnull(strstr(warning, "is in use by a running bridge"));
}

static void test_status(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        g_autofree char *out = NULL, *json = NULL;
        int status;

        bridge_stage_run(stage, rules);
        g_assert_cmpint(run(stage, "status", NULL, stage->policy, &out, NULL), ==, 0);
        g_assert_nonnull(strstr(out, "Node             \"dev1\"\n"));
        g_assert_cmpint(run(stage, "status", "--json", stage->policy, &json, NULL), ==, 0);
        g_assert_true(g_str_has_prefix(json, "{\"Node\":\"dev1\""));
        broker_kill(stage->cloud);
        bridge_stage_expect(stage, "Cloud", "\"down\"");
        status = run(stage, "status", NULL, stage->policy, NULL, NULL);
        g_assert_cmpint(status, ==, 3);
        bridge_stage_stop(stage);
        broker_kill(stage->local);
        g_assert_cmpint(run(stage, "status", NULL, stage->policy, NULL, NULL), ==, 1);
}

/* A stock Mosquitto with the configuration that is printed does what it says: state goes up, and a
 * call and its answer get through. */
static void test_bridge_of_mosquitto(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        g_autofree char *config = NULL, *whole = NULL;
        Broker *cloud, *device;
        RawClient *service, *caller;
        const RawMessage *message;

        cloud = broker_new_with_config(stage->dir, "allow_anonymous true\n");
        broker_enable_tcp(cloud);
        broker_start(cloud);
        g_free(stage->cloud_uri);
        stage->cloud_uri = g_strdup(broker_get_tcp_uri(cloud));
        bridge_stage_write_policy(stage, rules);
        g_assert_cmpint(run(stage, "emit", "mosquitto", stage->policy, &config, NULL), ==, 0);
        whole = g_strconcat("allow_anonymous true\n", NULL);
        device = broker_new_with_config(stage->dir, whole);
        broker_add_config(device, config);
        broker_start(device);
        service = raw_client_new(device, &(RawOptions){});
        caller = raw_client_new(cloud, &(RawOptions){});
        raw_client_subscribe(service, "mb1/net/-/call/+/+");
        raw_client_subscribe(caller, "dev1/mb1/net/#");
        bridge_stage_retain(service, "mb1/net/-/prop/Name", "1");
        message = raw_client_receive(caller);
        g_assert_cmpstr(message->topic, ==, "dev1/mb1/net/-/prop/Name");
        raw_client_post(caller, &(RawPublish){.topic = "dev1/mb1/net/-/call/Scan/alice",
                                              .payload = "{\"id\":1}",
                                              .qos = 1});
        message = raw_client_receive(service);
        g_assert_cmpstr(message->topic, ==, "mb1/net/-/call/Scan/alice");
        raw_client_post(service, &(RawPublish){.topic = "mb1/net/-/call/Scan/alice/reply",
                                               .payload = "{\"id\":1,\"result\":0}",
                                               .qos = 1});
        do
                message = raw_client_receive(caller);
        while (!g_str_has_suffix(message->topic, "/reply"));
        g_assert_cmpstr(message->payload, ==, "{\"id\":1,\"result\":0}");
        raw_client_free(caller);
        raw_client_free(service);
        broker_free(device);
        broker_free(cloud);
}

/* Every option that a help shows, and every property of the service, is in the manual page. */
static void test_manual(void)
{
        static const char *const verbs[] = {"run", "check", "status", "emit"};
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        g_autofree char *path = process_source_path("docs/man/mqttrpc-bridge.8"), *page = NULL;
        g_autoptr(GRegex) option = g_regex_new("--([a-z]+)", 0, 0, NULL);

        g_assert_true(g_file_get_contents(path, &page, NULL, NULL));
        for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
                g_autofree char *help = NULL;
                g_autoptr(GMatchInfo) match = NULL;

                g_assert_cmpint(run(stage, verbs[i], "--help", NULL, &help, NULL), ==, 0);
                for (g_regex_match(option, help, 0, &match); g_match_info_matches(match);
                     g_match_info_next(match, NULL)) {
                        g_autofree char *name = g_match_info_fetch(match, 1);
                        g_autofree char *escaped = g_strdup_printf("\\-\\-%s", name);

                        g_test_message("%s --%s", verbs[i], name);
                        g_assert_nonnull(strstr(page, escaped));
                }
        }
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/bridge-tools/check", test_check);
        g_test_add_func("/bridge-tools/a-wrong-policy-does-not-start",
                        test_a_wrong_policy_does_not_start);
        g_test_add_func("/bridge-tools/two-on-one-store", test_two_on_one_store);
        g_test_add_func("/bridge-tools/status", test_status);
        g_test_add_func("/bridge-tools/bridge-of-mosquitto", test_bridge_of_mosquitto);
        g_test_add_func("/bridge-tools/manual", test_manual);
        return g_test_run();
}
