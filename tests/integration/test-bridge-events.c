/* SPDX-License-Identifier: MIT */

/* Events that the local broker was told have arrived reach the cloud, in order, whatever happens to
 * the bridge and the cloud in between; what is lost is told. MQTTRPC_BRIDGE_EVENTS says how many go
 * through the test that kills the bridge. */

#include <stdio.h>
#include <string.h>

#include "tests/support/bridge-stage.h"
#include "tests/support/cut-link.h"

static const char publish_net[] = ",\"publish\":[{\"service\":\"net\",\"signals\":[\"*\"]}]";

static void emit(RawClient *service, unsigned n)
{
        g_autofree char *payload = g_strdup_printf("{\"params\":[%u]}", n);

        raw_client_post(service,
                        &(RawPublish){.topic = "mb1/net/-/sig/Tick", .payload = payload, .qos = 1});
}

/* 1 … n; the local broker has them all afterwards. */
static void emit_and_wait(RawClient *service, unsigned n)
{
        for (unsigned i = 1; i <= n; i++)
                emit(service, i);
        raw_client_publish(service, &(RawPublish){.topic = "done", .payload = "", .qos = 1});
}

/* Takes what has come: each event that was not seen before must be the next one. */
static void take(RawClient *cloud, unsigned *seen)
{
        const RawMessage *message;

        while ((message = raw_client_poll(cloud))) {
                unsigned n;

                if (!g_str_has_suffix(message->topic, "/sig/Tick"))
                        continue;
                g_assert_cmpint(sscanf(message->payload, "{\"params\":[%u]}", &n), ==, 1);
                if (n > *seen + 1)
                        g_error("after %u comes %u", *seen, n);
                *seen = MAX(*seen, n);
        }
}

/* As long as it goes on, however slowly. */
static bool take_until(RawClient *cloud, unsigned *seen, unsigned n)
{
        bool goes_on = true;

        while (goes_on && *seen < n) {
                unsigned before = *seen;

                goes_on = LOOP_UNTIL((take(cloud, seen), *seen > before));
        }
        return goes_on;
}

static void test_killed_in_a_stream(void)
{
        const char *text = g_getenv("MQTTRPC_BRIDGE_EVENTS");
        unsigned n_events = text ? (unsigned)atoi(text) : 60000, n_kills = 15, sent = 0, seen = 0;
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});
        CLEANUP_RAW_CLIENT RawClient *cloud = raw_client_new(stage->cloud, &(RawOptions){});

        raw_client_subscribe(cloud, "dev1/mb1/net/-/sig/+");
        bridge_stage_run(stage, publish_net);
        for (unsigned kill = 1; kill <= n_kills; kill++) {
                unsigned upto = n_events / n_kills * kill;
                unsigned before = seen;

                while (sent < upto)
                        emit(service, ++sent);
                /* In the middle of it: some of these are through, others are not. */
                g_assert_true(LOOP_UNTIL((take(cloud, &seen), seen > before + 50)));
                bridge_stage_kill(stage);
                bridge_stage_start(stage);
        }
        g_assert_true(take_until(cloud, &seen, sent));
        bridge_stage_wait_up(stage);
        bridge_stage_expect(stage, "QueueEvents", "0");
        bridge_stage_expect(stage, "EventsDropped", "0");
}

static void test_wait_for_the_cloud(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});
        RawClient *cloud;
        unsigned seen = 0;

        bridge_stage_run(stage, publish_net);
        broker_kill(stage->cloud);
        emit_and_wait(service, 2000);
        bridge_stage_expect(stage, "QueueEvents", "2000");
        bridge_stage_kill(stage);
        broker_start(stage->cloud);
        cloud = raw_client_new(stage->cloud, &(RawOptions){});
        raw_client_subscribe(cloud, "dev1/mb1/net/-/sig/+");
        bridge_stage_start(stage);
        g_assert_true(take_until(cloud, &seen, 2000));
        raw_client_free(cloud);
}

static const RawMessage *receive_gap(RawClient *cloud)
{
        const RawMessage *message;

        do
                message = raw_client_receive(cloud);
        while (!g_str_has_suffix(message->topic, "/sig/rpc.gap"));
        g_assert_cmpstr(message->topic, ==, "dev1/mb1/bridge/-/sig/rpc.gap");
        return message;
}

static void test_a_session_that_the_broker_has_lost_is_a_gap(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_RAW_CLIENT RawClient *cloud = raw_client_new(stage->cloud, &(RawOptions){});
        const RawMessage *message;

        raw_client_subscribe(cloud, "dev1/mb1/+/-/sig/+");
        bridge_stage_run(stage, publish_net);
        broker_kill(stage->local);
        broker_start(stage->local);
        message = receive_gap(cloud);
        g_assert_nonnull(strstr(message->payload, "\"dropped\":null"));
        g_assert_nonnull(strstr(message->payload, "\"reason\":\"session\""));
}

static void test_more_than_the_disk_may_take(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});
        g_autofree char *large = g_strnfill(100000, '7'), *payload = NULL, *dropped = NULL;
        RawClient *cloud;
        const RawMessage *message;
        unsigned n = 0, left = 0, n_gap = 0;

        /* 1 MiB of queue, and 3 MB of events. */
        stage->queue_members = ", \"max_mib\": 1";
        bridge_stage_run(stage, publish_net);
        broker_kill(stage->cloud);
        payload = g_strdup_printf("{\"params\":[%s]}", large);
        for (n = 0; n < 30; n++)
                raw_client_publish(
                        service,
                        &(RawPublish){.topic = "mb1/net/-/sig/Tick", .payload = payload, .qos = 1});
        bridge_stage_expect(stage, "EventsIn", "30");
        dropped = bridge_stage_get(stage, "EventsDropped");
        g_assert_cmpint(atoi(dropped), >=, 19);
        broker_start(stage->cloud);
        cloud = raw_client_new(stage->cloud, &(RawOptions){});
        raw_client_subscribe(cloud, "dev1/mb1/+/-/sig/+");
        message = receive_gap(cloud);
        g_assert_cmpint(sscanf(strstr(message->payload, "\"dropped\":"), "\"dropped\":%u", &n_gap),
                        ==, 1);
        g_assert_nonnull(strstr(message->payload, "\"reason\":\"bytes\""));
        g_assert_cmpint((int)n_gap, ==, atoi(dropped));
        for (left = 0; left + n_gap < 30; left++)
                g_assert_true(g_str_has_suffix(raw_client_receive(cloud)->topic, "/sig/Tick"));
        bridge_stage_expect(stage, "QueueEvents", "0");
        raw_client_free(cloud);
}

/* They come in one go, and are more than the disk may take even for a moment. */
static void test_large_events_in_one_batch(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});
        CLEANUP_RAW_CLIENT RawClient *cloud = raw_client_new(stage->cloud, &(RawOptions){});
        g_autofree char *large = g_strnfill(900000, '7');
        g_autofree char *payload = g_strdup_printf("{\"params\":[%s]}", large);
        unsigned n_gap = 0, n = 0;

        stage->queue_members = ", \"max_mib\": 1";
        bridge_stage_run(stage, publish_net);
        bridge_stage_kill(stage);
        for (int i = 0; i < 30; i++)
                raw_client_publish(
                        service,
                        &(RawPublish){.topic = "mb1/net/-/sig/Tick", .payload = payload, .qos = 1});
        raw_client_subscribe(cloud, "dev1/mb1/+/-/sig/+");
        bridge_stage_start(stage);
        while (n + n_gap < 30) {
                const RawMessage *message = raw_client_receive(cloud);
                unsigned dropped = 0;

                if (g_str_has_suffix(message->topic, "/sig/Tick"))
                        n++;
                else if (sscanf(strstr(message->payload, "\"dropped\":"), "\"dropped\":%u",
                                &dropped) == 1)
                        n_gap += dropped;
        }
        g_assert_cmpuint(n + n_gap, ==, 30);
        bridge_stage_expect(stage, "EventsIn", "30");
}

static void test_what_the_cloud_does_not_take_is_a_gap(void)
{
        static const char *const payloads[] = {
                "{\"params\":[1]}", "{\"params\":[\"longer than it may be\"]}",
                "{\"params\":[\"this one is longer, too\"]}", "{\"params\":[2]}"};
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});
        CLEANUP_RAW_CLIENT RawClient *cloud = raw_client_new(stage->cloud, &(RawOptions){});
        g_autofree char *members =
                g_strconcat(publish_net, ",\"limits\":{\"topic_bytes\":30}", NULL);
        const RawMessage *message;

        raw_client_subscribe(cloud, "dev1/mb1/+/-/sig/+");
        bridge_stage_run(stage, members);
        for (size_t i = 0; i < G_N_ELEMENTS(payloads); i++)
                raw_client_publish(service,
                                   &(RawPublish){.topic = i == 1 || i == 2
                                                                  ? "mb1/net/-/sig/WithALongName"
                                                                  : "mb1/net/-/sig/Tick",
                                                 .payload = payloads[i],
                                                 .qos = 1});
        for (int i = 0; i < 2; i++)
                g_assert_true(g_str_has_suffix(raw_client_receive(cloud)->topic, "/sig/Tick"));
        message = receive_gap(cloud);
        g_assert_nonnull(strstr(message->payload, "\"dropped\":2,"));
        g_assert_nonnull(strstr(message->payload, "-2\",\"to\":\""));
        g_assert_nonnull(strstr(message->payload, "-3\",\"reason\":\"size\""));
        bridge_stage_expect(stage, "RefusedByCloud", "2");
        bridge_stage_expect(stage, "QueueEvents", "0");
}

/* Another connection to the cloud is another one: nothing waits for answers of the old one. */
static void test_a_reload_while_events_are_under_way(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_CUT_LINK CutLink *link = cut_link_new(stage->dir, stage->cloud, CUT_LINK_UNIX);
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});
        CLEANUP_RAW_CLIENT RawClient *cloud = raw_client_new(stage->cloud, &(RawOptions){});
        unsigned seen = 0;

        g_free(stage->cloud_uri);
        stage->cloud_uri = g_strdup(cut_link_get_uri(link));
        raw_client_subscribe(cloud, "dev1/mb1/net/-/sig/+");
        bridge_stage_run(stage, ",\"publish\":[{\"service\":\"net\",\"signals\":[\"*\"],"
                                "\"properties\":[\"*\"]}]");
        cut_link_hold(link, true);
        emit_and_wait(service, 100);
        bridge_stage_retain(service, "mb1/net/-/prop/Name", "1");
        bridge_stage_expect(stage, "QueueEvents", "100");
        stage->cloud_members = ", \"keepalive_s\": 31";
        bridge_stage_write_policy(stage, ",\"publish\":[{\"service\":\"net\",\"signals\":[\"*\"],"
                                         "\"properties\":[\"*\"]}]");
        process_signal(stage->bridge, SIGHUP);
        bridge_stage_expect(stage, "Cloud", "\"down\"");
        cut_link_hang_up(link);
        cut_link_hold(link, false);
        g_assert_true(LOOP_UNTIL((take(cloud, &seen), seen == 100)));
        bridge_stage_expect(stage, "QueueEvents", "0");
        bridge_stage_expect(stage, "StateWaiting", "0");
        bridge_stage_expect(stage, "StateOut", "1");
        bridge_stage_stop(stage);
}

static void test_pause_flush_and_resume(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});
        CLEANUP_RAW_CLIENT RawClient *cloud = raw_client_new(stage->cloud, &(RawOptions){});
        const RawMessage *message;
        unsigned seen = 0;

        raw_client_subscribe(cloud, "dev1/mb1/net/-/sig/+");
        raw_client_subscribe(service, "mb1/bridge/-/call/+/x/reply");
        bridge_stage_run(stage, publish_net);
        raw_client_post(service, &(RawPublish){.topic = "mb1/bridge/-/call/pause/x",
                                               .payload = "{\"id\":1}",
                                               .qos = 1});
        message = raw_client_receive(service);
        g_assert_nonnull(strstr(message->payload, "\"result\":null"));
        emit_and_wait(service, 10);
        bridge_stage_expect(stage, "QueueEvents", "10");
        g_assert_null(raw_client_poll(cloud));
        raw_client_post(service, &(RawPublish){.topic = "mb1/bridge/-/call/resume/x",
                                               .payload = "{\"id\":2}",
                                               .qos = 1});
        raw_client_post(service, &(RawPublish){.topic = "mb1/bridge/-/call/flush/x",
                                               .payload = "{\"id\":3}",
                                               .qos = 1});
        message = raw_client_receive(service);
        g_assert_cmpstr(message->topic, ==, "mb1/bridge/-/call/resume/x/reply");
        message = raw_client_receive(service);
        g_assert_cmpstr(message->topic, ==, "mb1/bridge/-/call/flush/x/reply");
        g_assert_true(LOOP_UNTIL((take(cloud, &seen), seen == 10)));
}

static void flush(RawClient *client, const char *caller, const char *ttl)
{
        static unsigned id;
        g_autofree char *topic = g_strdup_printf("mb1/bridge/-/call/flush/%s", caller);
        g_autofree char *payload = g_strdup_printf("{\"id\":%u}", ++id);

        raw_client_post(client,
                        &(RawPublish){.topic = topic, .payload = payload, .qos = 1, .ttl = ttl});
}

/* Whether another flush of this caller waits now: an answer to what is asked behind it comes first.
 */
static bool may_wait(RawClient *client, const char *caller)
{
        static unsigned id;
        const RawMessage *message;
        bool refused;
        g_autofree char *payload = g_strdup_printf("{\"id\":%u,\"params\":[0]}", ++id);

        flush(client, caller, "60000");
        raw_client_post(
                client,
                &(RawPublish){.topic = "mb1/bridge/-/call/demand/x", .payload = payload, .qos = 1});
        message = raw_client_receive(client);
        refused = strstr(message->topic, "/flush/") != NULL;
        if (refused)
                message = raw_client_receive(client);
        g_assert_cmpstr(message->topic, ==, "mb1/bridge/-/call/demand/x/reply");
        return !refused;
}

/* Whoever waits for a flush, and who has ceased to, leaves room for others. */
static void test_flushes_that_wait(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});
        CLEANUP_RAW_CLIENT RawClient *client = raw_client_new(stage->local, &(RawOptions){});
        gint64 deadline = wait_deadline(WAIT_MSEC);
        const RawMessage *message;
        bool room;

        bridge_stage_run(stage, publish_net);
        raw_client_subscribe(client, "mb1/bridge/-/call/+/+/reply");
        broker_kill(stage->cloud);
        bridge_stage_expect(stage, "Cloud", "\"down\"");
        emit_and_wait(service, 10);
        bridge_stage_expect(stage, "QueueEvents", "10");
        for (int i = 0; i < 20; i++)
                flush(client, "greedy", "1000");
        for (int i = 0; i < 16; i++) {
                message = raw_client_receive(client);
                g_assert_cmpstr(message->topic, ==, "mb1/bridge/-/call/flush/greedy/reply");
                g_assert_nonnull(strstr(message->payload, "\"code\":-32004"));
        }
        flush(client, "modest", "60000");
        /* As soon as the time of one is over there is room for the next. Nobody is told, so it is
         * asked for again and again: the longer the cloud is away, the longer the bridge takes to
         * find it. */
        while (!(room = may_wait(client, "greedy")) && wait_left(deadline) > 0)
                ;
        g_assert_true(room);
        broker_start(stage->cloud);
        for (int i = 0; i < 2; i++)
                g_assert_nonnull(strstr(raw_client_receive(client)->payload, "\"result\":null"));
}

static void test_a_damaged_store_does_not_stop_the_bridge(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_RAW_CLIENT RawClient *cloud = raw_client_new(stage->cloud, &(RawOptions){});
        const RawMessage *message;

        raw_client_subscribe(cloud, "dev1/mb1/+/-/sig/+");
        g_assert_true(g_file_set_contents(stage->store,
                                          "whatever this was, it is no database any more, and long "
                                          "enough for that to be seen by its reader",
                                          -1, NULL));
        bridge_stage_run(stage, publish_net);
        message = receive_gap(cloud);
        g_assert_nonnull(strstr(message->payload, "\"reason\":\"store\""));
}

/* Events stay with the local broker, unacknowledged; state and calls go on; nothing is lost. A
 * limit on the size of files stands for a disk that is full. */
static void test_a_full_disk(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});
        CLEANUP_RAW_CLIENT RawClient *cloud = raw_client_new(stage->cloud, &(RawOptions){});
        g_autofree char *all = NULL, *error = NULL;
        unsigned seen = 0;

        bridge_stage_run(stage, ",\"publish\":[{\"service\":\"net\",\"signals\":[\"*\"],"
                                "\"properties\":[\"*\"]}]");
        raw_client_subscribe(cloud, "dev1/mb1/net/-/sig/+");
        bridge_stage_limit_files(stage, "1");
        emit_and_wait(service, 500);
        /* Its log is a file as well. */
        error = g_strdup_printf("\"events cannot be stored in %s (disk I/O error): they stay "
                                "with the local broker\"",
                                stage->store);
        bridge_stage_expect(stage, "LastError", error);
        bridge_stage_expect(stage, "EventsOut", "0");
        bridge_stage_retain(service, "mb1/net/-/prop/Name", "1");
        bridge_stage_expect(stage, "StateOut", "1");
        all = bridge_stage_list_retained(stage->cloud, "dev1/mb1/net");
        g_assert_cmpstr(all, ==, "-/prop/Name 1");
        bridge_stage_limit_files(stage, "unlimited");
        g_assert_true(take_until(cloud, &seen, 500));
        bridge_stage_expect(stage, "EventsDropped", "0");
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/bridge-events/killed-in-a-stream", test_killed_in_a_stream);
        g_test_add_func("/bridge-events/wait-for-the-cloud", test_wait_for_the_cloud);
        g_test_add_func("/bridge-events/a-session-that-the-broker-has-lost-is-a-gap",
                        test_a_session_that_the_broker_has_lost_is_a_gap);
        g_test_add_func("/bridge-events/more-than-the-disk-may-take",
                        test_more_than_the_disk_may_take);
        g_test_add_func("/bridge-events/large-events-in-one-batch", test_large_events_in_one_batch);
        g_test_add_func("/bridge-events/what-the-cloud-does-not-take-is-a-gap",
                        test_what_the_cloud_does_not_take_is_a_gap);
        g_test_add_func("/bridge-events/a-reload-while-events-are-under-way",
                        test_a_reload_while_events_are_under_way);
        g_test_add_func("/bridge-events/pause-flush-and-resume", test_pause_flush_and_resume);
        g_test_add_func("/bridge-events/flushes-that-wait", test_flushes_that_wait);
        g_test_add_func("/bridge-events/a-damaged-store-does-not-stop-the-bridge",
                        test_a_damaged_store_does_not_stop_the_bridge);
        g_test_add_func("/bridge-events/a-full-disk", test_a_full_disk);
        return g_test_run();
}
