/* SPDX-License-Identifier: MIT */

/* The match rules that the gateway has at the bus, as the bus itself lists them: their number is
 * limited, each costs the bus work for every message, and one that is there twice brings a signal
 * twice. */

#include "tests/support/gateway-stage.h"
#include "tests/support/mqtt-mirror.h"
#include "tests/support/scripted-service.h"
#include "tests/support/wait.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#define NAME "org.example.Test"
#define ROOT "/org/example/Test"
#define FACE "org.example.Test"

#define DRIVER "org.freedesktop.DBus"

enum { ROUNDS = 20 };

static const char objects[] =
        "[{\"path\":\"" ROOT "\",\"interfaces\":{\"" FACE "\":{\"properties\":{\"Level\":"
        "{\"type\":\"i\"}},\"signals\":{\"Two\":{\"args\":[\"a:i\",\"b:s\"]}}}}},"
        "{\"path\":\"" ROOT "/{id}\",\"object\":\"{id}\",\"interfaces\":{\"" FACE "\":"
        "{\"properties\":{\"Level\":{\"type\":\"i\"}}}}}]";
static const char other_objects[] =
        "[{\"path\":\"/org/example/Other\",\"interfaces\":{\"org.example.Other\":"
        "{\"signals\":{\"Two\":{\"args\":[]}}}}}]";

typedef struct Fixture {
        GatewayStage *stage;
        ScriptedService *service;
        MqttMirror *mirror;
} Fixture;

static void expect_level(Fixture *fixture, const char *object, const char *level)
{
        g_autofree char *topic = g_strdup_printf("test/%s/prop/Level", object);

        mqtt_mirror_expect(fixture->mirror, topic, level);
}

static void set_up(Fixture *fixture, gconstpointer unused)
{
        fixture->stage = gateway_stage_new();
        gateway_stage_add_mapping(fixture->stage, "test", NAME, "", objects);
        gateway_stage_add_mapping(fixture->stage, "other", "org.example.Other", "", other_objects);
        broker_start(fixture->stage->broker);
        dbus_daemon_start(fixture->stage->bus);
        fixture->service = scripted_service_new(fixture->stage->bus);
        scripted_service_set(fixture->service, ROOT, FACE, "Level", g_variant_new_int32(5));
        scripted_service_manage(fixture->service, ROOT);
        scripted_service_own(fixture->service, NAME);
        gateway_stage_start(fixture->stage);
        fixture->mirror = mqtt_mirror_new(fixture->stage->broker, "alice");
        expect_level(fixture, "-", "5");
        mqtt_mirror_expect_text(fixture->mirror, "test/$state", "\"state\":\"ready\"");
        mqtt_mirror_expect_text(fixture->mirror, "other/$state", "\"offline\"");
}

static void tear_down(Fixture *fixture, gconstpointer unused)
{
        mqtt_mirror_free(fixture->mirror);
        scripted_service_free(fixture->service);
        gateway_stage_free(fixture->stage);
}

/* ---- what the bus says ---- */

static GVariant *ask_bus(GDBusConnection *connection, const char *interface, const char *method,
                         GVariant *arguments, const char *type)
{
        GError *error = NULL;
        GVariant *reply;

        reply = g_dbus_connection_call_sync(connection, DRIVER, "/org/freedesktop/DBus", interface,
                                            method, arguments, G_VARIANT_TYPE(type), 0, -1, NULL,
                                            &error);
        g_assert_no_error(error);
        return reply;
}

/* Whether a unique name is of the gateway, and not of somebody who has just gone. */
static bool is_of_gateway(Fixture *fixture, GDBusConnection *connection, const char *name)
{
        pid_t pid = process_get_pid(gateway_process_get_process(fixture->stage->gateway));
        g_autoptr(GVariant) reply = NULL;
        guint32 owner;

        reply = g_dbus_connection_call_sync(
                connection, DRIVER, "/org/freedesktop/DBus", DRIVER, "GetConnectionUnixProcessID",
                g_variant_new("(s)", name), G_VARIANT_TYPE("(u)"), 0, -1, NULL, NULL);
        if (!reply)
                return false;
        g_variant_get(reply, "(u)", &owner);
        return owner == (guint32)pid;
}

static int compare(gconstpointer a, gconstpointer b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Those of one connection, of which no two may be the same. */
static void add_rules(GPtrArray *lines, GVariantIter *rules)
{
        g_autoptr(GPtrArray) own = g_ptr_array_new();
        const char *rule;

        while (g_variant_iter_next(rules, "&s", &rule))
                g_ptr_array_add(own, g_strdup(rule));
        g_ptr_array_sort(own, compare);
        for (guint i = 0; i < own->len; i++) {
                if (i > 0)
                        g_assert_cmpstr(own->pdata[i - 1], !=, own->pdata[i]);
                g_ptr_array_add(lines, own->pdata[i]);
        }
}

/* The rules of all connections of the gateway, sorted, a line each. */
static char *dup_rules(Fixture *fixture)
{
        g_autoptr(GDBusConnection) connection = dbus_daemon_connect(fixture->stage->bus);
        g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GVariantIter) names = NULL;
        g_autoptr(GVariant) reply = NULL;
        GVariantIter *rules;
        const char *name;

        reply = ask_bus(connection, DRIVER ".Debug.Stats", "GetAllMatchRules", NULL, "(a{sas})");
        g_variant_get(reply, "(a{sas})", &names);
        while (g_variant_iter_next(names, "{&sas}", &name, &rules)) {
                if (is_of_gateway(fixture, connection, name))
                        add_rules(lines, rules);
                g_variant_iter_free(rules);
        }
        g_ptr_array_sort(lines, compare);
        g_ptr_array_add(lines, NULL);
        return g_strjoinv("\n", (char **)lines->pdata);
}

/* Asks until they are as expected: each connection of the gateway comes back in its own time. */
static void expect_rules(Fixture *fixture, const char *expected)
{
        gint64 deadline = wait_deadline(WAIT_MSEC);
        char *rules = dup_rules(fixture);

        while (strcmp(rules, expected) != 0 && wait_left(deadline) > 0) {
                g_free(rules);
                rules = dup_rules(fixture);
        }
        g_assert_cmpstr(rules, ==, expected);
        g_free(rules);
}

/* A signal that is sent once comes once. */
static void expect_one_signal(Fixture *fixture)
{
        mqtt_mirror_clear(fixture->mirror);
        for (int i = 1; i <= 2; i++)
                scripted_service_emit(fixture->service, ROOT, FACE, "Two",
                                      g_variant_new("(is)", i, "x"));
        (void)mqtt_mirror_expect_message(fixture->mirror,
                                         "test/-/sig/Two {\"jsonrpc\":\"2.0\",\"method\":\"Two\","
                                         "\"params\":[2,\"x\"]}");
        g_assert_cmpuint(mqtt_mirror_count(fixture->mirror, "test/-/sig/Two"), ==, 2);
}

/* ---- tests ---- */

static void test_one_set_per_service(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *rules = dup_rules(fixture);
        g_auto(GStrv) lines = g_strsplit(rules, "\n", 0);
        guint n_signals = 0;

        for (char **line = lines; *line; line++)
                n_signals += strstr(*line, "sender='" NAME "'") != NULL;
        g_assert_cmpuint(n_signals, ==, 1);
        /* of each service: its signals, its owner, and what the bus can start */
        g_assert_cmpuint(g_strv_length(lines), ==, 2 * 3);
        expect_one_signal(fixture);
}

static void test_owners_come_and_go(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *before = dup_rules(fixture);

        for (unsigned i = 0; i < ROUNDS; i++) {
                scripted_service_release(fixture->service, NAME);
                expect_level(fixture, "-", NULL);
                scripted_service_own(fixture->service, NAME);
                expect_level(fixture, "-", "5");
        }
        expect_rules(fixture, before);
        expect_one_signal(fixture);
}

static void test_owners_hand_over(Fixture *fixture, gconstpointer unused)
{
        CLEANUP_SCRIPTED_SERVICE ScriptedService *next = scripted_service_new(fixture->stage->bus);
        g_autofree char *before = dup_rules(fixture);

        scripted_service_set(next, ROOT, FACE, "Level", g_variant_new_int32(6));
        scripted_service_manage(next, ROOT);
        for (unsigned i = 0; i < ROUNDS; i++) {
                scripted_service_own(next, NAME);
                expect_level(fixture, "-", "6");
                scripted_service_own(fixture->service, NAME);
                expect_level(fixture, "-", "5");
        }
        expect_rules(fixture, before);
        expect_one_signal(fixture);
}

static void test_objects_come_and_go(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *before = dup_rules(fixture);

        for (unsigned i = 0; i < ROUNDS; i++) {
                g_autofree char *name = g_strdup_printf("o%u", i);
                g_autofree char *path = g_strdup_printf(ROOT "/%s", name);

                scripted_service_set(fixture->service, path, FACE, "Level", g_variant_new_int32(1));
                scripted_service_tell_added(fixture->service, path, FACE);
                expect_level(fixture, name, "1");
                expect_rules(fixture, before);
                scripted_service_remove(fixture->service, path, FACE);
                expect_level(fixture, name, NULL);
        }
        expect_rules(fixture, before);
        expect_one_signal(fixture);
}

static void test_bus_comes_again(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *before = dup_rules(fixture);

        for (unsigned i = 0; i < 5; i++) {
                /* the service manager listens, or the gateway would wait for it */
                (void)gateway_process_has_notified(fixture->stage->gateway, "none");
                scripted_service_disconnect(fixture->service);
                dbus_daemon_kill(fixture->stage->bus);
                expect_level(fixture, "-", NULL);
                dbus_daemon_start(fixture->stage->bus);
                scripted_service_reconnect(fixture->service, fixture->stage->bus);
                scripted_service_own(fixture->service, NAME);
                expect_level(fixture, "-", "5");
                expect_rules(fixture, before);
        }
        expect_one_signal(fixture);
}

static void reload(Fixture *fixture)
{
        process_signal(gateway_process_get_process(fixture->stage->gateway), SIGHUP);
        g_assert_true(
                gateway_process_wait_notify(fixture->stage->gateway, "RELOADING=1", WAIT_MSEC));
        g_assert_true(gateway_process_wait_notify(fixture->stage->gateway, "READY=1", WAIT_MSEC));
}

static void test_mappings_come_and_go(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *file = g_build_filename(fixture->stage->mappings, "test.json", NULL);
        g_autofree char *before = dup_rules(fixture);

        for (unsigned i = 0; i < 5; i++) {
                g_autofree char *without = NULL;

                g_assert_cmpint(g_remove(file), ==, 0);
                reload(fixture);
                expect_level(fixture, "-", NULL);
                without = dup_rules(fixture);
                g_assert_null(strstr(without, NAME));
                gateway_stage_add_mapping(fixture->stage, "test", NAME, "", objects);
                reload(fixture);
                expect_level(fixture, "-", "5");
        }
        expect_rules(fixture, before);
        expect_one_signal(fixture);
}

static const struct {
        const char *path;
        void (*function)(Fixture *fixture, gconstpointer unused);
} tests[] = {
        {"one-set-per-service", test_one_set_per_service},
        {"owners-come-and-go", test_owners_come_and_go},
        {"owners-hand-over", test_owners_hand_over},
        {"objects-come-and-go", test_objects_come_and_go},
        {"bus-comes-again", test_bus_comes_again},
        {"mappings-come-and-go", test_mappings_come_and_go},
};

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
                g_autofree char *path = g_strdup_printf("/match-rules/trap-13-%s", tests[i].path);

                g_test_add(path, Fixture, NULL, set_up, tests[i].function, tear_down);
        }
        return g_test_run();
}
