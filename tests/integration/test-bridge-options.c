/* SPDX-License-Identifier: MIT */

/* Options of the policy that nothing else needs: how the cloud is spoken to, and how much is sent.
 */

#include <string.h>
#include <sys/stat.h>

#include "tests/support/bridge-stage.h"
#include "tests/support/tls.h"

static const char publish_net[] =
        ",\"publish\":[{\"service\":\"net\",\"properties\":[\"*\"],\"signals\":[\"*\"]}],"
        "\"allow\":[{\"service\":\"net\",\"methods\":[\"Do\"],\"callers\":[\"alice\"]}]";

static void expect_retained(BridgeStage *stage, const char *prefix, const char *text)
{
        gint64 deadline = wait_deadline(WAIT_MSEC);
        char *all = NULL;

        do {
                g_free(all);
                all = bridge_stage_list_retained(stage->cloud, prefix);
        } while (strcmp(all, text) != 0 && wait_left(deadline) > 0);
        g_assert_cmpstr(all, ==, text);
        g_free(all);
}

/* State and an event go up, a call comes down and its answer goes back. */
static void expect_everything_crosses(BridgeStage *stage)
{
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});
        CLEANUP_RAW_CLIENT RawClient *cloud = raw_client_new(stage->cloud, &(RawOptions){});
        const RawMessage *message;
        g_autofree char *reply = NULL, *correlation = NULL;

        raw_client_subscribe(service, "mb1/net/-/call/+/+");
        raw_client_subscribe(cloud, "dev1/mb1/net/-/sig/+");
        raw_client_subscribe(cloud, "dev1/mb1/net/-/call/+/+/+");
        bridge_stage_retain(service, "mb1/net/-/prop/Name", "1");
        expect_retained(stage, "dev1/mb1/net", "-/prop/Name 1");
        raw_client_publish(service,
                           &(RawPublish){.topic = "mb1/net/-/sig/Up", .payload = "{}", .qos = 1});
        message = raw_client_receive(cloud);
        g_assert_cmpstr(message->topic, ==, "dev1/mb1/net/-/sig/Up");
        raw_client_publish(cloud, &(RawPublish){.topic = "dev1/mb1/net/-/call/Do/alice",
                                                .payload = "{\"id\":1}",
                                                .qos = 1});
        message = raw_client_receive(service);
        g_assert_cmpstr(message->topic, ==, "mb1/net/-/call/Do/cloud.alice");
        reply = g_strdup(message->response_topic);
        correlation = g_memdup2(message->correlation, message->correlation_length);
        raw_client_publish(service,
                           &(RawPublish){.topic = reply,
                                         .payload = "{\"id\":1,\"result\":2}",
                                         .qos = 1,
                                         .correlation = correlation,
                                         .correlation_length = message->correlation_length});
        message = raw_client_receive(cloud);
        g_assert_cmpstr(message->topic, ==, "dev1/mb1/net/-/call/Do/alice/reply");
        g_assert_cmpstr(message->payload, ==, "{\"id\":1,\"result\":2}");
}

static void use_tls_port(BridgeStage *stage, unsigned port)
{
        g_free(stage->cloud_uri);
        stage->cloud_uri = g_strdup_printf("mqtts://127.0.0.1:%u", port);
}

/* ---- how the cloud is spoken to ---- */

static void test_mqtt_311(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();

        stage->cloud_members = ", \"protocol\": \"3.1.1\"";
        bridge_stage_run(stage, publish_net);
        expect_everything_crosses(stage);
}

static char *write_secret(BridgeStage *stage, const char *name, const char *text)
{
        char *path = temp_dir_write(stage->dir, name, text);

        g_assert_cmpint(chmod(path, 0600), ==, 0);
        return path;
}

static void test_psk(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        g_autofree char *keys = write_secret(stage, "psk", "dev1:0123456789abcdef0123\n");
        g_autofree char *key = write_secret(stage, "key", "0123456789abcdef0123\n");
        g_autofree char *wrong = write_secret(stage, "wrong", "0123456789abcdef0124\n");
        guint16 port = wait_find_port();
        g_autofree char *lines = g_strdup_printf("listener %u 127.0.0.1\npsk_hint hint\n"
                                                 "use_identity_as_username true\npsk_file %s",
                                                 port, keys);
        static const char format[] = ", \"psk_identity\": \"dev1\", \"psk_file\": \"%s\"";
        g_autofree char *members = g_strdup_printf(format, key);
        g_autofree char *wrong_members = g_strdup_printf(format, wrong);

        broker_stop(stage->cloud);
        broker_add_config(stage->cloud, lines);
        broker_start(stage->cloud);
        use_tls_port(stage, port);
        stage->cloud_members = wrong_members;
        bridge_stage_write_policy(stage, publish_net);
        bridge_stage_start(stage);
        g_assert_true(process_wait_output(stage->bridge, PROCESS_STDERR, "cloud: ", WAIT_MSEC));
        bridge_stage_stop(stage);
        stage->cloud_members = members;
        bridge_stage_run(stage, publish_net);
        expect_everything_crosses(stage);
}

static void test_certificates(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_TLS_FILES TlsFiles *files = tls_files_new(stage->dir, "dev1");
        g_autofree char *members = g_strdup_printf(
                ", \"ca_file\": \"%s\", \"cert_file\": \"%s\", \"key_file\": \"%s\"",
                tls_files_get_ca(files), tls_files_get_client_cert(files),
                tls_files_get_client_key(files));

        broker_stop(stage->cloud);
        broker_enable_tls(stage->cloud, files, true);
        broker_start(stage->cloud);
        g_free(stage->cloud_uri);
        stage->cloud_uri = g_strdup(broker_get_tls_uri(stage->cloud));
        stage->cloud_members = members;
        bridge_stage_run(stage, publish_net);
        /* They are good for two days only, which is told. */
        g_assert_true(process_wait_output(stage->bridge, PROCESS_STDERR, "client.pem expires in ",
                                          WAIT_MSEC));
        expect_everything_crosses(stage);
}

/* Mosquitto does not look at it. openssl(1) tells that the client asks for something, and lets
 * nobody in who asks for something else. */
static void test_alpn(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_TLS_FILES TlsFiles *files = tls_files_new(stage->dir, "dev1");
        guint16 port = wait_find_port();
        g_autofree char *accept = g_strdup_printf("127.0.0.1:%u", port);
        g_autofree char *members = g_strdup_printf(
                ", \"ca_file\": \"%s\", \"alpn\": \"x-amzn-mqtt-ca\"", tls_files_get_ca(files));
        const char *argv[] = {"openssl", "s_server",
                              "-accept", accept,
                              "-cert",   tls_files_get_server_cert(files),
                              "-key",    tls_files_get_server_key(files),
                              "-alpn",   "x-amzn-mqtt-ca",
                              "-rev",    "-tlsextdebug",
                              NULL};
        CLEANUP_PROCESS Process *server = process_start(stage->dir, "s_server", argv, NULL);

        g_assert_true(process_wait_output(server, PROCESS_STDOUT, "ACCEPT", WAIT_MSEC));
        use_tls_port(stage, port);
        stage->cloud_members = members;
        bridge_stage_write_policy(stage, publish_net);
        bridge_stage_start(stage);
        g_assert_true(process_wait_output(server, PROCESS_STDOUT,
                                          "application layer protocol negotiation", WAIT_MSEC));
        g_assert_true(
                process_wait_output(server, PROCESS_STDERR, "CONNECTION ESTABLISHED", WAIT_MSEC));
}

/* ---- what is kept, and when it is sent ---- */

static void test_values_that_the_cloud_does_not_keep(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});
        CLEANUP_RAW_CLIENT RawClient *cloud = raw_client_new(stage->cloud, &(RawOptions){});
        const RawMessage *message;

        raw_client_subscribe(cloud, "dev1/mb1/net/-/prop/+");
        bridge_stage_run(
                stage,
                ",\"publish\":[{\"service\":\"net\",\"properties\":[\"L*\"],\"retain\":false},"
                "{\"service\":\"net\",\"properties\":[\"Kept\"]}]");
        bridge_stage_retain(service, "mb1/net/-/prop/Live", "1");
        message = raw_client_receive(cloud);
        g_assert_cmpstr(message->topic, ==, "dev1/mb1/net/-/prop/Live");
        g_assert_false(message->retain);
        bridge_stage_retain(service, "mb1/net/-/prop/Kept", "2");
        expect_retained(stage, "dev1/mb1/net", "-/prop/Kept 2");
}

/* And what it has kept by an older policy is taken away, or the other way round. */
static void test_another_policy_for_what_is_kept(void)
{
        static const char kept[] = ",\"publish\":[{\"service\":\"net\",\"properties\":[\"*\"]}]";
        static const char live[] =
                ",\"publish\":[{\"service\":\"net\",\"properties\":[\"*\"],\"retain\":false}]";
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});

        bridge_stage_retain(service, "mb1/net/-/prop/Name", "1");
        bridge_stage_run(stage, kept);
        expect_retained(stage, "dev1/mb1/net", "-/prop/Name 1");
        bridge_stage_write_policy(stage, live);
        process_signal(stage->bridge, SIGHUP);
        expect_retained(stage, "dev1/mb1/net", "");
        bridge_stage_write_policy(stage, kept);
        process_signal(stage->bridge, SIGHUP);
        expect_retained(stage, "dev1/mb1/net", "-/prop/Name 1");
        bridge_stage_stop(stage);
        bridge_stage_run(stage, live);
        expect_retained(stage, "dev1/mb1/net", "");
}

/* The same when the connection to the local broker is another one as well. */
static void test_another_policy_and_another_connection(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});

        bridge_stage_retain(service, "mb1/net/-/prop/Name", "1");
        bridge_stage_run(stage, publish_net);
        expect_retained(stage, "dev1/mb1/net", "-/prop/Name 1");
        bridge_stage_edit_policy(stage, "\"properties\"", "\"retain\":false,\"properties\"");
        bridge_stage_edit_policy(stage, "\"local\": {", "\"local\": {\"keepalive_s\": 31, ");
        process_signal(stage->bridge, SIGHUP);
        expect_retained(stage, "dev1/mb1/net", "");
        bridge_stage_expect(stage, "LocalConnects", "2");
        bridge_stage_expect(stage, "CloudConnects", "1");
}

/* A cloud that keeps nothing at all is told everything at each connect. */
static void test_a_cloud_that_keeps_nothing(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});
        RawClient *cloud = raw_client_new(stage->cloud, &(RawOptions){});
        g_autofree char *rules = g_strconcat(publish_net, ",\"limits\":{\"retain\":false}", NULL);

        raw_client_subscribe(cloud, "dev1/mb1/net/#");
        bridge_stage_run(stage, rules);
        bridge_stage_retain(service, "mb1/net/-/prop/Name", "1");
        g_assert_cmpstr(raw_client_receive(cloud)->topic, ==, "dev1/mb1/net/-/prop/Name");
        expect_retained(stage, "dev1", "");
        raw_client_free(cloud);
        bridge_stage_kill(stage);
        broker_kill(stage->cloud);
        broker_start(stage->cloud);
        cloud = raw_client_new(stage->cloud, &(RawOptions){});
        raw_client_subscribe(cloud, "dev1/mb1/net/#");
        bridge_stage_start(stage);
        g_assert_cmpstr(raw_client_receive(cloud)->topic, ==, "dev1/mb1/net/-/prop/Name");
        raw_client_free(cloud);
}

static void demand(RawClient *service, unsigned seconds)
{
        g_autofree char *payload = g_strdup_printf("{\"id\":1,\"params\":[%u]}", seconds);
        const RawMessage *message;

        raw_client_post(
                service,
                &(RawPublish){.topic = "mb1/bridge/-/call/demand/x", .payload = payload, .qos = 1});
        message = raw_client_receive(service);
        g_assert_nonnull(strstr(message->payload, "\"result\":null"));
}

static void test_on_demand(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});

        raw_client_subscribe(service, "mb1/bridge/-/call/+/x/reply");
        bridge_stage_run(
                stage,
                ",\"publish\":[{\"service\":\"net\",\"properties\":[\"Live\"],\"on_demand\":true},"
                "{\"service\":\"net\",\"properties\":[\"Kept\"]}]");
        bridge_stage_retain(service, "mb1/net/-/prop/Live", "1");
        bridge_stage_retain(service, "mb1/net/-/prop/Kept", "1");
        expect_retained(stage, "dev1/mb1/net", "-/prop/Kept 1");
        bridge_stage_expect(stage, "StateWaiting", "1");
        demand(service, 60);
        expect_retained(stage, "dev1/mb1/net", "-/prop/Kept 1\n-/prop/Live 1");
        demand(service, 0);
        bridge_stage_retain(service, "mb1/net/-/prop/Live", "2");
        bridge_stage_retain(service, "mb1/net/-/prop/Kept", "2");
        expect_retained(stage, "dev1/mb1/net", "-/prop/Kept 2\n-/prop/Live 1");
        /* What is gone is told in any case. */
        bridge_stage_retain(service, "mb1/net/-/prop/Live", "");
        expect_retained(stage, "dev1/mb1/net", "-/prop/Kept 2");
}

static void test_min_interval(void)
{
        enum { INTERVAL_MSEC = 500, N_VALUES = 60 };
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});
        CLEANUP_RAW_CLIENT RawClient *cloud = raw_client_new(stage->cloud, &(RawOptions){});
        gint64 start = g_get_monotonic_time(), end = 0;
        unsigned n = 0;

        raw_client_subscribe(cloud, "dev1/mb1/net/-/prop/Fast");
        bridge_stage_run(stage, ",\"publish\":[{\"service\":\"net\",\"properties\":[\"*\"],"
                                "\"min_interval_ms\":500}]");
        start = g_get_monotonic_time();
        for (int i = 1; i <= N_VALUES; i++) {
                g_autofree char *value = g_strdup_printf("%d", i);

                bridge_stage_retain(service, "mb1/net/-/prop/Fast", value);
        }
        while (end == 0) {
                const RawMessage *message = raw_client_receive(cloud);

                n++;
                if (atoi(message->payload) == N_VALUES)
                        end = g_get_monotonic_time();
        }
        g_assert_cmpuint(n, <=, (unsigned)((end - start) / (INTERVAL_MSEC * 1000)) + 1);
}

static void test_rate(void)
{
        enum { PER_SECOND = 50, N_EVENTS = 150 };
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});
        CLEANUP_RAW_CLIENT RawClient *cloud = raw_client_new(stage->cloud, &(RawOptions){});
        g_autofree char *rules =
                g_strconcat(publish_net, ",\"rate\":{\"messages_per_s\":50}", NULL);
        gint64 start;

        raw_client_subscribe(cloud, "dev1/mb1/net/-/sig/+");
        bridge_stage_run(stage, rules);
        start = g_get_monotonic_time();
        for (int i = 0; i < N_EVENTS; i++)
                raw_client_post(
                        service,
                        &(RawPublish){.topic = "mb1/net/-/sig/Up", .payload = "{}", .qos = 1});
        for (int i = 0; i < N_EVENTS; i++)
                (void)raw_client_receive(cloud);
        /* A second's worth may have been saved up, and goes at once. */
        g_assert_cmpint(g_get_monotonic_time() - start, >=,
                        (gint64)(N_EVENTS - PER_SECOND - 1) * G_USEC_PER_SEC / PER_SECOND);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/bridge-options/mqtt-311", test_mqtt_311);
        g_test_add_func("/bridge-options/psk", test_psk);
        g_test_add_func("/bridge-options/certificates", test_certificates);
        g_test_add_func("/bridge-options/alpn", test_alpn);
        g_test_add_func("/bridge-options/values-that-the-cloud-does-not-keep",
                        test_values_that_the_cloud_does_not_keep);
        g_test_add_func("/bridge-options/another-policy-for-what-is-kept",
                        test_another_policy_for_what_is_kept);
        g_test_add_func("/bridge-options/another-policy-and-another-connection",
                        test_another_policy_and_another_connection);
        g_test_add_func("/bridge-options/a-cloud-that-keeps-nothing",
                        test_a_cloud_that_keeps_nothing);
        g_test_add_func("/bridge-options/on-demand", test_on_demand);
        g_test_add_func("/bridge-options/min-interval", test_min_interval);
        g_test_add_func("/bridge-options/rate", test_rate);
        return g_test_run();
}
