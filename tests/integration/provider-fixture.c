/* SPDX-License-Identifier: MIT */

#include "tests/integration/provider-fixture.h"

#include <string.h>

#include "tests/support/rpc-reply.h"
#include "tests/support/wait.h"

#define NAME PROVIDER_NAME
#define PATH PROVIDER_PATH

const char provider_objects[] =
        "[{\"path\":\"" PATH "\",\"interfaces\":{\"" NAME "\":{\"methods\":{\"Mark\":{\"in\":"
        "[\"n:u\"],\"out\":[\"side:s\"]}},\"properties\":{\"Side\":{\"type\":\"s\"}}}}}]";

static void on_owner(GDBusConnection *connection, const char *sender, const char *path,
                     const char *interface, const char *member, GVariant *arguments,
                     gpointer userdata)
{
        ProviderFixture *f = userdata;
        const char *new_owner;

        g_variant_get(arguments, "(&s&s&s)", NULL, NULL, &new_owner);
        g_ptr_array_add(f->owners, g_strdup(new_owner));
}

void provider_set_up(ProviderFixture *f, gconstpointer more)
{
        static const char *const gateway[] = {"--gateway", "--service", "move",
                                              "--rpc",     "move/+",    NULL};
        static const char *const native[] = {"--service", "move", NULL};
        static const char *const alice[] = {"--rpc", "move/+", "--rpc", "gateway/+", NULL};
        static const char *const admin[] = {"--rpc", "gateway/+", NULL};
        g_autofree char *settings = NULL;

        f->stage = gateway_stage_new();
        broker_add_user(f->stage->broker, "gateway", "secret of the gateway", gateway);
        broker_add_user(f->stage->broker, "native", "secret of native", native);
        broker_add_user(f->stage->broker, "alice", "secret of alice", alice);
        broker_add_user(f->stage->broker, "admin", "secret of admin", admin);
        settings = g_strdup_printf("\"provider\":\"auto\",%s", more ? (const char *)more : "");
        gateway_stage_add_mapping(f->stage, "move", NAME, settings, provider_objects);
        broker_start(f->stage->broker);
        dbus_daemon_start(f->stage->bus);
        f->marks = temp_dir_build(f->stage->dir, "marks");
        f->mirror = mqtt_mirror_new(f->stage->broker, "alice");
        f->client = dbus_daemon_connect(f->stage->bus);
        f->owners = g_ptr_array_new_with_free_func(g_free);
        f->subscription = g_dbus_connection_signal_subscribe(
                f->client, "org.freedesktop.DBus", "org.freedesktop.DBus", "NameOwnerChanged", NULL,
                NAME, G_DBUS_SIGNAL_FLAGS_NONE, on_owner, f, NULL);
}

void provider_tear_down(ProviderFixture *f, gconstpointer unused)
{
        g_dbus_connection_signal_unsubscribe(f->client, f->subscription);
        g_clear_object(&f->client);
        mqtt_mirror_free(f->mirror);
        process_free(f->dbus);
        process_free(f->mqtt);
        gateway_stage_free(f->stage);
        g_ptr_array_unref(f->owners);
        g_free(f->marks);
}

/* ---- the service ---- */

void provider_start_dbus(ProviderFixture *f, const char *way)
{
        const char *argv[] = {MQTTRPC_MOVING_SERVICE,
                              f->marks,
                              "dbus",
                              dbus_daemon_get_address(f->stage->bus),
                              NAME,
                              way,
                              NULL};

        f->dbus = process_start(f->stage->dir, "legacy", argv, NULL);
}

/* The bus can start it. */
void provider_add_legacy(ProviderFixture *f)
{
        g_autofree char *command =
                g_strdup_printf("%s %s dbus %s " NAME " plain", MQTTRPC_MOVING_SERVICE, f->marks,
                                dbus_daemon_get_address(f->stage->bus));

        dbus_daemon_add_service(f->stage->bus, NAME, command);
        dbus_daemon_reload(f->stage->bus);
}

void provider_start_mqtt(ProviderFixture *f)
{
        const char *argv[] = {MQTTRPC_MOVING_SERVICE,
                              f->marks,
                              "mqtt",
                              broker_get_uri(f->stage->broker),
                              "native",
                              "secret of native",
                              "move",
                              NULL};

        f->mqtt = process_start(f->stage->dir, "native", argv, NULL);
}

void provider_stop(Process **process)
{
        g_assert_cmpint(process_stop(*process), ==, 0);
        *process = process_free(*process);
}

/* ---- what is seen ---- */

void provider_expect_logged(ProviderFixture *f, const char *text)
{
        if (!process_wait_output(gateway_process_get_process(f->stage->gateway), PROCESS_STDERR,
                                 text, WAIT_MSEC))
                g_error("the gateway does not say '%s'", text);
}

/* From now on. */
void provider_mark_log(ProviderFixture *f)
{
        process_mark_output(gateway_process_get_process(f->stage->gateway), PROCESS_STDERR);
}

void provider_expect_provider(ProviderFixture *f, const char *state)
{
        g_autofree char *line = g_strdup_printf("move: provider: %s\n", state);

        provider_expect_logged(f, line);
}

void provider_expect_conflict(ProviderFixture *f)
{
        provider_expect_logged(f, "move: conflict: clients of MQTT have the MQTT service");
}

/* Who answers to a client of D-Bus; or the name of the error. */
char *provider_ask_dbus(ProviderFixture *f)
{
        g_autoptr(GError) error = NULL;
        g_autoptr(GVariant) result = NULL;
        char *side;

        result = g_dbus_connection_call_sync(
                f->client, NAME, PATH, NAME, "Mark", g_variant_new("(u)", 0), NULL,
                G_DBUS_CALL_FLAGS_NO_AUTO_START, WAIT_MSEC, NULL, &error);
        if (!result)
                return g_dbus_error_get_remote_error(error);
        g_variant_get(result, "(s)", &side);
        return side;
}

void provider_assert_sides(ProviderFixture *f, const char *on_dbus, const char *on_mqtt)
{
        g_autofree char *side = provider_ask_dbus(f);
        g_autofree char *expected = g_strdup_printf("\"%s\"", on_mqtt);
        g_autofree char *reply = gateway_stage_call(f->stage, "move", "Mark", "[0]");

        g_assert_cmpstr(side, ==, on_dbus);
        rpc_reply_assert_result(reply, expected);
        mqtt_mirror_expect(f->mirror, "move/-/prop/Side", expected);
}

/* What has come before an answer of the bus has come. */
void provider_forget_owners(ProviderFixture *f)
{
        g_free(provider_ask_dbus(f));
        while (g_main_context_iteration(NULL, FALSE))
                ;
        g_ptr_array_set_size(f->owners, 0);
}

static bool has_owner(void *userdata)
{
        ProviderFixture *f = userdata;

        return f->owners->len > 0;
}

/* The name has gone from one to another, without a moment in which nobody had it. */
void provider_check_never_free(ProviderFixture *f)
{
        g_assert_true(wait_until(has_owner, f, WAIT_MSEC));
        g_assert_cmpuint(f->owners->len, ==, 1);
        g_assert_cmpstr(f->owners->pdata[0], !=, "");
}

char *provider_ask_gateway(ProviderFixture *f, const char *method, const char *params)
{
        return gateway_stage_call(f->stage, "gateway", method, params);
}

void provider_expect_status(ProviderFixture *f, const char *text)
{
        g_autofree char *reply = provider_ask_gateway(f, "Service", "[\"move\"]");

        if (!strstr(reply, text))
                g_error("the status does not say %s: %s", text, reply);
}

void provider_release(ProviderFixture *f)
{
        g_autofree char *reply = provider_ask_gateway(f, "Release", "[\"move\",60]");

        rpc_reply_assert_result(reply, "null");
}
