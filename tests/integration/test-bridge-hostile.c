/* SPDX-License-Identifier: MIT */

/* A cloud that means harm, or does not do what it should: nothing reaches the local broker that the
 * policy does not name, memory stays within bounds, and each refusal is counted. */

#include <string.h>

#include "tests/support/bridge-stage.h"
#include "tests/support/fake-broker.h"

#define SCAN "dev1/mb1/net/-/call/Scan/alice"

/* KiB that the bridge may grow by, whatever comes. */
enum { MEMORY_KIB = 12 << 10 };

static const char rules[] =
        ",\"publish\":[{\"service\":\"net\",\"properties\":[\"*\"],\"signals\":[\"*\"]}],"
        "\"allow\":[{\"service\":\"net\",\"object\":\"-\",\"methods\":[\"Scan\"],"
        "\"callers\":[\"alice\"],\"rate_per_minute\":1000,\"max_bytes\":500}]";

/* The bridge between a real local broker and this one. */
static FakeBroker *start(BridgeStage *stage)
{
        FakeBroker *cloud = fake_broker_new(stage->dir);

        g_free(stage->cloud_uri);
        stage->cloud_uri = g_strdup(fake_broker_get_uri(cloud));
        fake_broker_set_echo(cloud, "/$mark");
        bridge_stage_write_policy(stage, rules);
        bridge_stage_start(stage);
        bridge_stage_expect(stage, "Local", "\"up\"");
        g_assert_true(LOOP_UNTIL(fake_broker_count_published(cloud, "$node") > 0));
        return cloud;
}

static void test_hostile_cloud(void)
{
        static const char *const topics[] = {
                "mb1/net/-/call/Scan/alice",       /* without the node */
                "dev2/mb1/net/-/call/Scan/alice",  /* another node */
                "dev1/mb10/net/-/call/Scan/alice", /* another root */
                "dev1/mb1/net/-/prop/Name",        /* state of ours */
                "dev1/mb1/net/$state",
                "dev1/mb1/net/-/sig/Up",
                "dev1/mb1/net/-/call/Scan/alice/reply",
                "dev1/mb1/bridge/$mark",
                "$SYS/broker/uptime",
                "dev1/mb1/net/-/call/Scan",
                "dev1/mb1/net/-/call//alice",
                "dev1/mb1//-/call/Scan/alice",
                "dev1/mb1/../-/call/Reboot/alice",
                "a",
        };
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_FAKE_BROKER FakeBroker *cloud = fake_broker_new(stage->dir);
        CLEANUP_RAW_CLIENT RawClient *local = raw_client_new(stage->local, &(RawOptions){});
        g_autofree char *huge = g_strnfill(2 << 20, ' ');
        const RawMessage *message;

        g_free(stage->cloud_uri);
        stage->cloud_uri = g_strdup(fake_broker_get_uri(cloud));
        fake_broker_set_echo(cloud, "/$mark");
        raw_client_subscribe(local, "#");
        bridge_stage_write_policy(stage, rules);
        bridge_stage_start(stage);
        g_assert_true(LOOP_UNTIL(fake_broker_count_published(cloud, "$node") > 0));
        for (int retain = 0; retain < 2; retain++)
                for (size_t i = 0; i < G_N_ELEMENTS(topics); i++)
                        fake_broker_publish(cloud, topics[i], "{\"id\":1}", 8, (int)i % 2,
                                            retain != 0, NULL);
        fake_broker_publish(cloud, "dev1/mb1/net/-/call/Scan/alice", huge, 2 << 20, 1, false, NULL);
        fake_broker_publish(cloud, "dev1/mb1/net/-/call/Scan/alice", "{\"id\":1}", 8, 1, false,
                            "mb1/other/-/call/Reboot/root/x");
        /* A flood of calls that are refused, and one that is not. */
        for (int i = 0; i < 5000; i++)
                fake_broker_publish(cloud, "dev1/mb1/net/-/call/Reboot/alice", "{}", 2, 0, false,
                                    NULL);
        fake_broker_publish(cloud, "dev1/mb1/net/-/call/Scan/alice", "{\"id\":\"good\"}", 13, 1,
                            false, NULL);
        do
                message = raw_client_receive(local);
        while (g_str_has_prefix(message->topic, "mb1/bridge/"));
        g_assert_cmpstr(message->topic, ==, "mb1/net/-/call/Scan/cloud.alice");
        g_assert_cmpstr(message->payload, ==, "{\"id\":\"good\"}");
        /* And it has been seen; a service called ".." is denied as any other. */
        bridge_stage_expect(stage, "Foreign", "20");
        bridge_stage_expect(stage, "CallsRefused", "5004");
}

static void test_refused_publishes_are_counted(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_FAKE_BROKER FakeBroker *cloud = fake_broker_new(stage->dir);
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});
        Process *bridge;

        g_free(stage->cloud_uri);
        stage->cloud_uri = g_strdup(fake_broker_get_uri(cloud));
        fake_broker_set_echo(cloud, "/$mark");
        bridge_stage_write_policy(stage,
                                  ",\"publish\":[{\"service\":\"net\",\"properties\":[\"*\"],"
                                  "\"signals\":[\"*\"]}]");
        bridge_stage_start(stage);
        bridge = stage->bridge;
        /* signals are subscribed to, and what the bridge says of itself has been taken */
        bridge_stage_expect(stage, "Local", "\"up\"");
        bridge_stage_retain(service, "mb1/net/-/prop/Name", "0");
        g_assert_true(LOOP_UNTIL(fake_broker_count_published(cloud, "/prop/Name") > 0));
        fake_broker_set_puback(cloud, 0x87);
        bridge_stage_retain(service, "mb1/net/-/prop/Name", "1");
        raw_client_publish(service,
                           &(RawPublish){.topic = "mb1/net/-/sig/Up", .payload = "{}", .qos = 1});
        g_assert_true(LOOP_UNTIL(fake_broker_count_published(cloud, "/sig/Up") > 0));
        g_assert_true(process_wait_output(bridge, PROCESS_STDERR,
                                          "the cloud refuses an event (0x87)", WAIT_MSEC));
        g_assert_true(process_wait_output(bridge, PROCESS_STDERR,
                                          "the cloud refuses state at dev1/mb1/net/-/prop/Name",
                                          WAIT_MSEC));
        /* The event leaves a gap; that is refused as well, and leaves none. */
        g_assert_true(LOOP_UNTIL(fake_broker_count_published(cloud, "/sig/rpc.gap") > 0));
        bridge_stage_expect(stage, "RefusedByCloud", "3");
        bridge_stage_expect(stage, "QueueEvents", "0");
        g_assert_cmpuint(fake_broker_count_published(cloud, "/sig/rpc.gap"), ==, 1);
}

/* A call that the policy allows gets through, still or again; all that was sent before it has been
 * looked at by then. */
static void expect_a_call_gets_through(FakeBroker *cloud, RawClient *service)
{
        const RawMessage *message;

        fake_broker_publish(cloud, SCAN, "{\"id\":\"good\"}", 13, 1, false, NULL);
        message = raw_client_receive(service);
        g_assert_cmpstr(message->topic, ==, "mb1/net/-/call/Scan/cloud.alice");
        g_assert_cmpstr(message->payload, ==, "{\"id\":\"good\"}");
}

static void expect_growth(BridgeStage *stage, long before_kib)
{
        long grown = bridge_stage_get_peak(stage) - before_kib;

        g_test_message("grown by %ld KiB", grown);
#ifndef __SANITIZE_ADDRESS__ /* which keeps what has been freed */
        g_assert_cmpint(grown, <=, MEMORY_KIB);
#endif
}

/* Nobody subscribes to that here, and libmosquitto would keep them all. */
static void test_qos_2(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});
        CLEANUP_FAKE_BROKER FakeBroker *cloud = start(stage);
        unsigned n = fake_broker_count_published(cloud, "$node");

        raw_client_subscribe(service, "mb1/net/-/call/+/+");
        fake_broker_publish(cloud, SCAN, "{\"id\":1}", 8, 2, false, NULL);
        g_assert_true(process_wait_output(stage->bridge, PROCESS_STDERR, "cloud: it sends at QoS 2",
                                          WAIT_MSEC));
        g_assert_true(LOOP_UNTIL(fake_broker_count_connects(cloud) == 2 &&
                                 fake_broker_count_published(cloud, "$node") > n));
        expect_a_call_gets_through(cloud, service);
}

/* Refused calls that want an answer, from a cloud that acknowledges nothing. */
static void test_a_flood(void)
{
        enum { N_CALLS = 20000 };
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});
        CLEANUP_FAKE_BROKER FakeBroker *cloud = start(stage);
        g_autofree char *refused = g_strdup_printf("%d", N_CALLS);
        long before_kib = bridge_stage_get_peak(stage);

        raw_client_subscribe(service, "mb1/net/-/call/+/+");
        fake_broker_be_silent(cloud);
        for (int i = 0; i < N_CALLS; i++) {
                fake_broker_publish(cloud, "dev1/mb1/net/-/call/Reboot/alice",
                                    "{\"jsonrpc\":\"2.0\",\"id\":12345678}", 33, 1, false, NULL);
                if (i % 100 == 0)
                        fake_broker_process(cloud);
        }
        expect_a_call_gets_through(cloud, service);
        bridge_stage_expect(stage, "CallsRefused", refused);
        expect_growth(stage, before_kib);
}

/* A packet may claim to have 256 MiB, and libmosquitto makes room for what it claims. The unit of
 * the service manager sets the same limit, and more of it. */
static void test_a_packet_that_claims_to_be_huge(void)
{
#ifdef __SANITIZE_ADDRESS__
        g_test_skip("a sanitizer does not get by with so little");
#else
        static const guint8 claim[] = {0x30, 0xff, 0xff, 0xff, 0x7f, 0, 1};
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});
        CLEANUP_FAKE_BROKER FakeBroker *cloud = start(stage);
        unsigned n = fake_broker_count_published(cloud, "$node");

        raw_client_subscribe(service, "mb1/net/-/call/+/+");
        bridge_stage_limit_memory(stage, "100000000");
        fake_broker_send(cloud, claim, sizeof(claim));
        g_assert_true(LOOP_UNTIL(fake_broker_count_connects(cloud) == 2 &&
                                 fake_broker_count_published(cloud, "$node") > n));
        expect_a_call_gets_through(cloud, service);
#endif
}

/* A user of the cloud sends what nobody would: the broker there has been told not to pass it on. */
static void test_a_large_request(void)
{
        enum { BYTES = 32 << 20 };
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});
        CLEANUP_RAW_CLIENT RawClient *alice = raw_client_new(stage->cloud, &(RawOptions){});
        g_autofree char *large = g_strnfill(BYTES, ' ');
        long before_kib;

        raw_client_subscribe(service, "mb1/net/-/call/+/+");
        bridge_stage_run(stage, rules);
        before_kib = bridge_stage_get_peak(stage);
        raw_client_publish(
                alice, &(RawPublish){.topic = SCAN, .payload = large, .length = BYTES, .qos = 1});
        raw_client_publish(alice, &(RawPublish){.topic = SCAN, .payload = "{\"id\":1}", .qos = 1});
        g_assert_cmpstr(raw_client_receive(service)->payload, ==, "{\"id\":1}");
        bridge_stage_expect(stage, "CloudConnects", "1");
        expect_growth(stage, before_kib);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/bridge-hostile/whatever-topics", test_hostile_cloud);
        g_test_add_func("/bridge-hostile/refused-publishes-are-counted",
                        test_refused_publishes_are_counted);
        g_test_add_func("/bridge-hostile/qos-2", test_qos_2);
        g_test_add_func("/bridge-hostile/a-flood", test_a_flood);
        g_test_add_func("/bridge-hostile/a-packet-that-claims-to-be-huge",
                        test_a_packet_that_claims_to_be_huge);
        g_test_add_func("/bridge-hostile/a-large-request", test_a_large_request);
        return g_test_run();
}
