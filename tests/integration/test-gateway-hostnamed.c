/* SPDX-License-Identifier: MIT */

/* What the gateway is for, with nothing made for the test: the real systemd-hostnamed, the shipped
 * mapping, the packaged broker configuration, and stock tools on both sides. */

#include "tests/support/gateway-stage.h"
#include "tests/support/hostnamed.h"
#include "tests/support/mqtt-mirror.h"
#include "tests/support/rpc-reply.h"
#include "tests/support/wait.h"

#include <cJSON.h>
#include <string.h>

#define BUS_NAME "org.freedesktop.hostname1"
#define BUS_PATH "/org/freedesktop/hostname1"

typedef struct Fixture {
        TempDir *dir;
        DbusDaemon *bus;
        Broker *broker;
        Hostnamed *hostnamed;
        GatewayProcess *gateway;
        char *host_state; /* of the machine, before */
        bool can_write;
} Fixture;

/* What must be the same after a test: the kernel's host name and the files that have one. */
static char *dup_host_state(void)
{
        g_autofree char *kernel = NULL;
        g_autofree char *file = NULL;
        g_autofree char *info = NULL;

        g_file_get_contents("/proc/sys/kernel/hostname", &kernel, NULL, NULL);
        g_file_get_contents("/etc/hostname", &file, NULL, NULL);
        g_file_get_contents("/etc/machine-info", &info, NULL, NULL);
        return g_strdup_printf("%s|%s|%s", kernel, file, info);
}

static void start_gateway(Fixture *fixture)
{
        g_autofree char *password_file = broker_get_password_file(fixture->broker, "gateway");
        g_autofree char *mappings = process_source_path("mappings");
        GatewayOptions options = {
                .broker = broker_get_uri(fixture->broker),
                .password_file = password_file,
                .bus = dbus_daemon_get_address(fixture->bus),
                .mappings = mappings,
        };

        fixture->gateway = gateway_process_start(fixture->dir, &options);
        g_assert_true(gateway_process_wait_notify(fixture->gateway, "READY=1", WAIT_MSEC));
}

static void set_up(Fixture *fixture, gconstpointer start)
{
        static const char *const gateway[] = {"--gateway", "--service", "hostname", NULL};
        static const char *const alice[] = {"--call", "hostname", NULL};
        static const char *const bob[] = {"--call", "hostname/-/Describe", NULL};

        *fixture = (Fixture){.dir = temp_dir_new(), .host_state = dup_host_state()};
        if (!hostnamed_is_installed()) {
                g_test_skip("systemd-hostnamed is not installed");
                return;
        }
        fixture->can_write = hostnamed_can_write(fixture->dir, NULL);
        fixture->bus = dbus_daemon_new(fixture->dir, DBUS_DAEMON_SYSTEM);
        fixture->hostnamed =
                hostnamed_new(fixture->dir, fixture->bus, (HostnamedStart)GPOINTER_TO_INT(start));
        fixture->broker = broker_new(fixture->dir);
        broker_add_user(fixture->broker, "gateway", "1", gateway);
        broker_add_user(fixture->broker, "alice", "2", alice);
        broker_add_user(fixture->broker, "bob", "3", bob);
        broker_start(fixture->broker);
        dbus_daemon_start(fixture->bus);
        if (GPOINTER_TO_INT(start) == HOSTNAMED_DIRECT)
                hostnamed_start(fixture->hostnamed);
        start_gateway(fixture);
}

static void tear_down(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *after = dup_host_state();

        gateway_process_free(fixture->gateway);
        hostnamed_free(fixture->hostnamed);
        broker_free(fixture->broker);
        dbus_daemon_free(fixture->bus);
        temp_dir_free(fixture->dir);
        g_assert_cmpstr(after, ==, fixture->host_state);
        g_free(fixture->host_state);
}

/* True if hostnamed is here, and may be told to change something if that is what is needed. */
static bool can_go_on(const Fixture *fixture, bool writing)
{
        if (fixture->gateway && writing && !fixture->can_write)
                g_test_skip("there are no namespaces for a hostnamed that may be changed");
        return fixture->gateway && (!writing || fixture->can_write);
}

/* ---- stock tools ---- */

/* What mosquitto_rr prints: the reply. */
static char *run_rr(Fixture *fixture, const char *version, const char *user, const char *method,
                    const char *payload)
{
        g_autofree char *file = broker_get_password_file(fixture->broker, user);
        g_autofree char *topic = g_strdup_printf("mb1/hostname/-/call/%s/%s", method, user);
        g_autofree char *reply_topic = g_strdup_printf("%s/reply", topic);
        g_autofree char *password = NULL;
        char *out = NULL;
        const char *argv[] = {"mosquitto_rr", "--unix",    broker_get_socket(fixture->broker),
                              "-V",           version,     "-u",
                              user,           "-P",        NULL,
                              "-q",           "1",         "-W",
                              "20",           "-t",        topic,
                              "-e",           reply_topic, "-m",
                              payload,        NULL};

        g_assert_true(g_file_get_contents(file, &password, NULL, NULL));
        argv[8] = g_strchomp(password);
        g_assert_cmpint(process_run(fixture->dir, argv, NULL, WAIT_MSEC, &out, NULL), ==, 0);
        return g_strchomp(out);
}

static char *call(Fixture *fixture, const char *method, const char *payload)
{
        return run_rr(fixture, "mqttv5", "alice", method, payload);
}

static char *dup_static_hostname(Fixture *fixture)
{
        g_autofree char *address =
                g_strdup_printf("--address=%s", dbus_daemon_get_address(fixture->bus));
        const char *argv[] = {"busctl", address,  "get-property",   BUS_NAME,
                              BUS_PATH, BUS_NAME, "StaticHostname", NULL};
        char *out = NULL;

        g_assert_cmpint(process_run(fixture->dir, argv, NULL, WAIT_MSEC, &out, NULL), ==, 0);
        return g_strchomp(out);
}

/* ---- tests ---- */

/* The result of Describe is a JSON text in a JSON string. */
static void assert_describes(const char *reply)
{
        cJSON *tree = cJSON_Parse(reply);
        const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(tree, "result"));
        cJSON *description = cJSON_Parse(text ? text : "");

        if (!cJSON_IsString(cJSON_GetObjectItemCaseSensitive(description, "KernelName")))
                g_error("no description: %s", reply);
        cJSON_Delete(description);
        cJSON_Delete(tree);
}

static void test_describe(Fixture *fixture, gconstpointer start)
{
        static const char *const versions[] = {"mqttv5", "mqttv311"};

        if (!can_go_on(fixture, false))
                return;
        for (size_t i = 0; i < G_N_ELEMENTS(versions); i++) {
                g_autofree char *reply =
                        run_rr(fixture, versions[i], "alice", "Describe", "{\"id\":1}");

                g_assert_nonnull(strstr(reply, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":"));
                assert_describes(reply);
        }
}

static void test_set_static_hostname(Fixture *fixture, gconstpointer start)
{
        g_autofree char *reply = NULL;
        g_autofree char *name = NULL;

        if (!can_go_on(fixture, true))
                return;
        reply = call(fixture, "SetStaticHostname", "{\"id\":1,\"params\":[\"by-mqtt\",false]}");
        rpc_reply_assert_result(reply, "null");
        name = dup_static_hostname(fixture);
        g_assert_cmpstr(name, ==, "s \"by-mqtt\"");
}

static void test_mistakes_are_explained(Fixture *fixture, gconstpointer start)
{
        static const struct {
                const char *method;
                const char *payload;
                int code;
                const char *text;
        } rows[] = {
                {"SetStaticHostname", "{\"id\":1,\"params\":[5,false]}", -32602, "'hostname'"},
                {"SetStaticHostname", "{\"id\":1,\"params\":[\"x\",\"no\"]}", -32602,
                 "'interactive'"},
                {"SetStaticHostname", "{\"id\":1,\"params\":[\"x\"]}", -32602, "'interactive'"},
                {"SetStaticHostname", "{\"id\":1,\"params\":{\"interactive\":false}}", -32602,
                 "'hostname'"},
                {"Describ", "{\"id\":1}", -32601, "'Describ'"},
                {"Describe", "{\"id\":1", -32700, "byte 7"},
                {"Describe", "{\"id\":1,\"params\":[1]}", -32602, NULL},
        };

        if (!can_go_on(fixture, false))
                return;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *reply = call(fixture, rows[i].method, rows[i].payload);

                rpc_reply_assert_error(reply, rows[i].code, NULL, NULL, rows[i].text);
        }
}

static void test_error_of_the_service_keeps_its_name(Fixture *fixture, gconstpointer start)
{
        g_autofree char *reply = NULL;

        if (!can_go_on(fixture, true))
                return;
        reply = call(fixture, "SetStaticHostname", "{\"id\":1,\"params\":[\"not a name\",false]}");
        rpc_reply_assert_error(reply, -32602, "org.freedesktop.DBus.Error.InvalidArgs", NULL,
                               "not a name");
}

static void test_service_that_is_down_is_named(Fixture *fixture, gconstpointer start)
{
        g_autofree char *down = NULL;
        g_autofree char *again = NULL;

        if (!can_go_on(fixture, false))
                return;
        hostnamed_kill(fixture->hostnamed);
        g_assert_true(dbus_daemon_wait_name(fixture->bus, BUS_NAME, false, WAIT_MSEC));
        down = call(fixture, "Describe", "{\"id\":1}");
        rpc_reply_assert_error(down, -32012, "org.freedesktop.DBus.Error.ServiceUnknown", "no",
                               BUS_NAME);
        hostnamed_start(fixture->hostnamed);
        again = call(fixture, "Describe", "{\"id\":1}");
        assert_describes(again);
}

/* The broker refuses it, so nobody answers, and nothing reaches hostnamed. */
static void test_caller_without_the_right_changes_nothing(Fixture *fixture, gconstpointer start)
{
        const char *payload = "{\"id\":1,\"params\":[\"by-bob\",false]}";
        g_autofree char *file = NULL;
        g_autofree char *password = NULL;
        g_autofree char *log = NULL;
        g_autofree char *described = NULL;
        g_autofree char *name = NULL;
        const char *argv[] = {"mosquitto_pub",
                              "-V",
                              "5",
                              "-q",
                              "1",
                              "-u",
                              "bob",
                              "-P",
                              NULL,
                              "-t",
                              "mb1/hostname/-/call/SetStaticHostname/bob",
                              "-m",
                              payload,
                              "--unix",
                              NULL,
                              NULL};

        if (!can_go_on(fixture, false))
                return;
        file = broker_get_password_file(fixture->broker, "bob");
        g_assert_true(g_file_get_contents(file, &password, NULL, NULL));
        argv[8] = g_strchomp(password);
        argv[14] = broker_get_socket(fixture->broker);
        g_assert_cmpint(process_run(fixture->dir, argv, NULL, WAIT_MSEC, NULL, &log), ==, 0);
        g_assert_nonnull(strstr(log, "Not authorized"));
        described = run_rr(fixture, "mqttv5", "bob", "Describe", "{\"id\":2}");
        assert_describes(described);
        name = dup_static_hostname(fixture);
        g_assert_null(strstr(name, "by-bob"));
}

static void test_properties_follow(Fixture *fixture, gconstpointer start)
{
        CLEANUP_MQTT_MIRROR MqttMirror *mirror = NULL;
        g_autofree char *reply = NULL;

        if (!can_go_on(fixture, true))
                return;
        mirror = mqtt_mirror_new(fixture->broker, "alice");
        mqtt_mirror_expect_text(mirror, "hostname/$state", "\"running\":true");
        mqtt_mirror_expect(mirror, "hostname/-/prop/KernelName", "\"Linux\"");
        reply = call(fixture, "SetStaticHostname", "{\"id\":1,\"params\":[\"followed\",false]}");
        rpc_reply_assert_result(reply, "null");
        mqtt_mirror_expect(mirror, "hostname/-/prop/StaticHostname", "\"followed\"");
        hostnamed_kill(fixture->hostnamed);
        mqtt_mirror_expect(mirror, "hostname/-/prop/StaticHostname", NULL);
        mqtt_mirror_expect(mirror, "hostname/-/$meta", NULL);
        hostnamed_start(fixture->hostnamed);
        mqtt_mirror_expect(mirror, "hostname/-/prop/StaticHostname", "\"followed\"");
}

/* Each readable property, on both sides, by tests/compare-with-busctl. */
static void test_values_are_those_of_busctl(Fixture *fixture, gconstpointer start)
{
        g_autofree char *script = process_source_path("tests/compare-with-busctl");
        g_autofree char *mapping = process_source_path("mappings/hostname1.json");
        g_autofree char *mqttrpc = process_program_path("mqttrpc");
        g_autofree char *password_file = NULL;
        g_autofree char *out = NULL;
        g_autofree char *err = NULL;
        CLEANUP_MQTT_MIRROR MqttMirror *mirror = NULL;
        int status;

        if (!can_go_on(fixture, false))
                return;
        password_file = broker_get_password_file(fixture->broker, "alice");
        mirror = mqtt_mirror_new(fixture->broker, "alice");
        mqtt_mirror_expect_text(mirror, "hostname/$state", "\"state\":\"ready\"");
        status = process_run(fixture->dir,
                             (const char *[]){"python3", script, "--bus",
                                              dbus_daemon_get_address(fixture->bus), "--broker",
                                              broker_get_uri(fixture->broker), "--user", "alice",
                                              "--password-file", password_file, "--mqttrpc",
                                              mqttrpc, mapping, NULL},
                             NULL, 2 * WAIT_MSEC, &out, &err);
        g_test_message("%s%s", out, err);
        g_assert_cmpint(status, ==, 0);
        g_assert_nonnull(strstr(out, "18 properties equal, 0 moving, 0 differ"));
}

static const struct {
        const char *path;
        HostnamedStart start;
        void (*function)(Fixture *fixture, gconstpointer start);
} tests[] = {
        {"/hostnamed/describe/by-stock-client-of-both-versions", HOSTNAMED_DIRECT, test_describe},
        {"/hostnamed/describe/starts-the-service-on-demand", HOSTNAMED_ACTIVATED, test_describe},
        {"/hostnamed/set-static-hostname/agrees-with-busctl", HOSTNAMED_DIRECT,
         test_set_static_hostname},
        {"/hostnamed/set-static-hostname/starts-the-service-on-demand", HOSTNAMED_ACTIVATED,
         test_set_static_hostname},
        {"/hostnamed/property/is-retained-and-follows", HOSTNAMED_DIRECT, test_properties_follow},
        {"/hostnamed/property/values-are-those-of-busctl", HOSTNAMED_DIRECT,
         test_values_are_those_of_busctl},
        {"/hostnamed/error/mistakes-are-explained", HOSTNAMED_DIRECT, test_mistakes_are_explained},
        {"/hostnamed/error/of-the-service-keeps-its-name", HOSTNAMED_DIRECT,
         test_error_of_the_service_keeps_its_name},
        {"/hostnamed/error/service-that-is-down-is-named", HOSTNAMED_DIRECT,
         test_service_that_is_down_is_named},
        {"/hostnamed/error/caller-without-the-right-changes-nothing", HOSTNAMED_DIRECT,
         test_caller_without_the_right_changes_nothing},
};

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
                g_test_add(tests[i].path, Fixture, GINT_TO_POINTER(tests[i].start), set_up,
                           tests[i].function, tear_down);
        return g_test_run();
}
