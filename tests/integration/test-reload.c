/* SPDX-License-Identifier: MIT */

/* Mapping files that are read again while the gateway runs (SIGHUP): what has not changed does not
 * notice, what is bad stays as it was. */

#include "tests/support/gateway-stage.h"
#include "tests/support/mqtt-mirror.h"
#include "tests/support/rpc-reply.h"
#include "tests/support/scripted-service.h"
#include "tests/support/wait.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#define FACE        "org.example.Test"
#define TEST_PATH   "/org/example/Test"
#define OTHER_PATH  "/org/example/Other"
#define LEVEL       "\"Level\":{\"type\":\"i\"}"
#define NAME        "\"Name\":{\"type\":\"s\"}"
#define STORM       50
#define N_SIGNALS   200
#define SLOW_PARAMS "[700]"

typedef struct Fixture {
        GatewayStage *stage;
        ScriptedService *test, *other;
        MqttMirror *mirror;
} Fixture;

static void map(Fixture *fixture, const char *service, const char *bus_name, const char *path,
                const char *properties)
{
        g_autofree char *objects = g_strdup_printf(
                "[{\"path\":\"%s\",\"interfaces\":{\"" FACE "\":{\"methods\":{\"Slow\":{\"in\":"
                "[\"ms:u\"],\"out\":[]}},\"signals\":{\"Tick\":{\"args\":[\"n:u\"]}},"
                "\"properties\":{%s}}}}]",
                path, properties);

        gateway_stage_add_mapping(fixture->stage, service, bus_name, "", objects);
}

static void map_test(Fixture *fixture, const char *properties)
{
        map(fixture, "test", "org.example.Test", TEST_PATH, properties);
}

static void map_other(Fixture *fixture, const char *properties)
{
        map(fixture, "other", "org.example.Other", OTHER_PATH, properties);
}

static ScriptedService *new_service(Fixture *fixture, const char *bus_name, const char *path)
{
        ScriptedService *service = scripted_service_new(fixture->stage->bus);

        scripted_service_set(service, path, FACE, "Level", g_variant_new_int32(5));
        scripted_service_set(service, path, FACE, "Name", g_variant_new_string("x"));
        scripted_service_own(service, bus_name);
        return service;
}

static void set_up(Fixture *fixture, gconstpointer unused)
{
        fixture->stage = gateway_stage_new();
        map_test(fixture, LEVEL);
        map_other(fixture, LEVEL);
        broker_start(fixture->stage->broker);
        dbus_daemon_start(fixture->stage->bus);
        fixture->test = new_service(fixture, "org.example.Test", TEST_PATH);
        fixture->other = new_service(fixture, "org.example.Other", OTHER_PATH);
        gateway_stage_start(fixture->stage);
        fixture->mirror = mqtt_mirror_new(fixture->stage->broker, "alice");
        mqtt_mirror_expect_text(fixture->mirror, "test/$state", "\"state\":\"ready\"");
        mqtt_mirror_expect_text(fixture->mirror, "other/$state", "\"state\":\"ready\"");
        mqtt_mirror_clear(fixture->mirror);
}

static void tear_down(Fixture *fixture, gconstpointer unused)
{
        mqtt_mirror_free(fixture->mirror);
        scripted_service_free(fixture->test);
        scripted_service_free(fixture->other);
        gateway_stage_free(fixture->stage);
}

static Process *gateway_of(Fixture *fixture)
{
        return gateway_process_get_process(fixture->stage->gateway);
}

/* `counts` is what the log has to say of it. */
static void reload(Fixture *fixture, const char *counts)
{
        g_autofree char *line = g_strdup_printf("mappings read again: %s", counts);

        process_mark_output(gateway_of(fixture), PROCESS_STDERR);
        process_signal(gateway_of(fixture), SIGHUP);
        g_assert_true(
                gateway_process_wait_notify(fixture->stage->gateway, "RELOADING=1", WAIT_MSEC));
        g_assert_true(gateway_process_wait_notify(fixture->stage->gateway, "READY=1", WAIT_MSEC));
        g_assert_true(process_wait_output(gateway_of(fixture), PROCESS_STDERR, line, WAIT_MSEC));
}

static char *dup_state(Fixture *fixture, const char *topic)
{
        return g_strdup(mqtt_mirror_get(fixture->mirror, topic));
}

static void expect_logged(Fixture *fixture, const char *text)
{
        g_assert_true(process_wait_output(gateway_of(fixture), PROCESS_STDERR, text, WAIT_MSEC));
}

/* ---- what changes ---- */

static void test_changed_file_is_served_anew(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *state = dup_state(fixture, "other/$state");

        map_test(fixture, NAME);
        reload(fixture, "0 added, 1 changed, 0 removed, 1 unchanged; 0 bad, the old");
        mqtt_mirror_expect(fixture->mirror, "test/-/prop/Name", "\"x\"");
        mqtt_mirror_expect(fixture->mirror, "test/-/prop/Level", NULL);
        mqtt_mirror_expect_text(fixture->mirror, "test/$state", "\"state\":\"ready\"");
        /* the service beside it has said nothing anew */
        g_assert_cmpstr(mqtt_mirror_get(fixture->mirror, "other/$state"), ==, state);
        g_assert_cmpuint(mqtt_mirror_count(fixture->mirror, "other/$state"), ==, 0);
}

static void test_removed_file_leaves_nothing(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *path = g_build_filename(fixture->stage->mappings, "test.json", NULL);

        g_assert_cmpint(g_unlink(path), ==, 0);
        reload(fixture, "0 added, 0 changed, 1 removed, 1 unchanged");
        mqtt_mirror_expect(fixture->mirror, "test/$state", NULL);
        g_assert_cmpuint(mqtt_mirror_count_retained(fixture->mirror, "test/"), ==, 0);
        map_test(fixture, LEVEL "," NAME);
        reload(fixture, "1 added, 0 changed, 0 removed, 1 unchanged");
        mqtt_mirror_expect_text(fixture->mirror, "test/$state", "\"state\":\"ready\"");
        mqtt_mirror_expect(fixture->mirror, "test/-/prop/Name", "\"x\"");
}

static void test_renamed_service_takes_its_place(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *path = g_build_filename(fixture->stage->mappings, "other.json", NULL);
        g_autofree char *text = NULL;

        /* one file takes over the names that another one gives up, in the same moment */
        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        g_free(gateway_stage_write(fixture->stage, "aaa.json", text));
        g_assert_cmpint(g_unlink(path), ==, 0);
        reload(fixture, "1 added, 0 changed, 1 removed, 1 unchanged");
        mqtt_mirror_expect_text(fixture->mirror, "other/$state", "\"state\":\"ready\"");
        mqtt_mirror_expect(fixture->mirror, "other/-/prop/Level", "5");
}

/* ---- what is bad ---- */

static void test_bad_file_keeps_its_old_version(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *state = dup_state(fixture, "test/$state");

        g_free(gateway_stage_write(fixture->stage, "test.json", "{ \"service\": \"test\", }"));
        g_free(gateway_stage_write(fixture->stage, "new.json", "{ \"service\": 5 }"));
        map_other(fixture, NAME);
        reload(fixture, "0 added, 1 changed, 0 removed, 0 unchanged; 1 bad, the old version "
                        "stays; 1 bad and left out");
        process_mark_output(gateway_of(fixture), PROCESS_STDERR);
        mqtt_mirror_expect(fixture->mirror, "other/-/prop/Name", "\"x\"");
        g_assert_cmpstr(mqtt_mirror_get(fixture->mirror, "test/$state"), ==, state);
        g_assert_cmpstr(mqtt_mirror_get(fixture->mirror, "test/-/prop/Level"), ==, "5");
        /* and still does so the next time; mended it is served */
        reload(fixture, "0 added, 0 changed, 0 removed, 1 unchanged; 1 bad, the old");
        map_test(fixture, NAME);
        reload(fixture, "0 added, 1 changed, 0 removed, 1 unchanged; 0 bad, the old");
        mqtt_mirror_expect(fixture->mirror, "test/-/prop/Name", "\"x\"");
}

static void test_clash_keeps_what_was_there(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *path = g_build_filename(fixture->stage->mappings, "test.json", NULL);
        g_autofree char *rival = g_build_filename(fixture->stage->mappings, "aaa.json", NULL);
        g_autofree char *state = dup_state(fixture, "test/$state");

        /* "aaa" comes before "test" in the order of files, but later in time */
        map(fixture, "test", "org.example.Rival", TEST_PATH, NAME);
        g_assert_cmpint(g_rename(path, rival), ==, 0);
        map_test(fixture, LEVEL);
        reload(fixture, "0 added, 0 changed, 0 removed, 2 unchanged; 0 bad, the old version "
                        "stays; 1 bad and left out");
        g_assert_cmpstr(mqtt_mirror_get(fixture->mirror, "test/$state"), ==, state);
        process_signal(gateway_of(fixture), SIGHUP);
        expect_logged(fixture, "aaa.json: the service 'test' is mapped by");
}

/* ---- what is not disturbed ---- */

static void test_unchanged_service_loses_nothing(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *state = dup_state(fixture, "test/$state");
        CLEANUP(cleanup_process) Process *process = NULL;
        g_autofree char *reply = NULL;
        unsigned id;

        /* a service that takes its time, under the name of the other one */
        scripted_service_release(fixture->other, "org.example.Other");
        process = gateway_stage_start_service(fixture->stage, "org.example.Other", NULL);
        id = mqtt_client_send(
                fixture->stage->client,
                &(MqttRequest){.service = "other", .method = "Slow", .params = SLOW_PARAMS});
        for (unsigned n = 1; n <= N_SIGNALS; n++) {
                if (n % 50 == 0) {
                        map_test(fixture, LEVEL);
                        reload(fixture, "0 added, 0 changed, 0 removed, 2 unchanged");
                }
                scripted_service_emit(fixture->test, TEST_PATH, FACE, "Tick",
                                      g_variant_new("(u)", n));
        }
        mqtt_mirror_expect_message(fixture->mirror, "test/-/sig/Tick {\"jsonrpc\":\"2.0\","
                                                    "\"method\":\"Tick\",\"params\":[200]}");
        g_assert_cmpuint(mqtt_mirror_count(fixture->mirror, "test/-/sig/Tick "), ==, N_SIGNALS);
        g_assert_cmpstr(mqtt_mirror_get(fixture->mirror, "test/$state"), ==, state);
        reply = mqtt_client_wait(fixture->stage->client, id, WAIT_MSEC);
        g_assert_nonnull(reply);
        rpc_reply_assert_result(reply, "null");
}

static void test_storm_of_reloads(Fixture *fixture, gconstpointer unused)
{
        for (unsigned i = 0; i < STORM; i++) {
                map_test(fixture, i % 2 ? LEVEL : NAME);
                process_signal(gateway_of(fixture), SIGHUP);
                /* who does not read what it is told stops the gateway: so it is with sd_notify() */
                (void)gateway_process_has_notified(fixture->stage->gateway, "RELOADING=1");
        }
        reload(fixture, "");
        mqtt_mirror_expect(fixture->mirror, "test/-/prop/Level", "5");
        mqtt_mirror_expect(fixture->mirror, "test/-/prop/Name", NULL);
        mqtt_mirror_expect_text(fixture->mirror, "test/$state", "\"state\":\"ready\"");
        g_assert_cmpuint(mqtt_mirror_count(fixture->mirror, "other/$state"), ==, 0);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
#define ADD(path, function) g_test_add("/reload/" path, Fixture, NULL, set_up, function, tear_down)
        ADD("changed", test_changed_file_is_served_anew);
        ADD("removed", test_removed_file_leaves_nothing);
        ADD("other-file", test_renamed_service_takes_its_place);
        ADD("bad", test_bad_file_keeps_its_old_version);
        ADD("clash", test_clash_keeps_what_was_there);
        ADD("undisturbed", test_unchanged_service_loses_nothing);
        ADD("storm", test_storm_of_reloads);
        return g_test_run();
}
