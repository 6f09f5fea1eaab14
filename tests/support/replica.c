/* SPDX-License-Identifier: MIT */

#include "tests/support/replica.h"

#include "tests/support/gateway-process.h"
#include "tests/support/mqtt-client.h"
#include "tests/support/mqtt-mirror.h"
#include "tests/support/wait.h"

#include <cJSON.h>
#include <string.h>

#define ADDRESS "@ADDRESS@" /* in texts that replace others: that of the bus */

struct Replica {
        TempDir *dir;
        const ReplicaOptions *options;
        DbusDaemon *legacy, *bus;
        Broker *broker;
        GatewayProcess *gateway;
        Process *native;
        char *state; /* file */
};

/* ---- the mapping ---- */

static void replace(GString *text, const char *const *pairs, const char *address)
{
        for (; pairs && *pairs; pairs += 2) {
                g_autoptr(GString) with = g_string_new(pairs[1]);

                g_string_replace(with, ADDRESS, address, 0);
                if (g_string_replace(text, pairs[0], with->str, 1) == 0)
                        g_error("the mapping has no '%s'", pairs[0]);
        }
}

static char *read_mapping(const Replica *replica, const char *address)
{
        g_autofree char *name = g_strdup_printf("mappings/%s", replica->options->mapping);
        g_autofree char *path = process_source_path(name);
        g_autofree char *content = NULL;
        GString *text;

        g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
        text = g_string_new(content);
        replace(text, replica->options->changes, address);
        return g_string_free(text, FALSE);
}

static void start_gateway(Replica *replica, DbusDaemon *bus, const char *mappings)
{
        g_autofree char *password = broker_get_password_file(replica->broker, "gateway");
        GatewayOptions options = {
                .broker = broker_get_uri(replica->broker),
                .password_file = password,
                .bus = dbus_daemon_get_address(bus),
                .mappings = mappings,
        };

        replica->gateway = gateway_process_start(replica->dir, &options);
        g_assert_true(gateway_process_wait_notify(replica->gateway, "READY=1", WAIT_MSEC));
}

static void write_file(const char *folder, const char *name, const char *text)
{
        g_autofree char *path = g_build_filename(folder, name, NULL);
        GError *error = NULL;

        g_file_set_contents(path, text, -1, &error);
        g_assert_no_error(error);
}

/* ---- recording: what is on MQTT ---- */

/* The result of a call, which the caller frees: as it came, since cJSON takes numbers for doubles.
 */
static cJSON *call(Replica *replica, MqttClient *client, const char *object, const char *method,
                   const char *params)
{
        static const char mark[] = ",\"result\":";
        MqttRequest request = {
                .service = replica->options->service,
                .object = object,
                .method = method,
                .params = params,
        };
        g_autofree char *text = mqtt_client_call(client, &request);
        char *result = strstr(text, mark);

        if (!result || !g_str_has_suffix(text, "}"))
                g_error("%s of %s: %s", method, object, text);
        text[strlen(text) - 1] = '\0';
        return cJSON_CreateRaw(result + strlen(mark));
}

static void record_object(Replica *replica, MqttClient *client, const char *name, const char *meta,
                          cJSON *objects)
{
        cJSON *object = cJSON_AddObjectToObject(objects, name);
        cJSON *tree = cJSON_Parse(meta);
        cJSON *secrets = cJSON_AddObjectToObject(object, "secrets");

        cJSON_AddItemToObject(object, "interfaces",
                              cJSON_DetachItemFromObjectCaseSensitive(tree, "interfaces"));
        cJSON_AddItemToObject(object, "properties",
                              call(replica, client, name, "prop.getall", NULL));
        for (const ReplicaMember *m = replica->options->secrets; m && m->object; m++) {
                g_autofree char *params = g_strdup_printf("[\"%s\"]", m->property);

                if (!strcmp(m->object, name))
                        cJSON_AddItemToObject(secrets, m->property,
                                              call(replica, client, name, "prop.get", params));
        }
        cJSON_Delete(tree);
}

static void record_methods(Replica *replica, MqttClient *client, cJSON *state)
{
        cJSON *replies = cJSON_AddObjectToObject(state, "replies");
        cJSON *sets = cJSON_AddObjectToObject(state, "sets");

        for (const ReplicaCall *c = replica->options->calls; c && c->object; c++) {
                g_autofree char *key =
                        g_strdup_printf("%s %s%s%s", c->object, c->method, c->params ? " " : "",
                                        c->params ? c->params : "");

                cJSON_AddItemToObject(replies, key,
                                      call(replica, client, c->object, c->method, c->params));
        }
        for (const ReplicaMember *m = replica->options->sets; m && m->object; m++) {
                g_autofree char *key = g_strdup_printf("%s %s", m->object, m->method);

                cJSON_AddStringToObject(sets, key, m->property);
        }
}

static void record(Replica *replica)
{
        CLEANUP_MQTT_MIRROR MqttMirror *mirror = mqtt_mirror_new(replica->broker, "alice");
        CLEANUP_MQTT_CLIENT MqttClient *client = mqtt_client_new(replica->broker, "alice");
        const char *service = replica->options->service;
        g_autofree char *ready = g_strdup_printf("%s/$state", service);
        g_autofree char *prefix = g_strdup_printf("%s/", service);
        g_autofree char *tree = NULL, *text = NULL;
        g_auto(GStrv) lines = NULL;
        cJSON *state = cJSON_CreateObject(), *objects;

        mqtt_mirror_expect_text(mirror, ready, "\"ready\"");
        /* a service that is started on demand shows its objects then */
        record_methods(replica, client, state);
        for (const char *const *name = replica->options->objects; *name; name++) {
                g_autofree char *meta = g_strdup_printf("%s/%s/$meta", service, *name);

                mqtt_mirror_expect_text(mirror, meta, "{");
        }
        objects = cJSON_AddObjectToObject(state, "objects");
        tree = mqtt_mirror_dup_tree(mirror);
        lines = g_strsplit(tree, "\n", -1);
        for (char **line = lines; *line; line++) {
                char *end = strstr(*line, "/$meta ");

                if (!end || !g_str_has_prefix(*line, prefix))
                        continue;
                *end = '\0';
                record_object(replica, client, *line + strlen(prefix), end + strlen("/$meta "),
                              objects);
        }
        text = cJSON_PrintUnformatted(state);
        replica->state = temp_dir_write(replica->dir, "state.json", text);
        cJSON_Delete(state);
}

/* ---- recording: introspection ---- */

/* Appends the node and all below it. Without a name it is the outermost one. */
static void append_node(GDBusConnection *connection, const char *bus_name, const char *path,
                        const char *name, GString *xml)
{
        g_autoptr(GVariant) reply = NULL;
        g_autoptr(GError) error = NULL;
        GDBusNodeInfo *node;
        const char *text;

        reply = g_dbus_connection_call_sync(connection, bus_name, path,
                                            "org.freedesktop.DBus.Introspectable", "Introspect",
                                            NULL, NULL, 0, WAIT_MSEC, NULL, &error);
        g_assert_no_error(error);
        g_variant_get(reply, "(&s)", &text);
        node = g_dbus_node_info_new_for_xml(text, &error);
        g_assert_no_error(error);
        g_string_append_printf(xml, "<node name=\"%s\">\n", name);
        for (GDBusInterfaceInfo **i = node->interfaces; i && *i; i++)
                g_dbus_interface_info_generate_xml(*i, 1, xml);
        for (GDBusNodeInfo **child = node->nodes; child && *child; child++) {
                g_autofree char *below =
                        g_strdup_printf("%s/%s", path[1] ? path : "", (*child)->path);

                append_node(connection, bus_name, below, (*child)->path, xml);
        }
        g_string_append(xml, "</node>\n");
        g_dbus_node_info_unref(node);
}

/* ---- the two phases ---- */

static void see_legacy(Replica *replica)
{
        g_autofree char *folder = temp_dir_make(replica->dir, "legacy-mappings");
        g_autofree char *text = read_mapping(replica, dbus_daemon_get_address(replica->legacy));

        write_file(folder, "legacy.json", text);
        start_gateway(replica, replica->legacy, folder);
        record(replica);
        replica->gateway = gateway_process_free(replica->gateway);
}

static void show_facade(Replica *replica)
{
        g_autofree char *folder = temp_dir_make(replica->dir, "facade-mappings");
        g_autofree char *text = read_mapping(replica, dbus_daemon_get_address(replica->bus));
        g_autoptr(GDBusConnection) connection = dbus_daemon_connect(replica->legacy);
        g_autoptr(GString) mapping = g_string_new(text), xml = g_string_new(NULL);
        static const char *const provider[] = {
                "\"summary\":",
                "\"provider\": \"mqtt\", \"introspection\": \"tree.xml\", \"summary\":", NULL};
        const char *argv[] = {MQTTRPC_NATIVE_REPLICA,
                              broker_get_uri(replica->broker),
                              "native",
                              "secret of native",
                              replica->options->service,
                              replica->state,
                              NULL};

        replace(mapping, provider, "");
        replace(mapping, replica->options->facade, dbus_daemon_get_address(replica->bus));
        append_node(connection, replica->options->bus_name, "/", "/", xml);
        write_file(folder, "facade.json", mapping->str);
        write_file(folder, "tree.xml", xml->str);
        start_gateway(replica, replica->bus, folder);
        replica->native = process_start(replica->dir, "native", argv, NULL);
        if (!dbus_daemon_wait_name(replica->bus, replica->options->bus_name, true, WAIT_MSEC)) {
                g_autofree char *log = process_dup_output(
                        gateway_process_get_process(replica->gateway), PROCESS_STDERR);
                g_autofree char *native = process_dup_output(replica->native, PROCESS_STDERR);

                g_error("the name is not taken\n%s%s", log, native);
        }
}

static void add_users(Replica *replica)
{
        const char *service = replica->options->service;
        g_autofree char *all = g_strdup_printf("%s/+", service);
        const char *gateway[] = {"--gateway", "--service", "gateway", "--service", service,
                                 "--call",    all,         "--rpc",   all,         NULL};
        const char *native[] = {"--service", service, NULL};
        const char *alice[] = {"--call", all, "--rpc", all, NULL};

        broker_add_user(replica->broker, "gateway", "secret of the gateway", gateway);
        broker_add_user(replica->broker, "native", "secret of native", native);
        broker_add_user(replica->broker, "alice", "secret of alice", alice);
}

Replica *replica_new(TempDir *dir, DbusDaemon *legacy, const ReplicaOptions *options)
{
        Replica *replica = g_new0(Replica, 1);

        replica->dir = dir;
        replica->options = options;
        replica->legacy = legacy;
        replica->bus = dbus_daemon_new(dir, DBUS_DAEMON_OPEN);
        replica->broker = broker_new(dir);
        add_users(replica);
        dbus_daemon_start(replica->bus);
        broker_start(replica->broker);
        see_legacy(replica);
        show_facade(replica);
        return replica;
}

Replica *replica_free(Replica *replica)
{
        if (!replica)
                return NULL;
        process_free(replica->native);
        gateway_process_free(replica->gateway);
        broker_free(replica->broker);
        dbus_daemon_free(replica->bus);
        g_free(replica->state);
        g_free(replica);
        return NULL;
}

DbusDaemon *replica_get_bus(Replica *replica)
{
        return replica->bus;
}
