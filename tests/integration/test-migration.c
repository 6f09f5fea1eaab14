/* SPDX-License-Identifier: MIT */

/* docs/examples/migration, step by step: one daemon in its three states and back, with a client on
 * each side that finds the same in all of them; and what `migrate` says on the way (trap 34). */

#include "tests/support/gateway-stage.h"
#include "tests/support/mqtt-mirror.h"
#include "tests/support/rpc-reply.h"
#include "tests/support/wait.h"

#include <string.h>

#define NAME      "org.example.Thermostat"
#define PATH      "/org/example/Thermostat"
#define INTERFACE "org.example.Thermostat1"
#define SERVICE   "thermostat"

typedef struct Fixture {
        GatewayStage *stage;
        MqttMirror *mirror;
        GDBusConnection *client;
        Process *daemon, *native;
} Fixture;

/* ---- the steps ---- */

static void install_mapping(Fixture *f, const char *folder)
{
        g_autofree char *from =
                g_build_filename(MQTTRPC_MIGRATION, folder, "thermostat.json", NULL);
        g_autofree char *text = NULL;
        GError *error = NULL;

        g_file_get_contents(from, &text, NULL, &error);
        g_assert_no_error(error);
        g_free(gateway_stage_write(f->stage, "thermostat.json", text));
}

static void start_daemon(Fixture *f)
{
        g_autofree char *address = g_strconcat(
                "DBUS_SESSION_BUS_ADDRESS=", dbus_daemon_get_address(f->stage->bus), NULL);

        f->daemon =
                process_start(f->stage->dir, "thermostat-sdbus",
                              (const char *[]){MQTTRPC_EXAMPLES "/thermostat-sdbus", NULL},
                              &(ProcessOptions){.environment = (const char *[]){address, NULL}});
        g_assert_true(dbus_daemon_wait_name(f->stage->bus, NAME, true, WAIT_MSEC));
}

static void start_native(Fixture *f)
{
        f->native = process_start(f->stage->dir, "thermostat-mqttrpc",
                                  (const char *[]){MQTTRPC_EXAMPLES "/thermostat-mqttrpc",
                                                   broker_get_uri(f->stage->broker), "heater",
                                                   "secret of heater", NULL},
                                  NULL);
}

static void stop(Process **process)
{
        process_stop(*process);
        *process = process_free(*process);
}

static void expect_logged(Fixture *f, const char *text)
{
        if (!process_wait_output(gateway_process_get_process(f->stage->gateway), PROCESS_STDERR,
                                 text, WAIT_MSEC))
                g_error("the gateway does not say '%s'", text);
}

static void mark_log(Fixture *f)
{
        process_mark_output(gateway_process_get_process(f->stage->gateway), PROCESS_STDERR);
}

/* Runs a verb that asks the gateway; returns what it prints. */
static char *run_verb(Fixture *f, const char *const *words, int expected)
{
        g_autofree char *program = process_program_path("dbus-mqtt-gateway");
        g_autofree char *password = broker_get_password_file(f->stage->broker, "alice");
        g_autoptr(GPtrArray) argv = g_ptr_array_new();
        g_autofree char *err = NULL;
        char *out = NULL;
        int status;

        g_ptr_array_add(argv, program);
        for (; *words; words++)
                g_ptr_array_add(argv, (gpointer)*words);
        g_ptr_array_add(argv, (gpointer) "--broker");
        g_ptr_array_add(argv, (gpointer)broker_get_uri(f->stage->broker));
        g_ptr_array_add(argv, (gpointer) "--user");
        g_ptr_array_add(argv, (gpointer) "alice");
        g_ptr_array_add(argv, (gpointer) "--password-file");
        g_ptr_array_add(argv, password);
        g_ptr_array_add(argv, NULL);
        status = process_run(f->stage->dir, (const char *const *)argv->pdata, NULL, WAIT_MSEC, &out,
                             &err);
        if (status != expected)
                g_error("status %d: %s%s", status, out, err);
        return out;
}

#define RUN(f, expected, ...) run_verb(f, (const char *[]){__VA_ARGS__, NULL}, expected)

static void expect_text(const char *text, const char *part)
{
        if (!strstr(text, part))
                g_error("'%s' is not in:\n%s", part, text);
}

static void expect_status(Fixture *f, const char *part)
{
        g_autofree char *text = RUN(f, 0, "migrate", "status", SERVICE);

        expect_text(text, part);
}

/* ---- both clients ---- */

static GVariant *call_dbus(Fixture *f, const char *interface, const char *method, GVariant *args)
{
        GError *error = NULL;
        GVariant *result =
                g_dbus_connection_call_sync(f->client, NAME, PATH, interface, method, args, NULL,
                                            G_DBUS_CALL_FLAGS_NONE, WAIT_MSEC, NULL, &error);

        g_assert_no_error(error);
        return result;
}

/* As `busctl get-property` and `busctl call` do it. */
static void check_dbus_client(Fixture *f)
{
        g_autoptr(GVariant) value = call_dbus(f, "org.freedesktop.DBus.Properties", "Get",
                                              g_variant_new("(ss)", INTERFACE, "Temperature"));
        g_autoptr(GVariant) error =
                call_dbus(f, INTERFACE, "Calibrate", g_variant_new("(d)", 20.0));
        g_autofree char *text = g_variant_print(value, TRUE);

        g_assert_cmpstr(text, ==, "(<20.0>,)");
        g_assert_true(g_variant_is_of_type(error, G_VARIANT_TYPE("(d)")));
}

static void check_mqtt_client(Fixture *f)
{
        g_autofree char *reply = gateway_stage_call(f->stage, SERVICE, "Calibrate", "[20]");

        rpc_reply_assert_result(reply, "0");
        mqtt_mirror_expect_text(f->mirror, SERVICE "/$state", "\"state\":\"ready\"");
        mqtt_mirror_expect(f->mirror, SERVICE "/-/prop/Temperature", "20");
}

/* A changed file has its service begin anew. */
static void expect_new_state(Fixture *f, const char *old)
{
        const char *state;

        for (;;) {
                state = mqtt_mirror_get(f->mirror, SERVICE "/$state");
                if (state && strcmp(state, old) != 0 && strstr(state, "\"state\":\"ready\""))
                        return;
                g_assert_true(mqtt_mirror_turn(f->mirror));
        }
}

/* ---- the way ---- */

static void set_up(Fixture *f, gconstpointer unused)
{
        static const char *const gateway[] = {"--gateway", "--service", SERVICE, NULL};
        static const char *const heater[] = {"--service", SERVICE, NULL};
        static const char *const alice[] = {"--rpc", SERVICE "/+", "--rpc", "gateway/+", NULL};

        f->stage = gateway_stage_new();
        broker_add_user(f->stage->broker, "gateway", "secret of the gateway", gateway);
        broker_add_user(f->stage->broker, "heater", "secret of heater", heater);
        broker_add_user(f->stage->broker, "alice", "secret of alice", alice);
        broker_start(f->stage->broker);
        dbus_daemon_start(f->stage->bus);
        f->mirror = mqtt_mirror_new(f->stage->broker, "alice");
        f->client = dbus_daemon_connect(f->stage->bus);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
        process_free(f->daemon);
        process_free(f->native);
        g_clear_object(&f->client);
        mqtt_mirror_free(f->mirror);
        gateway_stage_free(f->stage);
}

static void test_three_states_and_back(Fixture *f, gconstpointer unused)
{
        g_autofree char *reloaded = NULL, *check = NULL, *released = NULL, *state = NULL;

        /* 1. D-Bus only */
        start_daemon(f);
        check_dbus_client(f);
        g_assert_cmpuint(mqtt_mirror_count_retained(f->mirror, SERVICE "/"), ==, 0);
        /* 2. exposed */
        install_mapping(f, "exposed");
        gateway_stage_start(f->stage);
        check_mqtt_client(f);
        check_dbus_client(f);
        expect_status(f, "provider    dbus\nstate       running\n");
        /* 3. native, with a facade */
        install_mapping(f, "moving");
        mark_log(f);
        state = g_strdup(mqtt_mirror_get(f->mirror, SERVICE "/$state"));
        reloaded = RUN(f, 0, "reload");
        expect_logged(f, "thermostat: provider: dbus\n");
        expect_new_state(f, state);
        check_mqtt_client(f);
        check = RUN(f, 0, "migrate", "check", SERVICE);
        expect_text(check, "? the native service sees the gateway as the caller");
        start_native(f);
        expect_logged(f, "thermostat: conflict: clients of MQTT have the MQTT service");
        expect_status(f, "state       conflict\n");
        expect_status(f, "Next: Two want it: stop the daemon");
        stop(&f->daemon);
        expect_logged(f, "thermostat: provider: mqtt\n");
        check_mqtt_client(f);
        check_dbus_client(f);
        expect_status(f, "state       mqtt\n");
        expect_status(f, "Used on D-Bus:\n");
        expect_status(f, "Calibrate");
        /* and back */
        mark_log(f);
        released = RUN(f, 0, "release", SERVICE);
        start_daemon(f);
        expect_logged(f, "thermostat: provider: dbus\n");
        stop(&f->native);
        check_dbus_client(f);
        check_mqtt_client(f);
        expect_status(f, "state       dbus\n");
}

/* ---- what a facade cannot do ---- */

#define GAPS                                                                                   \
                                                                                               \
        "[{\"path\":\"" PATH "\",\"interfaces\":{\"" INTERFACE "\":{\"methods\":{"             \
        "%s"                                                                                   \
        "\"RegisterAgent\":{\"in\":[\"agent:o\"],\"out\":[]},"                                 \
        "\"Watch\":{\"in\":[\"watcher:o\"],\"out\":[],\"callback\":true},"                     \
        "\"Describe\":{\"in\":[],\"out\":[\"facts:a{sv}\"]},"                                  \
        "\"Calibrate\":{\"in\":[\"reference:d\"],\"out\":[\"error:d\"],\"access\":\"read\"}}," \
        "\"signals\":{\"Answered\":{\"args\":[\"n:u\"],\"unicast\":true},"                     \
        "\"Tick\":{\"args\":[\"n:u\"],\"min_interval_ms\":500}}}}}]"

/* Trap 34: listed per mapping, not discovered in the field. A mapping with provider "mqtt" does not
 * load with descriptors, so they are listed of the mapping as it is before. */
static void test_gaps_are_listed(Fixture *f, gconstpointer provider)
{
        bool before = !strcmp(provider, "dbus");
        g_autofree char *settings = g_strdup_printf("\"provider\":\"%s\",", (char *)provider);
        g_autofree char *objects =
                g_strdup_printf(GAPS, before ? "\"OpenLog\":{\"in\":[],\"out\":[\"log:h\"]}," : "");
        g_autofree char *text = NULL, *json = NULL;

        gateway_stage_add_mapping(f->stage, SERVICE, NAME, settings, objects);
        gateway_stage_start(f->stage);
        text = RUN(f, 1, "migrate", "check", NAME);
        g_assert_true(!before == !strstr(text, "! method " INTERFACE ".OpenLog of -: descriptors"));
        expect_text(text, "? method " INTERFACE ".RegisterAgent of -: it takes an object path");
        expect_text(text, "! method " INTERFACE ".Watch of -: it calls its caller back");
        expect_text(text, "? method " INTERFACE ".Describe of -: the native service has to say");
        expect_text(text, "! signal " INTERFACE ".Answered of -: the daemon sends it to one");
        expect_text(text, "! signal " INTERFACE ".Tick of -: the mapping has a filter");
        expect_text(text, "? the native service sees the gateway as the caller");
        g_assert_null(strstr(text, "Calibrate"));
        json = RUN(f, 1, "migrate", "check", SERVICE, "--json");
        expect_text(json, "\"gap\":\"callback\",\"loss\":true,\"kind\":\"method\"");
}

static void test_mistakes(Fixture *f, gconstpointer unused)
{
        g_autofree char *a = NULL, *b = NULL, *c = NULL;

        gateway_stage_start(f->stage);
        a = RUN(f, 2, "migrate");
        b = RUN(f, 2, "migrate", "finish", SERVICE);
        c = RUN(f, 2, "migrate", "status", "nobody");
        g_assert_cmpstr(a, ==, "");
        g_assert_cmpstr(b, ==, "");
        g_assert_cmpstr(c, ==, "");
}

#define ADD(name, test, data) g_test_add("/migration/" name, Fixture, data, set_up, test, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD("three-states", test_three_states_and_back, NULL);
        ADD("gaps", test_gaps_are_listed, "mqtt");
        ADD("gaps-before", test_gaps_are_listed, "dbus");
        ADD("mistakes", test_mistakes, NULL);
        return g_test_run();
}
