/* SPDX-License-Identifier: MIT */

/* Trap 26: what a gateway shows on MQTT another one would offer on D-Bus, and the other way round.
 * Two gateways between one bus and one broker have the mapping of provider-fixture.h; the second
 * has its D-Bus side from the name that the first one's facade owns. */

#include <string.h>

#include "tests/integration/provider-fixture.h"
#include "tests/support/rpc-reply.h"
#include "tests/support/wait.h"

#define LOOP "move: loop: " PROVIDER_NAME " is what a gateway offers on D-Bus"

typedef struct Fixture {
        ProviderFixture base; /* with the gateway that offers the service on D-Bus */
        char *mappings;       /* of the other one */
        char *config;
        GatewayProcess *other;
} Fixture;

static void write_file(const char *folder, const char *name, const char *text)
{
        g_autofree char *path = g_build_filename(folder, name, NULL);
        GError *error = NULL;

        g_file_set_contents(path, text, -1, &error);
        g_assert_no_error(error);
}

/* The mapping, with another provider. */
static void write_mapping(const char *folder, const char *provider)
{
        g_autofree char *text =
                g_strdup_printf("{\"service\":\"move\",\"dbus\":{\"name\":\"" PROVIDER_NAME
                                "\"},\"provider\":\"%s\",\"objects\":%s}",
                                provider, provider_objects);

        write_file(folder, "move.json", text);
}

static void set_up(Fixture *f, gconstpointer provider)
{
        static const char *const watcher[] = {"--gateway", "--service", "watcher", "--service",
                                              "move",      "--rpc",     "move/+",  NULL};
        static const char *const alice[] = {"--rpc", "move/+",    "--rpc", "gateway/+",
                                            "--rpc", "watcher/+", NULL};

        provider_set_up(&f->base, NULL);
        broker_add_user(f->base.stage->broker, "watcher", "secret of watcher", watcher);
        broker_add_user(f->base.stage->broker, "alice", "secret of alice", alice);
        write_mapping(f->base.stage->mappings, "mqtt");
        f->mappings = temp_dir_make(f->base.stage->dir, "other");
        write_mapping(f->mappings, provider);
        f->config = temp_dir_write(f->base.stage->dir, "watcher.json", "{\"name\":\"watcher\"}");
}

static void tear_down(Fixture *f, gconstpointer unused)
{
        gateway_process_free(f->other);
        provider_tear_down(&f->base, NULL);
        g_free(f->mappings);
        g_free(f->config);
}

static void start_other(Fixture *f)
{
        GatewayStage *stage = f->base.stage;
        g_autofree char *password_file = broker_get_password_file(stage->broker, "watcher");
        GatewayOptions options = {
                .broker = broker_get_uri(stage->broker),
                .user = "watcher",
                .password_file = password_file,
                .bus = dbus_daemon_get_address(stage->bus),
                .mappings = f->mappings,
                .config = f->config,
        };

        f->other = gateway_process_start(stage->dir, &options);
        g_assert_true(gateway_process_wait_notify(f->other, "READY=1", WAIT_MSEC));
}

static void expect_other_logged(Fixture *f, const char *text)
{
        if (!process_wait_output(gateway_process_get_process(f->other), PROCESS_STDERR, text,
                                 WAIT_MSEC))
                g_error("the other gateway does not say '%s'", text);
}

/* It tells of the loop wherever a person would look, and nothing has changed for anybody. */
static void check_broken(Fixture *f)
{
        g_autofree char *status = NULL;

        expect_other_logged(f, LOOP);
        mqtt_mirror_expect_text(f->base.mirror, "watcher/$state", "\"conflicts\":[\"move\"]");
        status = gateway_stage_call(f->base.stage, "watcher", "Service", "[\"move\"]");
        g_assert_nonnull(strstr(status, "\"state\":\"loop\""));
        provider_assert_sides(&f->base, "mqtt", "mqtt");
        mqtt_mirror_expect_text(f->base.mirror, "move/$state", "\"state\":\"ready\"");
}

/* The name is a facade already when the other gateway comes. */
static void test_facade_is_not_shown(Fixture *f, gconstpointer unused)
{
        ProviderFixture *base = &f->base;
        g_autofree char *state = NULL;

        provider_start_mqtt(base);
        gateway_stage_start(base->stage);
        provider_expect_logged(base, PROVIDER_NAME " on D-Bus is serving\n");
        provider_assert_sides(base, "mqtt", "mqtt");
        mqtt_mirror_expect_text(base->mirror, "move/$state", "\"state\":\"ready\"");
        state = g_strdup(mqtt_mirror_get(base->mirror, "move/$state"));
        provider_mark_log(base);
        start_other(f);
        check_broken(f);
        g_assert_cmpstr(mqtt_mirror_get(base->mirror, "move/$state"), ==, state);
        /* what the native service had retained is still there when the other gateway goes */
        gateway_process_stop(f->other);
        f->other = gateway_process_free(f->other);
        mqtt_mirror_expect_text(base->mirror, "watcher/$state", "\"state\":\"offline\"");
        provider_assert_sides(base, "mqtt", "mqtt");
        g_assert_cmpstr(mqtt_mirror_get(base->mirror, "move/$state"), ==, state);
}

/* It becomes one while the other gateway looks. */
static void test_name_becomes_a_facade(Fixture *f, gconstpointer unused)
{
        ProviderFixture *base = &f->base;

        gateway_stage_start(base->stage);
        start_other(f);
        provider_start_mqtt(base);
        check_broken(f);
}

/* A daemon is shown by the one gateway, and the other one does not offer it; when the native
 * service has come and the daemon has gone, it is the other way round. */
static void test_daemon_gives_way_to_a_facade(Fixture *f, gconstpointer unused)
{
        ProviderFixture *base = &f->base;

        provider_start_dbus(base, "plain");
        gateway_stage_start(base->stage);
        start_other(f);
        mqtt_mirror_expect(base->mirror, "move/-/prop/Side", "\"dbus\"");
        mqtt_mirror_expect_text(base->mirror, "move/$state", "\"state\":\"ready\"");
        provider_assert_sides(base, "dbus", "dbus");
        provider_expect_logged(base, "move: the MQTT service is what D-Bus has as " PROVIDER_NAME);
        provider_start_mqtt(base);
        mqtt_mirror_expect(base->mirror, "move/-/prop/Side", "\"mqtt\"");
        provider_stop(&base->dbus);
        check_broken(f);
}

/* When the facade has gone for good, a daemon of that name is shown again. */
static void test_daemon_comes_after_the_loop(Fixture *f, gconstpointer unused)
{
        ProviderFixture *base = &f->base;

        provider_start_mqtt(base);
        gateway_stage_start(base->stage);
        start_other(f);
        check_broken(f);
        gateway_process_stop(base->stage->gateway);
        provider_stop(&base->mqtt);
        provider_start_dbus(base, "plain");
        mqtt_mirror_expect(base->mirror, "move/-/prop/Side", "\"dbus\"");
        mqtt_mirror_expect_text(base->mirror, "move/$state", "\"state\":\"ready\"");
        while (strstr(mqtt_mirror_get(base->mirror, "watcher/$state"), "conflicts"))
                g_assert_true(mqtt_mirror_turn(base->mirror));
        provider_assert_sides(base, "dbus", "dbus");
}

/* Both directions in one gateway are seen when the files are read. */
static void test_refused_at_load(Fixture *f, gconstpointer unused)
{
        ProviderFixture *base = &f->base;
        g_autofree char *text =
                g_strdup_printf("{\"service\":\"moved\",\"dbus\":{\"name\":\"" PROVIDER_NAME
                                "\"},\"provider\":\"dbus\",\"objects\":%s}",
                                provider_objects);

        write_file(base->stage->mappings, "moved.json", text);
        gateway_stage_start_gateway(base->stage, 0);
        provider_expect_logged(base, "moved.json");
        provider_expect_logged(base, "1 mapping files have errors and are left out");
}

#define ADD(name, test, provider) \
        g_test_add("/gateway-loops/" name, Fixture, provider, set_up, test, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD("facade", test_facade_is_not_shown, "dbus");
        ADD("facade-auto", test_facade_is_not_shown, "auto");
        ADD("becomes", test_name_becomes_a_facade, "dbus");
        ADD("gives-way", test_daemon_gives_way_to_a_facade, "dbus");
        ADD("daemon-after", test_daemon_comes_after_the_loop, "dbus");
        ADD("at-load", test_refused_at_load, "dbus");
        return g_test_run();
}
