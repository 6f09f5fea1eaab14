/* SPDX-License-Identifier: MIT */

/* A service that either side may provide: who has it. */

#include <string.h>
#include <unistd.h>

#include "tests/integration/provider-fixture.h"
#include "tests/support/rpc-reply.h"
#include "tests/support/scripted-service.h"
#include "tests/support/wait.h"

#define NAME PROVIDER_NAME

/* ---- there and back ---- */

static void test_moves_there_and_back(ProviderFixture *f, gconstpointer unused)
{
        provider_start_dbus(f, "plain");
        gateway_stage_start(f->stage);
        provider_expect_provider(f, "dbus");
        mqtt_mirror_expect_text(f->mirror, "move/$state", "\"state\":\"ready\"");
        provider_assert_sides(f, "dbus", "dbus");
        provider_expect_status(f, "\"state\":\"dbus\"");
        /* the new one comes, the old one goes: nobody else can have the name in between */
        provider_mark_log(f);
        provider_start_mqtt(f);
        provider_expect_conflict(f);
        provider_assert_sides(f, "dbus", "mqtt");
        provider_expect_status(f, "\"state\":\"conflict\"");
        mqtt_mirror_expect_text(f->mirror, "gateway/$state", "\"conflicts\":[\"move\"]");
        provider_forget_owners(f);
        provider_stop(&f->dbus);
        provider_expect_provider(f, "mqtt");
        provider_assert_sides(f, "mqtt", "mqtt");
        provider_check_never_free(f);
        provider_expect_status(f, "\"state\":\"mqtt\"");
        while (strstr(mqtt_mirror_get(f->mirror, "gateway/$state"), "conflicts"))
                g_assert_true(mqtt_mirror_turn(f->mirror));
        /* and back, as a daemon does that can only fail if somebody has its name */
        provider_mark_log(f);
        provider_release(f);
        provider_expect_provider(f, "released");
        provider_start_dbus(f, "plain");
        provider_expect_provider(f, "dbus");
        mqtt_mirror_expect(f->mirror, "move/-/prop/Side", "\"dbus\"");
        mqtt_mirror_expect_text(f->mirror, "move/$state", "\"state\":\"ready\"");
        provider_assert_sides(f, "dbus", "dbus");
        provider_stop(&f->mqtt);
        provider_assert_sides(f, "dbus", "dbus");
}

static void test_native_alone(ProviderFixture *f, gconstpointer unused)
{
        provider_start_mqtt(f);
        gateway_stage_start(f->stage);
        provider_expect_provider(f, "mqtt");
        provider_assert_sides(f, "mqtt", "mqtt");
        provider_mark_log(f);
        provider_stop(&f->mqtt);
        provider_expect_provider(f, "none");
        g_assert_true(dbus_daemon_wait_name(f->stage->bus, NAME, false, WAIT_MSEC));
}

/* Without a last word, the name is kept: the bus shall not start a daemon for it. */
static void test_lost_service_keeps_its_name(ProviderFixture *f, gconstpointer unused)
{
        g_autofree char *error = NULL;

        provider_start_mqtt(f);
        gateway_stage_start(f->stage);
        provider_expect_provider(f, "mqtt");
        provider_mark_log(f);
        process_kill(f->mqtt);
        provider_expect_provider(f, "held");
        error = provider_ask_dbus(f);
        g_assert_cmpstr(error, ==, "org.freedesktop.DBus.Error.ServiceUnknown");
        g_assert_true(dbus_daemon_wait_name(f->stage->bus, NAME, true, WAIT_MSEC));
        f->mqtt = process_free(f->mqtt);
        provider_start_mqtt(f);
        provider_expect_provider(f, "mqtt");
        provider_assert_sides(f, "mqtt", "mqtt");
}

static void test_lost_service_may_release_its_name(ProviderFixture *f, gconstpointer unused)
{
        provider_start_mqtt(f);
        gateway_stage_start(f->stage);
        provider_expect_provider(f, "mqtt");
        provider_mark_log(f);
        process_kill(f->mqtt);
        provider_expect_provider(f, "none");
        g_assert_true(dbus_daemon_wait_name(f->stage->bus, NAME, false, WAIT_MSEC));
        provider_start_dbus(f, "plain");
        provider_expect_provider(f, "dbus");
        mqtt_mirror_expect(f->mirror, "move/-/prop/Side", "\"dbus\"");
        provider_assert_sides(f, "dbus", "dbus");
}

/* ---- daemons that want their name back ---- */

static void check_daemon_gets_its_name(ProviderFixture *f, const char *way)
{
        provider_start_mqtt(f);
        gateway_stage_start(f->stage);
        provider_expect_provider(f, "mqtt");
        provider_mark_log(f);
        provider_forget_owners(f);
        provider_start_dbus(f, way);
        provider_expect_provider(f, "dbus");
        mqtt_mirror_expect(f->mirror, "move/-/prop/Side", "\"dbus\"");
        provider_assert_sides(f, "dbus", "dbus");
        provider_check_never_free(f);
        /* the native one waits in its turn */
        provider_mark_log(f);
        provider_stop(&f->dbus);
        provider_expect_provider(f, "mqtt");
        provider_assert_sides(f, "mqtt", "mqtt");
}

static void test_daemon_replaces(ProviderFixture *f, gconstpointer unused)
{
        check_daemon_gets_its_name(f, "replace");
}

static void test_daemon_queues(ProviderFixture *f, gconstpointer unused)
{
        check_daemon_gets_its_name(f, "queue");
}

/* ---- a daemon that does neither ---- */

#define UNIT_PATH   "/org/freedesktop/systemd1/unit/legacy_2eservice"
#define ALIAS_PATH  "/org/freedesktop/systemd1/unit/dbus_2dorg_2eexample_2eMove_2eservice"
#define UNIT_FACE   "org.freedesktop.systemd1.Unit"
#define FOLLOWED    "move: its daemon is legacy.service"
#define START_FAILS "move: conflict: legacy.service was started and has failed"

/* The service manager, with one unit, whose alias is what activation files name. */
static ScriptedService *start_manager(ProviderFixture *f)
{
        ScriptedService *manager = scripted_service_new(f->stage->bus);

        scripted_service_set(manager, ALIAS_PATH, UNIT_FACE, "Id",
                             g_variant_new_string("legacy.service"));
        scripted_service_own(manager, "org.freedesktop.systemd1");
        return manager;
}

static void tell_unit(ScriptedService *manager, const char *property, const char *state)
{
        scripted_service_set(manager, UNIT_PATH, UNIT_FACE, property, g_variant_new_string(state));
        scripted_service_tell(manager, UNIT_PATH, UNIT_FACE, property, false);
}

/* Its unit fails: what holds is that who has the name keeps it, and everybody is told. */
static void test_daemon_fails_to_start(ProviderFixture *f, gconstpointer unused)
{
        CLEANUP_SCRIPTED_SERVICE ScriptedService *manager = start_manager(f);

        provider_start_dbus(f, "plain");
        gateway_stage_start(f->stage);
        provider_expect_logged(f, FOLLOWED);
        g_assert_cmpuint(scripted_service_count(manager, "Subscribe"), ==, 1);
        provider_start_mqtt(f);
        provider_expect_conflict(f);
        /* stopped, it may also end badly: that is not what is meant */
        tell_unit(manager, "ActiveState", "deactivating");
        provider_stop(&f->dbus);
        provider_expect_provider(f, "mqtt");
        tell_unit(manager, "ActiveState", "failed");
        provider_assert_sides(f, "mqtt", "mqtt");
        provider_expect_status(f, "\"state\":\"mqtt\"");
        /* started without a release */
        tell_unit(manager, "ActiveState", "activating");
        tell_unit(manager, "ActiveState", "failed");
        provider_expect_logged(f, START_FAILS);
        provider_assert_sides(f, "mqtt", "mqtt");
        provider_expect_status(f, "\"state\":\"conflict\"");
        mqtt_mirror_expect_text(f->mirror, "gateway/$state", "\"conflicts\":[\"move\"]");
        /* which is what the message says to do */
        provider_release(f);
        provider_start_dbus(f, "plain");
        provider_expect_provider(f, "dbus");
        while (strstr(mqtt_mirror_get(f->mirror, "gateway/$state"), "conflicts"))
                g_assert_true(mqtt_mirror_turn(f->mirror));
        mqtt_mirror_expect(f->mirror, "move/-/prop/Side", "\"dbus\"");
        provider_assert_sides(f, "dbus", "dbus");
}

/* One that is tried again and again; then somebody disables it. */
static void test_daemon_is_restarted_in_vain(ProviderFixture *f, gconstpointer unused)
{
        CLEANUP_SCRIPTED_SERVICE ScriptedService *manager = start_manager(f);

        provider_start_mqtt(f);
        gateway_stage_start(f->stage);
        provider_expect_logged(f, FOLLOWED);
        provider_expect_provider(f, "mqtt");
        g_assert_cmpuint(scripted_service_count(manager, "Subscribe"), ==, 1);
        tell_unit(manager, "ActiveState", "active");
        tell_unit(manager, "SubState", "auto-restart");
        provider_expect_logged(f, START_FAILS);
        tell_unit(manager, "ActiveState", "activating");
        provider_expect_status(f, "\"state\":\"conflict\"");
        provider_mark_log(f);
        tell_unit(manager, "ActiveState", "inactive");
        provider_expect_provider(f, "mqtt");
        provider_expect_status(f, "\"state\":\"mqtt\"");
}

/* The name comes back when no daemon takes it. */
static void test_release_ends(ProviderFixture *f, gconstpointer unused)
{
        g_autofree char *reply = NULL;

        provider_start_mqtt(f);
        gateway_stage_start(f->stage);
        provider_expect_provider(f, "mqtt");
        provider_mark_log(f);
        reply = provider_ask_gateway(f, "Release", "[\"" NAME "\",1]");
        rpc_reply_assert_result(reply, "null");
        provider_expect_provider(f, "released");
        g_assert_true(dbus_daemon_wait_name(f->stage->bus, NAME, false, WAIT_MSEC));
        provider_expect_logged(f, "no daemon has taken " NAME);
        provider_expect_provider(f, "mqtt");
        provider_assert_sides(f, "mqtt", "mqtt");
}

static void test_release_is_refused(ProviderFixture *f, gconstpointer unused)
{
        static const struct {
                const char *params, *text;
        } rows[] = {
                {"[\"nothing\",60]", "the gateway serves no 'nothing'"},
                {"[\"other\",60]", "'other' is provided by D-Bus"},
                {"[\"move\",0]", "for 1 to 3600 seconds"},
                {"[\"move\",3601]", "for 1 to 3600 seconds"},
        };

        gateway_stage_add_mapping(f->stage, "other", "org.example.Other", "", provider_objects);
        gateway_stage_start(f->stage);
        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *reply = provider_ask_gateway(f, "Release", rows[i].params);

                g_assert_nonnull(strstr(reply, "\"error\""));
                if (!strstr(reply, rows[i].text))
                        g_error("%s: %s", rows[i].params, reply);
        }
}

/* ---- who uses it ---- */

/* Clients of D-Bus, by what they run: when there are none left, the name can go. */
static void test_users_are_counted(ProviderFixture *f, gconstpointer unused)
{
        g_autofree char *process = NULL, *reply = NULL;

        provider_start_mqtt(f);
        gateway_stage_start(f->stage);
        provider_expect_provider(f, "mqtt");
        provider_assert_sides(f, "mqtt", "mqtt");
        reply = provider_ask_gateway(f, "Service", "[\"move\"]");
        g_assert_nonnull(strstr(reply, "\"side\":\"dbus\""));
        g_assert_nonnull(strstr(reply, "\"member\":\"Mark\",\"count\":1"));
        process = g_strdup_printf("[%d], uid %d\"", (int)getpid(), (int)getuid());
        if (!strstr(reply, process))
                g_error("no %s in %s", process, reply);
}

/* ---- who was first ---- */

/* Nobody knows who came last: the MQTT service stays, and the daemon keeps its name. */
static void test_gateway_comes_last(ProviderFixture *f, gconstpointer unused)
{
        provider_start_dbus(f, "plain");
        g_assert_true(dbus_daemon_wait_name(f->stage->bus, NAME, true, WAIT_MSEC));
        provider_start_mqtt(f);
        mqtt_mirror_expect_text(f->mirror, "move/$state", "\"state\":\"ready\"");
        gateway_stage_start(f->stage);
        provider_expect_conflict(f);
        provider_assert_sides(f, "dbus", "mqtt");
        /* one of them goes */
        provider_mark_log(f);
        provider_stop(&f->mqtt);
        provider_expect_provider(f, "dbus");
        mqtt_mirror_expect(f->mirror, "move/-/prop/Side", "\"dbus\"");
        mqtt_mirror_expect_text(f->mirror, "move/$state", "\"state\":\"ready\"");
        provider_assert_sides(f, "dbus", "dbus");
}

static void test_gateway_restarts(ProviderFixture *f, gconstpointer unused)
{
        provider_start_mqtt(f);
        gateway_stage_start(f->stage);
        provider_expect_provider(f, "mqtt");
        f->stage->gateway = gateway_process_free(f->stage->gateway);
        g_assert_true(dbus_daemon_wait_name(f->stage->bus, NAME, false, WAIT_MSEC));
        gateway_stage_start(f->stage);
        provider_expect_provider(f, "mqtt");
        provider_assert_sides(f, "mqtt", "mqtt");
}

static void test_buses_restart(ProviderFixture *f, gconstpointer unused)
{
        provider_start_mqtt(f);
        gateway_stage_start(f->stage);
        provider_expect_provider(f, "mqtt");
        provider_mark_log(f);
        dbus_daemon_stop(f->stage->bus);
        provider_expect_provider(f, "taking-over");
        dbus_daemon_start(f->stage->bus);
        provider_expect_provider(f, "mqtt");
        g_clear_object(&f->client);
        f->client = dbus_daemon_connect(f->stage->bus);
        provider_mark_log(f);
        broker_stop(f->stage->broker);
        broker_start(f->stage->broker);
        mqtt_mirror_free(f->mirror);
        f->mirror = mqtt_mirror_new(f->stage->broker, "alice");
        mqtt_client_reconnect(f->stage->client);
        provider_expect_provider(f, "mqtt");
        mqtt_mirror_expect_text(f->mirror, "move/$state", "\"state\":\"ready\"");
        provider_assert_sides(f, "mqtt", "mqtt");
}

/* A daemon that could be started does not supersede a service that runs. */
static void test_startable_daemon_waits(ProviderFixture *f, gconstpointer unused)
{
        g_autofree char *text = g_strdup_printf(
                "{\"service\":\"move\",\"provider\":\"auto\",\"dbus\":{\"name\":\"" NAME
                "\",\"activate\":true},\"objects\":%s}",
                provider_objects);
        g_autofree char *reply = NULL;

        provider_add_legacy(f);
        g_free(gateway_stage_write(f->stage, "move.json", text));
        provider_start_mqtt(f);
        mqtt_mirror_expect_text(f->mirror, "move/$state", "\"state\":\"ready\"");
        gateway_stage_start(f->stage);
        provider_expect_provider(f, "mqtt");
        provider_assert_sides(f, "mqtt", "mqtt");
        provider_mark_log(f);
        provider_stop(&f->mqtt);
        provider_expect_provider(f, "none");
        mqtt_mirror_expect_text(f->mirror, "move/$state", "\"running\":false");
        reply = gateway_stage_call(f->stage, "move", "Mark", "[0]");
        rpc_reply_assert_result(reply, "\"dbus\"");
        provider_expect_provider(f, "dbus");
        provider_start_mqtt(f);
        provider_expect_conflict(f);
}

#define ADD(name, test, more)                                                       \
        g_test_add("/provider/" name, ProviderFixture, more, provider_set_up, test, \
                   provider_tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD("there-and-back", test_moves_there_and_back, NULL);
        ADD("native-alone", test_native_alone, NULL);
        ADD("lost-keeps", test_lost_service_keeps_its_name, NULL);
        ADD("lost-releases", test_lost_service_may_release_its_name, "\"release_when_lost\":true,");
        ADD("replaces", test_daemon_replaces, NULL);
        ADD("queues", test_daemon_queues, NULL);
        ADD("fails-to-start", test_daemon_fails_to_start, NULL);
        ADD("restarted-in-vain", test_daemon_is_restarted_in_vain, NULL);
        ADD("release-ends", test_release_ends, NULL);
        ADD("release-is-refused", test_release_is_refused, NULL);
        ADD("users", test_users_are_counted, NULL);
        ADD("gateway-comes-last", test_gateway_comes_last, NULL);
        ADD("gateway-restarts", test_gateway_restarts, NULL);
        ADD("buses-restart", test_buses_restart, NULL);
        ADD("startable", test_startable_daemon_waits, NULL);
        return g_test_run();
}
