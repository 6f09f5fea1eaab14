/* SPDX-License-Identifier: MIT */

/* The whole way with nothing made for the test: a stock MQTT tool in the cloud, TLS with a client
 * certificate, the bridge, the packaged broker, the gateway, and the real systemd-hostnamed. Both
 * brokers are closed, with the access rules that `emit` prints. */

#include <string.h>

#include "tests/support/broker.h"
#include "tests/support/gateway-process.h"
#include "tests/support/hostnamed.h"
#include "tests/support/wait.h"

typedef struct Fixture {
        TempDir *dir;
        DbusDaemon *bus;
        Broker *local, *cloud;
        TlsFiles *tls;
        Hostnamed *hostnamed;
        GatewayProcess *gateway;
        Process *bridge;
        char *policy;
} Fixture;

static void write_policy(Fixture *fixture)
{
        g_autofree char *password_file = broker_get_password_file(fixture->local, "bridge");
        g_autofree char *store = temp_dir_build(fixture->dir, "events.db");
        g_autofree char *text = g_strdup_printf(
                "{\"node\":\"dev1\",\"local\":{\"uri\":\"%s\",\"user\":\"bridge\","
                "\"password_file\":\"%s\"},\"cloud\":{\"uri\":\"%s\",\"ca_file\":\"%s\","
                "\"cert_file\":\"%s\",\"key_file\":\"%s\"},\"queue\":{\"path\":\"%s\"},"
                "\"publish\":[{\"service\":\"hostname\",\"properties\":[\"*\"],\"signals\":[\"*\"]}"
                "],"
                "\"allow\":[{\"service\":\"hostname\",\"object\":\"-\",\"callers\":[\"alice\"],"
                "\"methods\":[\"Describe\",\"SetStaticHostname\"]}]}",
                broker_get_uri(fixture->local), password_file, broker_get_tls_uri(fixture->cloud),
                tls_files_get_ca(fixture->tls), tls_files_get_client_cert(fixture->tls),
                tls_files_get_client_key(fixture->tls), store);

        fixture->policy = temp_dir_write(fixture->dir, "bridge.json", text);
}

/* Adds what `emit KIND` prints to the access rules of a broker that does not run yet. */
static void add_rules(Fixture *fixture, Broker *broker, const char *kind)
{
        g_autofree char *program = process_program_path("mqttrpc-bridge"), *out = NULL;
        g_autofree char *acl = g_build_filename(broker_get_directory(broker), "mqttrpc.acl", NULL);
        const char *argv[] = {program, "emit", kind, "--config", fixture->policy, NULL};
        g_autofree char *before = NULL, *after = NULL;

        g_assert_cmpint(process_run(fixture->dir, argv, NULL, WAIT_MSEC, &out, NULL), ==, 0);
        g_assert_true(g_file_get_contents(acl, &before, NULL, NULL));
        after = g_strconcat(before, "\n", out, NULL);
        g_assert_true(g_file_set_contents(acl, after, -1, NULL));
}

static void start_gateway(Fixture *fixture)
{
        g_autofree char *password_file = broker_get_password_file(fixture->local, "gateway");
        g_autofree char *mappings = process_source_path("mappings");
        GatewayOptions options = {
                .broker = broker_get_uri(fixture->local),
                .password_file = password_file,
                .bus = dbus_daemon_get_address(fixture->bus),
                .mappings = mappings,
        };

        fixture->gateway = gateway_process_start(fixture->dir, &options);
        g_assert_true(gateway_process_wait_notify(fixture->gateway, "READY=1", WAIT_MSEC));
}

static void start_brokers(Fixture *fixture)
{
        static const char *const gateway[] = {"--gateway", "--service", "hostname", NULL};
        static const char *const bridge[] = {"--service", "bridge", NULL};

        fixture->tls = tls_files_new(fixture->dir, "dev1");
        fixture->local = broker_new(fixture->dir);
        broker_add_user(fixture->local, "gateway", "1", gateway);
        broker_add_user(fixture->local, "bridge", "2", bridge);
        fixture->cloud = broker_new(fixture->dir);
        broker_add_user(fixture->cloud, "alice", "3", NULL);
        broker_add_user(fixture->cloud, "bob", "4", NULL);
        broker_enable_tls(fixture->cloud, fixture->tls, true);
        write_policy(fixture);
        add_rules(fixture, fixture->local, "local-acl");
        add_rules(fixture, fixture->cloud, "acl");
        broker_start(fixture->local);
        broker_start(fixture->cloud);
}

static void set_up(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *program = process_program_path("mqttrpc-bridge");
        const char *argv[] = {program, "run", "--config", NULL, NULL};

        *fixture = (Fixture){.dir = temp_dir_new()};
        if (!hostnamed_is_installed()) {
                g_test_skip("systemd-hostnamed is not installed");
                return;
        }
        fixture->bus = dbus_daemon_new(fixture->dir, DBUS_DAEMON_SYSTEM);
        fixture->hostnamed = hostnamed_new(fixture->dir, fixture->bus, HOSTNAMED_DIRECT);
        start_brokers(fixture);
        dbus_daemon_start(fixture->bus);
        hostnamed_start(fixture->hostnamed);
        start_gateway(fixture);
        argv[3] = fixture->policy;
        fixture->bridge = process_start(fixture->dir, "bridge", argv, NULL);
        g_assert_true(process_wait_output(fixture->bridge, PROCESS_STDERR, "connected to the cloud",
                                          WAIT_MSEC));
        g_assert_true(process_wait_output(fixture->bridge, PROCESS_STDERR, "ready", WAIT_MSEC));
}

static void tear_down(Fixture *fixture, gconstpointer unused)
{
        if (fixture->bridge)
                g_assert_cmpint(process_stop(fixture->bridge), ==, 0);
        process_free(fixture->bridge);
        gateway_process_free(fixture->gateway);
        hostnamed_free(fixture->hostnamed);
        broker_free(fixture->cloud);
        broker_free(fixture->local);
        tls_files_free(fixture->tls);
        dbus_daemon_free(fixture->bus);
        temp_dir_free(fixture->dir);
        g_free(fixture->policy);
}

/* What a stock tool in the cloud prints; NULL if it fails. */
static char *run_tool(Fixture *fixture, const char *user, const char *const *arguments)
{
        g_autoptr(GPtrArray) argv = g_ptr_array_new();
        g_autofree char *file = broker_get_password_file(fixture->cloud, user);
        g_autofree char *password = NULL;
        char *out = NULL;

        g_assert_true(g_file_get_contents(file, &password, NULL, NULL));
        g_strchomp(password);
        g_ptr_array_add(argv, (gpointer)arguments[0]);
        g_ptr_array_add(argv, (gpointer) "--unix");
        g_ptr_array_add(argv, (gpointer)broker_get_socket(fixture->cloud));
        g_ptr_array_add(argv, (gpointer) "-u");
        g_ptr_array_add(argv, (gpointer)user);
        g_ptr_array_add(argv, (gpointer) "-P");
        g_ptr_array_add(argv, password);
        for (arguments++; *arguments; arguments++)
                g_ptr_array_add(argv, (gpointer)*arguments);
        g_ptr_array_add(argv, NULL);
        if (process_run(fixture->dir, (const char *const *)argv->pdata, NULL, WAIT_MSEC, &out,
                        NULL) == 0)
                return out;
        g_free(out);
        return NULL;
}

static char *call(Fixture *fixture, const char *version, const char *user, const char *method,
                  const char *payload, const char *seconds)
{
        g_autofree char *topic = g_strdup_printf("dev1/mb1/hostname/-/call/%s/%s", method, user);
        g_autofree char *reply = g_strconcat(topic, "/reply", NULL);
        const char *const arguments[] = {"mosquitto_rr", "-V",    version, "-q",  "1",
                                         "-W",           seconds, "-t",    topic, "-e",
                                         reply,          "-m",    payload, NULL};

        return run_tool(fixture, user, arguments);
}

static void test_there_and_back(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *v5 = NULL, *v311 = NULL, *denied = NULL;

        if (!fixture->bridge)
                return;
        v5 = call(fixture, "5", "alice", "Describe", "{\"jsonrpc\":\"2.0\",\"id\":1}", "20");
        g_assert_nonnull(v5);
        g_assert_nonnull(strstr(v5, "StaticHostname"));
        v311 = call(fixture, "311", "alice", "Describe", "{\"id\":2}", "20");
        g_assert_nonnull(v311);
        g_assert_nonnull(strstr(v311, "StaticHostname"));
        /* Bob has no right to in the cloud: its broker does not even pass it on. */
        denied = call(fixture, "5", "bob", "Describe", "{\"id\":3}", "2");
        g_assert_null(denied);
}

static void test_a_change_is_seen(Fixture *fixture, gconstpointer unused)
{
        static const char *const watch[] = {"mosquitto_sub",
                                            "-V",
                                            "5",
                                            "-q",
                                            "1",
                                            "-W",
                                            "20",
                                            "-C",
                                            "1",
                                            "-t",
                                            "dev1/mb1/hostname/-/prop/StaticHostname",
                                            NULL};
        g_autofree char *reply = NULL;
        char *value = NULL;
        gint64 deadline = wait_deadline(WAIT_MSEC);

        if (!fixture->bridge)
                return;
        if (!hostnamed_can_write(fixture->dir, NULL)) {
                g_test_skip("there are no namespaces for a hostnamed that may be changed");
                return;
        }
        reply = call(fixture, "5", "alice", "SetStaticHostname",
                     "{\"jsonrpc\":\"2.0\",\"id\":1,\"params\":[\"from-the-cloud\",false]}", "20");
        g_assert_nonnull(reply);
        g_assert_nonnull(strstr(reply, "\"result\":null"));
        do {
                g_free(value);
                value = run_tool(fixture, "bob", watch);
        } while (g_strcmp0(value, "\"from-the-cloud\"\n") != 0 && wait_left(deadline) > 0);
        g_assert_cmpstr(value, ==, "\"from-the-cloud\"\n");
        g_free(value);
        g_assert_true(process_wait_output(fixture->bridge, PROCESS_STDERR,
                                          "audit: alice called SetStaticHostname of hostname/-: "
                                          "done (0)",
                                          WAIT_MSEC));
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add("/bridge-hostnamed/there-and-back", Fixture, NULL, set_up, test_there_and_back,
                   tear_down);
        g_test_add("/bridge-hostnamed/a-change-is-seen", Fixture, NULL, set_up,
                   test_a_change_is_seen, tear_down);
        return g_test_run();
}
