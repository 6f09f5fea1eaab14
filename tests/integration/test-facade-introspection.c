/* SPDX-License-Identifier: MIT */

/* A facade with the introspection of the service that it stands for: who asks it gets the same. */

#include "gateway/introspection-compare.h"
#include "tests/support/gateway-stage.h"
#include "tests/support/wait.h"

#include <string.h>

#define NAME "org.example.Native"
#define PATH "/org/example/Native"

/* What the services of a library that is not sd-bus have. */
#define STANDARD                                                                           \
        "<interface name='org.freedesktop.DBus.Introspectable'><method name='Introspect'>" \
        "<arg type='s' name='its_own_name' direction='out'/></method></interface>"         \
        "<interface name='org.freedesktop.DBus.Properties'><method name='Get'>"            \
        "<arg type='s' name='interface' direction='in'/><arg type='s' direction='in'/>"    \
        "<arg type='v' direction='out'/></method></interface>"

/* All that a document may say of members. */
#define INTERFACE                                                                                 \
        "<interface name='org.example.Native'>"                                                   \
        "<annotation name='org.example.Since' value='1 &lt; 2'/>"                                 \
        "<annotation name='org.freedesktop.DBus.Property.EmitsChangedSignal' value='false'/>"     \
        "<method name='Add'><arg name='arg0' type='i'/><arg type='i' name='arg0'/>"               \
        "<arg name='sum' direction='out' type='i'><annotation name='x.Unit' value='none'/></arg>" \
        "<annotation name='org.gtk.GDBus.C.Name' value='do_add'/></method>"                       \
        "<method name='Sleep'><annotation name='org.freedesktop.DBus.Method.NoReply'"             \
        " value='true'/></method>"                                                                \
        "<method name='Who'><arg type='s' direction='out'/>"                                      \
        "<annotation name='org.freedesktop.DBus.Deprecated' value='false'/></method>"             \
        "<property name='Text' type='s' access='readwrite'>"                                      \
        "<annotation name='org.freedesktop.DBus.Property.EmitsChangedSignal' value='true'/>"      \
        "</property>"                                                                             \
        "<property name='Level' type='u' access='readwrite'/>"                                    \
        "<property name='Key' type='s' access='write'/>"                                          \
        "<property name='Model' type='s' access='read'>"                                          \
        "<annotation name='org.freedesktop.DBus.Property.EmitsChangedSignal' value='const'/>"     \
        "<annotation name='org.freedesktop.systemd1.Privileged' value='true'/></property>"        \
        "<signal name='Said'><arg type='s' name='text'/><arg type='u'/></signal>"                 \
        "</interface>"

static const char tree[] = "<node name='/'><node name='org'><node name='example'>"
                           "<node name='Native'>" STANDARD INTERFACE "</node></node></node></node>";

static const char of_one_object[] = "<node>" STANDARD INTERFACE "</node>";

static const char without_standard[] = "<node>" INTERFACE "</node>";

static GDBusConnection *start(GatewayStage *stage, const char *interface, const char *xml)
{
        g_autofree char *objects =
                g_strdup_printf("[{\"path\": \"" PATH "\", \"interfaces\": {\"org.example.Native\":"
                                " %s}}]",
                                interface);

        gateway_stage_add_mapping(stage, "native", NAME,
                                  "\"provider\": \"mqtt\", \"introspection\": \"native.xml\",",
                                  objects);
        g_free(gateway_stage_write(stage, "native.xml", xml));
        gateway_stage_start(stage);
        return dbus_daemon_connect(stage->bus);
}

/* The name is not needed for that, and no service: by the unique name of who would own it. */
static char *find_gateway(GatewayStage *stage, GDBusConnection *client)
{
        g_autoptr(GVariant) reply = NULL;
        g_autoptr(GError) error = NULL;
        g_autofree char **names = NULL;

        reply = g_dbus_connection_call_sync(client, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                            "org.freedesktop.DBus", "ListNames", NULL, NULL, 0,
                                            WAIT_MSEC, NULL, &error);
        g_assert_no_error(error);
        g_variant_get(reply, "(^a&s)", &names);
        for (char **name = names; *name; name++) {
                g_autoptr(GVariant) answer = NULL;

                if (**name != ':' || !strcmp(*name, g_dbus_connection_get_unique_name(client)))
                        continue;
                answer = g_dbus_connection_call_sync(
                        client, *name, PATH, "org.freedesktop.DBus.Introspectable", "Introspect",
                        NULL, NULL, 0, WAIT_MSEC, NULL, NULL);
                if (answer && strstr(g_variant_get_type_string(answer), "s"))
                        return g_strdup(*name);
        }
        g_error("nobody has the objects of the mapping");
}

static Introspection *parse(const char *text)
{
        CLEANUP_ERROR Error *error = NULL;
        Introspection *result = NULL;

        if (introspection_parse(text, strlen(text), "x.xml", NULL, &result, &error) < 0)
                g_error("%s\n%s", error_text(error), text);
        return result;
}

static Introspection *ask(GDBusConnection *client, const char *name, const char *path)
{
        g_autoptr(GVariant) reply = NULL;
        g_autoptr(GError) error = NULL;
        const char *xml;

        reply = g_dbus_connection_call_sync(client, name, path,
                                            "org.freedesktop.DBus.Introspectable", "Introspect",
                                            NULL, NULL, 0, WAIT_MSEC, NULL, &error);
        g_assert_no_error(error);
        g_variant_get(reply, "(&s)", &xml);
        return parse(xml);
}

static void on_difference(const char *where, const char *left, const char *right, void *userdata)
{
        g_printerr("%s: legacy %s, facade %s\n", where, left ? left : "-", right ? right : "-");
}

static void assert_same(const Introspection *legacy, const IntrospectionNode *node,
                        const Introspection *facade, const char *path)
{
        CLEANUP_FACTS Facts left = {}, right = {};

        g_assert_nonnull(node);
        g_assert_cmpint(introspection_add_facts(legacy, node, path, &left), ==, 0);
        g_assert_cmpint(introspection_add_facts(facade, facade->nodes, path, &right), ==, 0);
        g_assert_cmpuint(left.count, >, 0);
        g_assert_cmpuint(facts_compare(&left, &right, on_difference, NULL), ==, 0);
}

static void test_recorded_tree(void)
{
        static const char *const paths[] = {"/", "/org", "/org/example", PATH};
        CLEANUP_GATEWAY_STAGE GatewayStage *stage = gateway_stage_new();
        g_autoptr(GDBusConnection) client = start(stage, "\"*\"", tree);
        CLEANUP_INTROSPECTION Introspection *legacy = parse(tree);
        g_autofree char *name = find_gateway(stage, client);

        for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
                CLEANUP_INTROSPECTION Introspection *facade = ask(client, name, paths[i]);

                assert_same(legacy, introspection_find_node(legacy, paths[i]), facade, paths[i]);
        }
}

static void test_recorded_object(void)
{
        CLEANUP_GATEWAY_STAGE GatewayStage *stage = gateway_stage_new();
        g_autoptr(GDBusConnection) client = start(stage, "\"*\"", of_one_object);
        CLEANUP_INTROSPECTION Introspection *legacy = parse(of_one_object);
        g_autofree char *name = find_gateway(stage, client);
        CLEANUP_INTROSPECTION Introspection *facade = ask(client, name, PATH);
        CLEANUP_INTROSPECTION Introspection *above = ask(client, name, "/org");

        assert_same(legacy, legacy->nodes, facade, PATH);
        g_assert_nonnull(introspection_find(above, "org.freedesktop.DBus.Properties"));
        g_assert_null(introspection_find(above, "org.freedesktop.DBus.Peer"));
}

/* The file is not from a service then, and the gateway has its own idea of what all have. */
static void test_file_without_standard_interfaces(void)
{
        CLEANUP_GATEWAY_STAGE GatewayStage *stage = gateway_stage_new();
        g_autoptr(GDBusConnection) client = start(stage, "\"*\"", without_standard);
        g_autofree char *name = find_gateway(stage, client);
        CLEANUP_INTROSPECTION Introspection *facade = ask(client, name, PATH);

        g_assert_nonnull(introspection_find(facade, "org.freedesktop.DBus.Peer"));
        g_assert_nonnull(introspection_find(facade, "org.freedesktop.DBus.Introspectable"));
        g_assert_nonnull(introspection_find(facade, "org.freedesktop.DBus.Properties"));
        g_assert_nonnull(introspection_find(facade, NAME));
}

/* Names of parameters are not those that D-Bus shows; what the mapping narrows is. */
static void test_mapping_has_the_last_word(void)
{
        static const char interface[] =
                "{\"methods\": {\"Add\": {\"in\": [\"a:i\", \"b:i\"], \"deprecated\": true},"
                "\"Sleep\": {\"no_reply\": false}},"
                "\"properties\": {\"Level\": {\"writable\": false, \"emits_changed\": \"const\"}}}";
        static const char expected[] =
                "<node>" STANDARD "<interface name='org.example.Native'>"
                "<annotation name='org.example.Since' value='1 &lt; 2'/>"
                "<annotation name='org.freedesktop.DBus.Property.EmitsChangedSignal' "
                "value='false'/><method name='Add'><arg name='arg0' type='i'/><arg type='i' "
                "name='arg0'/><arg name='sum' direction='out' type='i'><annotation name='x.Unit' "
                "value='none'/></arg><annotation name='org.gtk.GDBus.C.Name' value='do_add'/>"
                "<annotation name='org.freedesktop.DBus.Deprecated' value='true'/></method>"
                "<method name='Sleep'><annotation name='org.freedesktop.DBus.Method.NoReply' "
                "value='false'/></method><property name='Level' type='u' access='read'>"
                "<annotation name='org.freedesktop.DBus.Property.EmitsChangedSignal' "
                "value='const'/></property></interface></node>";
        CLEANUP_GATEWAY_STAGE GatewayStage *stage = gateway_stage_new();
        g_autoptr(GDBusConnection) client = start(stage, interface, of_one_object);
        CLEANUP_INTROSPECTION Introspection *legacy = parse(expected);
        g_autofree char *name = find_gateway(stage, client);
        CLEANUP_INTROSPECTION Introspection *facade = ask(client, name, PATH);

        assert_same(legacy, legacy->nodes, facade, PATH);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/facade-introspection/recorded-tree", test_recorded_tree);
        g_test_add_func("/facade-introspection/recorded-object", test_recorded_object);
        g_test_add_func("/facade-introspection/file-without-standard-interfaces",
                        test_file_without_standard_interfaces);
        g_test_add_func("/facade-introspection/mapping-has-the-last-word",
                        test_mapping_has_the_last_word);
        return g_test_run();
}
