/* SPDX-License-Identifier: MIT */

/* Families of D-Bus names: each name that is there is a service on MQTT, as long as it is there. */

#include "tests/support/gateway-stage.h"
#include "tests/support/mqtt-mirror.h"
#include "tests/support/rpc-reply.h"
#include "tests/support/scripted-service.h"
#include "tests/support/wait.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#define FAMILY "org.example.Player"
#define PATH   "/org/example/Player"
#define FACE   "org.example.Player"
#define TOO    66 /* more than are looked at */

static const char objects[] =
        "[{\"path\":\"" PATH "\",\"object\":\"-\",\"interfaces\":{\"" FACE
        "\":{\"methods\":{\"Do\":{\"in\":[],\"out\":[]}},"
        "\"signals\":{\"Called\":{\"args\":[]},\"Tick\":{\"args\":[\"n:u\"]}},"
        "\"properties\":{\"Level\":{\"type\":\"i\"}}}}},"
        "{\"path\":\"" PATH "/Calls\",\"object\":\"calls\",\"interfaces\":{\"org.example.Calls\":"
        "{\"methods\":{\"GiveUp\":{\"in\":[],\"out\":[]},\"Die\":{\"in\":[],\"out\":[]}}}}}]";

typedef struct Fixture {
        GatewayStage *stage;
        MqttMirror *mirror;
} Fixture;

static ScriptedService *new_player(Fixture *fixture, int level)
{
        ScriptedService *player = scripted_service_new(fixture->stage->bus);

        scripted_service_set(player, PATH, FACE, "Level", g_variant_new_int32(level));
        return player;
}

static ScriptedService *start_player(Fixture *fixture, const char *name, int level)
{
        ScriptedService *player = new_player(fixture, level);

        scripted_service_own(player, name);
        return player;
}

/* A gateway that may serve all, and somebody who may call those that are named here. */
static void set_up(Fixture *fixture, gconstpointer activate)
{
        static const char *const gateway[] = {"--gateway", "--service", "+", NULL};
        static const char *const alice[] = {"--rpc", "player.a/+", "--rpc", "player.b/+", NULL};
        g_autofree char *text = NULL;

        fixture->stage = gateway_stage_new();
        broker_add_user(fixture->stage->broker, "gateway", "secret of the gateway", gateway);
        broker_add_user(fixture->stage->broker, "alice", "secret of alice", alice);
        text = g_strdup_printf("{\"service\":\"player.{name}\",\"dbus\":{\"name\":\"" FAMILY
                               ".*\",\"activate\":%s},\"objects\":%s}",
                               activate ? "true" : "false", objects);
        g_free(gateway_stage_write(fixture->stage, "player.json", text));
        broker_start(fixture->stage->broker);
        dbus_daemon_start(fixture->stage->bus);
        fixture->mirror = mqtt_mirror_new(fixture->stage->broker, "alice");
}

static void tear_down(Fixture *fixture, gconstpointer unused)
{
        mqtt_mirror_free(fixture->mirror);
        gateway_stage_free(fixture->stage);
}

static void expect_player(Fixture *fixture, const char *service, const char *level)
{
        g_autofree char *state = g_strdup_printf("%s/$state", service);
        g_autofree char *topic = g_strdup_printf("%s/-/prop/Level", service);

        mqtt_mirror_expect_text(fixture->mirror, state, "\"state\":\"ready\"");
        mqtt_mirror_expect(fixture->mirror, topic, level);
}

/* Nothing at all is left of it. */
static void expect_no_player(Fixture *fixture, const char *service)
{
        g_autofree char *prefix = g_strdup_printf("%s/", service);

        while (mqtt_mirror_count_retained(fixture->mirror, prefix) > 0)
                if (!mqtt_mirror_turn(fixture->mirror))
                        g_error("%s is still there: %s", service,
                                mqtt_mirror_dup_tree(fixture->mirror));
}

static void call_do(Fixture *fixture, const char *service)
{
        g_autofree char *reply = gateway_stage_call(fixture->stage, service, "Do", "[]");

        rpc_reply_assert_result(reply, "null");
}

static void expect_logged(Fixture *fixture, const char *text)
{
        g_assert_true(process_wait_output(gateway_process_get_process(fixture->stage->gateway),
                                          PROCESS_STDERR, text, WAIT_MSEC));
}

static void reload(Fixture *fixture)
{
        Process *gateway = gateway_process_get_process(fixture->stage->gateway);

        process_mark_output(gateway, PROCESS_STDERR);
        process_signal(gateway, SIGHUP);
        expect_logged(fixture, "mappings read again");
}

/* ---- appearing and going ---- */

static void test_members_come_and_go(Fixture *fixture, gconstpointer unused)
{
        CLEANUP_SCRIPTED_SERVICE ScriptedService *a = start_player(fixture, FAMILY ".a", 1);
        CLEANUP_SCRIPTED_SERVICE ScriptedService *b = NULL;
        g_autofree char *state = NULL;

        gateway_stage_start(fixture->stage);
        expect_player(fixture, "player.a", "1");
        g_assert_cmpuint(mqtt_mirror_count_retained(fixture->mirror, "player.b/"), ==, 0);
        b = start_player(fixture, FAMILY ".b", 2);
        expect_player(fixture, "player.b", "2");
        state = g_strdup(mqtt_mirror_get(fixture->mirror, "player.a/$state"));
        call_do(fixture, "player.a");
        call_do(fixture, "player.b");
        g_assert_cmpuint(scripted_service_count(a, "Do"), ==, 1);
        g_assert_cmpuint(scripted_service_count(b, "Do"), ==, 1);
        scripted_service_emit(b, PATH, FACE, "Tick", g_variant_new("(u)", 7));
        mqtt_mirror_expect_message(fixture->mirror, "player.b/-/sig/Tick {\"jsonrpc\":\"2.0\","
                                                    "\"method\":\"Tick\",\"params\":[7]");
        scripted_service_set(a, PATH, FACE, "Level", g_variant_new_int32(3));
        scripted_service_tell(a, PATH, FACE, "Level", false);
        mqtt_mirror_expect(fixture->mirror, "player.a/-/prop/Level", "3");

        scripted_service_disconnect(b);
        expect_no_player(fixture, "player.b");
        g_assert_cmpstr(mqtt_mirror_get(fixture->mirror, "player.a/$state"), ==, state);
        call_do(fixture, "player.a");
        scripted_service_reconnect(b, fixture->stage->bus);
        scripted_service_own(b, FAMILY ".b");
        expect_player(fixture, "player.b", "2");
        call_do(fixture, "player.b");
}

static void test_description_names_the_member(Fixture *fixture, gconstpointer unused)
{
        CLEANUP_SCRIPTED_SERVICE ScriptedService *a = start_player(fixture, FAMILY ".a", 1);

        gateway_stage_start(fixture->stage);
        expect_player(fixture, "player.a", "1");
        mqtt_mirror_expect_text(fixture->mirror, "player.a/$api", "player.a");
        g_assert_null(strchr(mqtt_mirror_get(fixture->mirror, "player.a/$api"), '*'));
        g_assert_null(strstr(mqtt_mirror_get(fixture->mirror, "player.a/$api"), "{name}"));
        mqtt_mirror_expect_text(fixture->mirror, "player.a/$state", FAMILY ".a");
}

static void test_name_may_change_hands(Fixture *fixture, gconstpointer unused)
{
        CLEANUP_SCRIPTED_SERVICE ScriptedService *old = start_player(fixture, FAMILY ".a", 1);
        CLEANUP_SCRIPTED_SERVICE ScriptedService *new = NULL;

        gateway_stage_start(fixture->stage);
        expect_player(fixture, "player.a", "1");
        new = start_player(fixture, FAMILY ".a", 2);
        mqtt_mirror_expect(fixture->mirror, "player.a/-/prop/Level", "2");
        mqtt_mirror_expect_text(fixture->mirror, "player.a/$state", "\"state\":\"ready\"");
        call_do(fixture, "player.a");
        g_assert_cmpuint(scripted_service_count(old, "Do"), ==, 0);
        scripted_service_release(new, FAMILY ".a");
        expect_no_player(fixture, "player.a");
}

/* The last call of a member, by which it goes. */
static char *call_last(Fixture *fixture, const char *method)
{
        MqttRequest request = {
                .service = "player.a", .object = "calls", .method = method, .params = "[]"};
        CLEANUP_PROCESS Process *player = NULL;
        char *reply;

        gateway_stage_start(fixture->stage);
        player = gateway_stage_start_service(fixture->stage, FAMILY ".a", NULL);
        mqtt_mirror_expect_text(fixture->mirror, "player.a/$state", "\"state\":\"ready\"");
        reply = mqtt_client_call(fixture->stage->client, &request);
        expect_no_player(fixture, "player.a");
        return reply;
}

/* It releases its name, and answers then. */
static void test_last_answer_arrives(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *reply = call_last(fixture, "GiveUp");

        rpc_reply_assert_result(reply, "null");
}

static void test_last_call_of_a_dying_one_fails(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *reply = call_last(fixture, "Die");

        g_assert_nonnull(strstr(reply, "\"error\""));
}

/* What the gateway says of itself. */
static void test_family_is_listed(Fixture *fixture, gconstpointer unused)
{
        MqttRequest request = {.service = "gateway", .method = "Services", .params = "[]"};
        static const char *const alice[] = {"--call", "gateway", NULL};
        CLEANUP_SCRIPTED_SERVICE ScriptedService *a = start_player(fixture, FAMILY ".a", 1);
        g_autofree char *reply = NULL;

        broker_add_user(fixture->stage->broker, "alice", "secret of alice", alice);
        gateway_stage_start(fixture->stage);
        expect_player(fixture, "player.a", "1");
        reply = mqtt_client_call(fixture->stage->client, &request);
        g_assert_nonnull(strstr(reply, "{\"name\":\"player.{name}\",\"state\":\"watching\""));
        g_assert_nonnull(strstr(reply, "{\"name\":\"player.a\",\"state\":\"running\""));
}

/* ---- who has a name ---- */

static void test_exact_mapping_has_its_name(Fixture *fixture, gconstpointer unused)
{
        CLEANUP_SCRIPTED_SERVICE ScriptedService *a = start_player(fixture, FAMILY ".a", 1);
        CLEANUP_SCRIPTED_SERVICE ScriptedService *b = start_player(fixture, FAMILY ".b", 2);
        g_autofree char *path = g_build_filename(fixture->stage->mappings, "special.json", NULL);
        g_autofree char *state = NULL;

        gateway_stage_start(fixture->stage);
        expect_player(fixture, "player.a", "1");
        expect_player(fixture, "player.b", "2");
        state = g_strdup(mqtt_mirror_get(fixture->mirror, "player.a/$state"));
        /* a file comes that names one of them */
        gateway_stage_add_mapping(fixture->stage, "special", FAMILY ".b", "", objects);
        reload(fixture);
        mqtt_mirror_expect_text(fixture->mirror, "special/$state", "\"state\":\"ready\"");
        mqtt_mirror_expect(fixture->mirror, "special/-/prop/Level", "2");
        expect_no_player(fixture, "player.b");
        /* and goes */
        g_assert_cmpint(g_unlink(path), ==, 0);
        reload(fixture);
        expect_player(fixture, "player.b", "2");
        expect_no_player(fixture, "special");
        g_assert_cmpstr(mqtt_mirror_get(fixture->mirror, "player.a/$state"), ==, state);
}

static void test_longer_names_are_members_too(Fixture *fixture, gconstpointer unused)
{
        CLEANUP_SCRIPTED_SERVICE ScriptedService *a =
                start_player(fixture, FAMILY ".a.instance7", 1);
        CLEANUP_SCRIPTED_SERVICE ScriptedService *other = start_player(fixture, FAMILY, 2);
        CLEANUP_SCRIPTED_SERVICE ScriptedService *foreign = start_player(fixture, FAMILY "s.a", 3);

        gateway_stage_start(fixture->stage);
        expect_player(fixture, "player.a.instance7", "1");
        g_assert_cmpuint(mqtt_mirror_count_retained(fixture->mirror, "player.a/"), ==, 0);
        g_assert_cmpuint(mqtt_mirror_count_retained(fixture->mirror, "player.s"), ==, 0);
}

static void test_too_many_names(Fixture *fixture, gconstpointer unused)
{
        CLEANUP_SCRIPTED_SERVICE ScriptedService *all = new_player(fixture, 1);

        gateway_stage_start(fixture->stage);
        for (int i = 0; i < TOO; i++) {
                g_autofree char *name = g_strdup_printf(FAMILY ".n%d", i);

                scripted_service_own(all, name);
        }
        g_assert_true(gateway_process_wait_notify(
                fixture->stage->gateway,
                "STATUS=64 services; MQTT connected, D-Bus connected (65 of 65)", WAIT_MSEC));
        expect_player(fixture, "player.n63", "1");
        expect_logged(fixture, "more than 64 names " FAMILY ".*");
        g_assert_cmpuint(mqtt_mirror_count_retained(fixture->mirror, "player.n64/"), ==, 0);
        /* there is room for one more when one goes */
        scripted_service_release(all, FAMILY ".n3");
        expect_no_player(fixture, "player.n3");
        expect_player(fixture, "player.n64", "1");
        g_assert_cmpuint(mqtt_mirror_count_retained(fixture->mirror, "player.n65/"), ==, 0);
}

/* ---- starting ---- */

static void test_startable_members_are_there(Fixture *fixture, gconstpointer unused)
{
        MqttRequest request = {
                .service = "player.a", .object = "calls", .method = "GiveUp", .params = "[]"};
        g_autofree char *command = gateway_stage_dup_command(FAMILY ".a");
        g_autofree char *reply = NULL;

        dbus_daemon_add_service(fixture->stage->bus, FAMILY ".a", command);
        gateway_stage_start(fixture->stage);
        mqtt_mirror_expect_text(fixture->mirror, "player.a/$state", "\"running\":false");
        mqtt_mirror_expect_text(fixture->mirror, "player.a/$state", "\"state\":\"ready\"");
        reply = mqtt_client_call(fixture->stage->client, &request);
        rpc_reply_assert_result(reply, "null");
        mqtt_mirror_expect_text(fixture->mirror, "player.a/$state", "\"running\":false");
}

/* ---- after a while away ---- */

static void test_what_has_gone_with_the_bus(Fixture *fixture, gconstpointer unused)
{
        CLEANUP_SCRIPTED_SERVICE ScriptedService *a = start_player(fixture, FAMILY ".a", 1);
        CLEANUP_SCRIPTED_SERVICE ScriptedService *b = start_player(fixture, FAMILY ".b", 2);

        gateway_stage_start(fixture->stage);
        expect_player(fixture, "player.a", "1");
        expect_player(fixture, "player.b", "2");
        dbus_daemon_stop(fixture->stage->bus);
        mqtt_mirror_expect_text(fixture->mirror, "player.a/$state", "\"state\":\"offline\"");
        dbus_daemon_start(fixture->stage->bus);
        scripted_service_reconnect(a, fixture->stage->bus);
        scripted_service_own(a, FAMILY ".a");
        expect_player(fixture, "player.a", "1");
        expect_no_player(fixture, "player.b");
}

static void test_what_a_killed_gateway_has_left(Fixture *fixture, gconstpointer unused)
{
        CLEANUP_SCRIPTED_SERVICE ScriptedService *a = start_player(fixture, FAMILY ".a", 1);
        CLEANUP_SCRIPTED_SERVICE ScriptedService *b = start_player(fixture, FAMILY ".b", 2);

        gateway_stage_start(fixture->stage);
        expect_player(fixture, "player.a", "1");
        expect_player(fixture, "player.b", "2");
        gateway_process_kill(fixture->stage->gateway);
        fixture->stage->gateway = gateway_process_free(fixture->stage->gateway);
        mqtt_mirror_expect_text(fixture->mirror, "gateway/$state", "\"state\":\"lost\"");
        scripted_service_disconnect(b);
        scripted_service_set(a, PATH, FACE, "Level", g_variant_new_int32(4));
        gateway_stage_start(fixture->stage);
        expect_player(fixture, "player.a", "4");
        expect_no_player(fixture, "player.b");
        call_do(fixture, "player.a");
}

#define ADD(name, test, activate) \
        g_test_add("/families/" name, Fixture, activate, set_up, test, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD("come-and-go", test_members_come_and_go, NULL);
        ADD("description", test_description_names_the_member, NULL);
        ADD("hand-over", test_name_may_change_hands, NULL);
        ADD("last-answer", test_last_answer_arrives, NULL);
        ADD("dying", test_last_call_of_a_dying_one_fails, NULL);
        ADD("listed", test_family_is_listed, NULL);
        ADD("exact-mapping", test_exact_mapping_has_its_name, NULL);
        ADD("longer-names", test_longer_names_are_members_too, NULL);
        ADD("too-many", test_too_many_names, NULL);
        ADD("startable", test_startable_members_are_there, "activate");
        ADD("bus-away", test_what_has_gone_with_the_bus, NULL);
        ADD("killed-gateway", test_what_a_killed_gateway_has_left, NULL);
        return g_test_run();
}
