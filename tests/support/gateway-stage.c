/* SPDX-License-Identifier: MIT */

#include "tests/support/gateway-stage.h"

#include "tests/support/wait.h"

#include <string.h>

GatewayStage *gateway_stage_new(void)
{
        static const char *const gateway[] = {"--gateway", "--service", "test",
                                              "--service", "other",     NULL};
        static const char *const alice[] = {"--rpc", "test/+", "--rpc", "other/+", NULL};
        GatewayStage *stage = g_new0(GatewayStage, 1);

        stage->dir = temp_dir_new();
        stage->bus = dbus_daemon_new(stage->dir, DBUS_DAEMON_OPEN);
        stage->broker = broker_new(stage->dir);
        broker_add_user(stage->broker, "gateway", "secret of the gateway", gateway);
        broker_add_user(stage->broker, "alice", "secret of alice", alice);
        stage->mappings = temp_dir_make(stage->dir, "mappings");
        return stage;
}

GatewayStage *gateway_stage_free(GatewayStage *stage)
{
        if (!stage)
                return NULL;
        mqtt_client_free(stage->client);
        gateway_process_free(stage->gateway);
        broker_free(stage->broker);
        dbus_daemon_free(stage->bus);
        temp_dir_free(stage->dir);
        g_free(stage->mappings);
        g_free(stage->config);
        g_free(stage);
        return NULL;
}

/* ---- mappings ---- */

char *gateway_stage_write(GatewayStage *stage, const char *name, const char *text)
{
        char *path = g_build_filename(stage->mappings, name, NULL);
        GError *error = NULL;

        g_file_set_contents(path, text, -1, &error);
        g_assert_no_error(error);
        return path;
}

void gateway_stage_add_mapping(GatewayStage *stage, const char *service, const char *bus_name,
                               const char *more, const char *objects)
{
        g_autofree char *name = g_strdup_printf("%s.json", service);
        g_autofree char *text =
                g_strdup_printf("{ \"service\": \"%s\", \"dbus\": { \"name\": \"%s\" }, %s\n"
                                "  \"objects\": %s }\n",
                                service, bus_name, more, objects);

        g_free(gateway_stage_write(stage, name, text));
}

/* ---- life ---- */

void gateway_stage_start_gateway(GatewayStage *stage, unsigned watchdog_msec)
{
        g_autofree char *password_file = broker_get_password_file(stage->broker, "gateway");
        GatewayOptions options = {
                .broker = broker_get_uri(stage->broker),
                .password_file = password_file,
                .bus = dbus_daemon_get_address(stage->bus),
                .mappings = stage->mappings,
                .watchdog_msec = watchdog_msec,
                .config = stage->config,
                .unwatched = stage->unwatched,
        };

        g_assert_null(stage->gateway);
        stage->gateway = gateway_process_start(stage->dir, &options);
}

void gateway_stage_wait_ready(GatewayStage *stage)
{
        if (!gateway_process_wait_notify(stage->gateway, "READY=1", WAIT_MSEC))
                g_error("the gateway does not become ready");
}

void gateway_stage_start(GatewayStage *stage)
{
        if (!broker_get_process(stage->broker))
                broker_start(stage->broker);
        if (!dbus_daemon_get_process(stage->bus))
                dbus_daemon_start(stage->bus);
        if (!stage->gateway) {
                gateway_stage_start_gateway(stage, 0);
                gateway_stage_wait_ready(stage);
        }
        if (!stage->client)
                stage->client = mqtt_client_new(stage->broker, "alice");
}

/* ---- services ---- */

Process *gateway_stage_start_service(GatewayStage *stage, const char *bus_name,
                                     const char *const *arguments)
{
        g_autoptr(GPtrArray) argv = g_ptr_array_new();
        Process *process;

        g_ptr_array_add(argv, (gpointer)MQTTRPC_TEST_SERVICE);
        g_ptr_array_add(argv, (gpointer) "--bus");
        g_ptr_array_add(argv, (gpointer)dbus_daemon_get_address(stage->bus));
        g_ptr_array_add(argv, (gpointer) "--name");
        g_ptr_array_add(argv, (gpointer)bus_name);
        for (; arguments && *arguments; arguments++)
                g_ptr_array_add(argv, (gpointer)*arguments);
        g_ptr_array_add(argv, NULL);
        process = process_start(stage->dir, "test-dbus-service", (const char *const *)argv->pdata,
                                NULL);
        if (!dbus_daemon_wait_name(stage->bus, bus_name, true, WAIT_MSEC))
                g_error("%s does not take its name", bus_name);
        return process;
}

char *gateway_stage_dup_command(const char *bus_name)
{
        return g_strdup_printf("%s --name %s", MQTTRPC_TEST_SERVICE, bus_name);
}

char *gateway_stage_call(GatewayStage *stage, const char *service, const char *method,
                         const char *params)
{
        MqttRequest request = {.service = service, .method = method, .params = params};

        return mqtt_client_call(stage->client, &request);
}
