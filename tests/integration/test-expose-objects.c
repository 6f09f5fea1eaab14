/* SPDX-License-Identifier: MIT */

/* What a D-Bus service shows on MQTT without being asked: presence, objects, properties, signals;
 * and what is left of it when it goes. */

#include "tests/support/gateway-stage.h"
#include "tests/support/mqtt-mirror.h"
#include "tests/support/rpc-reply.h"
#include "tests/support/scripted-service.h"
#include "tests/support/wait.h"

#include <string.h>

#define NAME  "org.example.Test"
#define ROOT  "/org/example/Test"
#define FACE  "org.example.Test"
#define OTHER "org.example.Other"

/* One interface at one path. */
static const char exact_objects[] =
        "[{\"path\":\"" ROOT "\",\"interfaces\":{\"" FACE "\":{\"methods\":{\"Do\":{\"in\":[],"
        "\"out\":[]}},\"signals\":{\"Called\":{\"args\":[]},\"Two\":{\"args\":[\"a:i\",\"b:s\"]},"
        "\"Kind\":{\"args\":[\"kind:s\",\"n:i\"],\"filter\":{\"kind\":\"good\"}},"
        "\"Often\":{\"args\":[\"n:i\"],\"min_interval_ms\":300},"
        "\"Fast\":{\"args\":[\"n:i\"],\"qos\":0}},"
        "\"properties\":{\"Level\":{\"type\":\"i\",\"writable\":true,\"access\":\"read\"},"
        "\"Name\":{\"type\":\"s\"},\"Secret\":{\"type\":\"s\",\"mask\":true},"
        "\"Quiet\":{\"type\":\"u\",\"emits_changed\":\"false\"},"
        "\"Polled\":{\"type\":\"u\",\"emits_changed\":\"false\",\"poll_s\":1},"
        "\"Large\":{\"type\":\"s\",\"emits_changed\":\"invalidates\"},"
        "\"Busy\":{\"type\":\"u\",\"min_interval_ms\":300},"
        "\"Odd\":{\"type\":\"u\"}}}}}]";

#define FACES                                                                                   \
        "\"interfaces\":{\"" FACE "\":{\"signals\":{\"Two\":{\"args\":[\"a:i\",\"b:s\"]}},"     \
        "\"properties\":{\"Level\":{\"type\":\"i\"}}},\"" OTHER "\":{\"properties\":{\"Size\":" \
        "{\"type\":\"u\"}}}}"

static const char managed_objects[] =
        "[{\"path\":\"" ROOT "/{id}\",\"object\":\"{id}\",\"find\":\"object_manager\"," FACES "}]";
static const char walked_objects[] =
        "[{\"path\":\"" ROOT "/{id}\",\"object\":\"{id}\",\"find\":\"walk\"," FACES "}]";

static const char signalled_objects[] =
        "[{\"path\":\"" ROOT "\",\"interfaces\":{\"" FACE "\":{\"properties\":{\"Level\":{"
        "\"type\":\"i\"}},\"signals\":{\"Came\":{\"args\":[\"n:u\",\"path:o\"],\"adds\":"
        "\"path\"},\"Went\":{\"args\":[\"path:o\"],\"removes\":\"path\"}}}}},"
        "{\"path\":\"" ROOT "/{id}\",\"object\":\"{id}\",\"find\":\"walk\"," FACES "}]";

typedef struct Fixture {
        GatewayStage *stage;
        ScriptedService *service;
        MqttMirror *mirror;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer objects)
{
        fixture->stage = gateway_stage_new();
        gateway_stage_add_mapping(fixture->stage, "test", NAME, "", objects);
        broker_start(fixture->stage->broker);
        dbus_daemon_start(fixture->stage->bus);
        fixture->service = scripted_service_new(fixture->stage->bus);
        scripted_service_set(fixture->service, ROOT, FACE, "Level", g_variant_new_int32(5));
        scripted_service_set(fixture->service, ROOT, FACE, "Name", g_variant_new_string("x"));
        scripted_service_set(fixture->service, ROOT, FACE, "Secret", g_variant_new_string("s3"));
        scripted_service_set(fixture->service, ROOT, FACE, "Quiet", g_variant_new_uint32(1));
        scripted_service_set(fixture->service, ROOT, FACE, "Polled", g_variant_new_uint32(1));
        scripted_service_set(fixture->service, ROOT, FACE, "Large", g_variant_new_string("l"));
        scripted_service_set(fixture->service, ROOT, FACE, "Busy", g_variant_new_uint32(0));
        scripted_service_set(fixture->service, ROOT, FACE, "Odd", g_variant_new_string("no u"));
}

static void start(Fixture *fixture)
{
        scripted_service_own(fixture->service, NAME);
        gateway_stage_start(fixture->stage);
        fixture->mirror = mqtt_mirror_new(fixture->stage->broker, "alice");
        mqtt_mirror_expect_text(fixture->mirror, "test/$state", "\"state\":\"ready\"");
}

static void tear_down(Fixture *fixture, gconstpointer unused)
{
        mqtt_mirror_free(fixture->mirror);
        scripted_service_free(fixture->service);
        gateway_stage_free(fixture->stage);
}

static void emit(Fixture *fixture, const char *signal, GVariant *arguments)
{
        scripted_service_emit(fixture->service, ROOT, FACE, signal, arguments);
}

static void change(Fixture *fixture, const char *path, const char *property, GVariant *value)
{
        scripted_service_set(fixture->service, path, FACE, property, value);
        scripted_service_tell(fixture->service, path, FACE, property, false);
}

/* A signal that comes after all that was sent before. */
static guint expect_marker(Fixture *fixture)
{
        static int n;
        g_autofree char *line = NULL;

        emit(fixture, "Two", g_variant_new("(is)", ++n, "marker"));
        line = g_strdup_printf("test/-/sig/Two {\"jsonrpc\":\"2.0\",\"method\":\"Two\",\"params\":"
                               "[%d,\"marker\"]}",
                               n);
        return mqtt_mirror_expect_message(fixture->mirror, line);
}

static char *dup_epoch(Fixture *fixture)
{
        const char *state = mqtt_mirror_get(fixture->mirror, "test/$state");

        return g_strndup(strstr(state, "\"epoch\":\"") + strlen("\"epoch\":\""), 16);
}

static char *call(Fixture *fixture, const char *method, const char *params)
{
        return gateway_stage_call(fixture->stage, "test", method, params);
}

/* ---- properties ---- */

static void test_values_are_retained(Fixture *fixture, gconstpointer unused)
{
        start(fixture);
        mqtt_mirror_expect(fixture->mirror, "test/-/prop/Level", "5");
        mqtt_mirror_expect(fixture->mirror, "test/-/prop/Name", "\"x\"");
        mqtt_mirror_expect(fixture->mirror, "test/-/prop/Polled", "1");
        mqtt_mirror_expect(fixture->mirror, "test/-/$meta",
                           "{\"interfaces\":[\"" FACE
                           "\"],\"props\":[\"Busy\",\"Level\",\"Name\",\"Polled\"]}");
        mqtt_mirror_expect_text(fixture->mirror, "test/$state", "\"via\":{\"svc\":\"gateway\"");
        mqtt_mirror_expect_text(fixture->mirror, "test/$state", "\"running\":true");
        mqtt_mirror_expect_text(fixture->mirror, "test/$api", "\"openrpc\"");
        /* the values of a type that was not promised, of secrets, and of what is never told */
        g_assert_cmpuint(mqtt_mirror_count_retained(fixture->mirror, "test/-/prop/"), ==, 4);
}

static void test_changes_arrive(Fixture *fixture, gconstpointer unused)
{
        start(fixture);
        change(fixture, ROOT, "Level", g_variant_new_int32(-7));
        mqtt_mirror_expect(fixture->mirror, "test/-/prop/Level", "-7");
        scripted_service_set(fixture->service, ROOT, FACE, "Name", g_variant_new_string("y"));
        scripted_service_tell(fixture->service, ROOT, FACE, "Name", true);
        mqtt_mirror_expect(fixture->mirror, "test/-/prop/Name", "\"y\"");
        scripted_service_tell(fixture->service, ROOT, FACE, "Large", true);
        (void)mqtt_mirror_expect_message(
                fixture->mirror, "test/-/sig/rpc.invalidated {\"jsonrpc\":\"2.0\","
                                 "\"method\":\"rpc.invalidated\",\"params\":[[\"Large\"]]}");
        scripted_service_set(fixture->service, ROOT, FACE, "Polled", g_variant_new_uint32(9));
        mqtt_mirror_expect(fixture->mirror, "test/-/prop/Polled", "9");
}

static void test_secret_is_never_published(Fixture *fixture, gconstpointer unused)
{
        start(fixture);
        change(fixture, ROOT, "Secret", g_variant_new_string("s4"));
        (void)expect_marker(fixture);
        g_assert_cmpuint(mqtt_mirror_count(fixture->mirror, "test/-/prop/Secret"), ==, 0);
}

static void test_chatty_property_is_coalesced(Fixture *fixture, gconstpointer unused)
{
        start(fixture);
        for (guint32 i = 1; i <= 100; i++)
                change(fixture, ROOT, "Busy", g_variant_new_uint32(i));
        mqtt_mirror_expect(fixture->mirror, "test/-/prop/Busy", "100");
        g_assert_cmpuint(mqtt_mirror_count(fixture->mirror, "test/-/prop/Busy"), <, 20);
}

static void test_set_and_get(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *set = NULL;
        g_autofree char *named = NULL;
        g_autofree char *got = NULL;
        g_autofree char *all = NULL;

        start(fixture);
        set = call(fixture, "prop.set.Level", "[12]");
        rpc_reply_assert_result(set, "null");
        mqtt_mirror_expect(fixture->mirror, "test/-/prop/Level", "12");
        named = call(fixture, "prop.set", "[\"Level\",13]");
        rpc_reply_assert_result(named, "null");
        got = call(fixture, "prop.get", "{\"name\":\"Level\"}");
        rpc_reply_assert_result(got, "13");
        scripted_service_set(fixture->service, ROOT, FACE, "Odd", NULL);
        all = call(fixture, "prop.getall", "[]");
        g_assert_nonnull(strstr(all, "\"Level\":13"));
        g_assert_nonnull(strstr(all, "\"Quiet\":1"));
        g_assert_null(strstr(all, "s3"));
}

static void test_set_says_what_is_wrong(Fixture *fixture, gconstpointer unused)
{
        static const struct {
                const char *method;
                const char *params;
                int code;
                const char *text;
        } rows[] = {
                {"prop.set.Name", "[\"y\"]", -32007, "'Name'"},
                {"prop.set.Level", "[\"y\"]", -32602, "Level"},
                {"prop.set.Level", "[3000000000]", -32602, "Level"},
                {"prop.set.Level", "[]", -32602, "1 arguments"},
                {"prop.set.None", "[1]", -32002, "'None'"},
                {"prop.get", "[\"None\"]", -32002, "'None'"},
                {"prop.get", "[5]", -32602, "'name'"},
                {"prop.move", "[]", -32601, "'prop.move'"},
        };
        g_autofree char *missing = NULL;

        start(fixture);
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *reply = call(fixture, rows[i].method, rows[i].params);

                rpc_reply_assert_error(reply, rows[i].code, NULL, NULL, rows[i].text);
        }
        scripted_service_set(fixture->service, ROOT, FACE, "Large", NULL);
        missing = call(fixture, "prop.get", "[\"Large\"]");
        rpc_reply_assert_error(missing, -32002, "org.freedesktop.DBus.Error.UnknownProperty", NULL,
                               "Large");
}

/* ---- signals ---- */

static void test_signal_precedes_the_reply(Fixture *fixture, gconstpointer unused)
{
        start(fixture);
        for (unsigned i = 1; i <= 50; i++) {
                g_autofree char *reply = call(fixture, "Do", "[]");

                rpc_reply_assert_result(reply, "null");
        }
        (void)expect_marker(fixture);
        g_assert_cmpuint(mqtt_mirror_count(fixture->mirror, "test/-/sig/Called {\"jsonrpc\":"), ==,
                         50);
}

static void test_arguments_filters_intervals(Fixture *fixture, gconstpointer unused)
{
        start(fixture);
        emit(fixture, "Two", g_variant_new("(is)", -1, "b"));
        emit(fixture, "Kind", g_variant_new("(si)", "bad", 1));
        emit(fixture, "Kind", g_variant_new("(si)", "good", 2));
        emit(fixture, "Fast", g_variant_new("(i)", 3));
        for (int i = 0; i < 50; i++)
                emit(fixture, "Often", g_variant_new("(i)", i));
        emit(fixture, "Unmapped", g_variant_new("(i)", 3));
        (void)mqtt_mirror_expect_message(fixture->mirror,
                                         "test/-/sig/Two {\"jsonrpc\":\"2.0\",\"method\":\"Two\","
                                         "\"params\":[-1,\"b\"]}");
        (void)mqtt_mirror_expect_message(
                fixture->mirror, "test/-/sig/Often {\"jsonrpc\":\"2.0\",\"method\":\"Often\","
                                 "\"params\":[49]}");
        (void)mqtt_mirror_expect_message(fixture->mirror, "test/-/sig/Fast ");
        g_assert_cmpuint(mqtt_mirror_count(fixture->mirror, "test/-/sig/Often"), <, 10);
        g_assert_cmpuint(mqtt_mirror_count(fixture->mirror, "test/-/sig/Kind"), ==, 1);
        g_assert_cmpuint(mqtt_mirror_count(fixture->mirror, "test/-/sig/Unmapped"), ==, 0);
}

static void test_spoofed_signal_is_dropped(Fixture *fixture, gconstpointer unused)
{
        g_autoptr(GDBusConnection) gateway = NULL;
        CLEANUP_SCRIPTED_SERVICE ScriptedService *spoofer = NULL;

        start(fixture);
        spoofer = scripted_service_new(fixture->stage->bus);
        /* unique names are counted: this one reaches all connections of the gateway */
        for (int i = 0; i < 40; i++) {
                g_autofree char *destination = g_strdup_printf(":1.%d", i);

                scripted_service_emit_to(spoofer, destination, ROOT, FACE, "Two",
                                         g_variant_new("(is)", 66, "spoofed"));
        }
        scripted_service_emit(spoofer, ROOT, FACE, "Two", g_variant_new("(is)", 66, "spoofed"));
        scripted_service_set(spoofer, ROOT, FACE, "Level", g_variant_new_int32(66));
        scripted_service_tell(spoofer, ROOT, FACE, "Level", false);
        g_assert_true(g_dbus_connection_flush_sync(
                gateway = dbus_daemon_connect(fixture->stage->bus), NULL, NULL));
        (void)expect_marker(fixture);
        mqtt_mirror_expect(fixture->mirror, "test/-/prop/Level", "5");
        g_assert_cmpuint(mqtt_mirror_count(fixture->mirror,
                                           "test/-/sig/Two {\"jsonrpc\":\"2.0\",\"method\":\"Two\","
                                           "\"params\":[66"),
                         ==, 0);
}

/* ---- owner ---- */

static void test_hand_over_is_a_removal_and_an_add(Fixture *fixture, gconstpointer unused)
{
        CLEANUP_SCRIPTED_SERVICE ScriptedService *next = NULL;
        g_autofree char *before = NULL;
        g_autofree char *after = NULL;

        start(fixture);
        before = dup_epoch(fixture);
        next = scripted_service_new(fixture->stage->bus);
        scripted_service_set(next, ROOT, FACE, "Level", g_variant_new_int32(6));
        mqtt_mirror_clear(fixture->mirror);
        scripted_service_own(next, NAME);
        mqtt_mirror_expect(fixture->mirror, "test/-/prop/Level", "6");
        mqtt_mirror_expect(fixture->mirror, "test/-/prop/Name", NULL);
        mqtt_mirror_expect_text(fixture->mirror, "test/-/$meta", "[\"Level\"]");
        g_assert_cmpuint(mqtt_mirror_count(fixture->mirror, "test/-/$meta "), >=, 2);
        (void)mqtt_mirror_expect_message(fixture->mirror, "test/$state ");
        after = dup_epoch(fixture);
        g_assert_cmpstr(after, !=, before);
        /* the old one is nobody now */
        emit(fixture, "Two", g_variant_new("(is)", 1, "old"));
        scripted_service_emit(next, ROOT, FACE, "Two", g_variant_new("(is)", 2, "new"));
        (void)mqtt_mirror_expect_message(fixture->mirror, "test/-/sig/Two");
        g_assert_cmpuint(mqtt_mirror_count(fixture->mirror,
                                           "test/-/sig/Two {\"jsonrpc\":\"2.0\",\"method\":\"Two\","
                                           "\"params\":[1,\"old\"]}"),
                         ==, 0);
}

static void test_nothing_outlives_the_owner(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *before = NULL;
        g_autofree char *after = NULL;

        start(fixture);
        before = dup_epoch(fixture);
        scripted_service_release(fixture->service, NAME);
        mqtt_mirror_expect_text(fixture->mirror, "test/$state", "\"offline\"");
        mqtt_mirror_expect(fixture->mirror, "test/-/$meta", NULL);
        g_assert_cmpuint(mqtt_mirror_count_retained(fixture->mirror, "test/-/"), ==, 0);
        scripted_service_own(fixture->service, NAME);
        mqtt_mirror_expect_text(fixture->mirror, "test/$state", "\"ready\"");
        mqtt_mirror_expect(fixture->mirror, "test/-/prop/Level", "5");
        after = dup_epoch(fixture);
        g_assert_cmpstr(after, !=, before);
}

static void test_service_that_can_be_started_is_ready(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *command = gateway_stage_dup_command(NAME);
        g_autofree char *before = NULL;
        g_autofree char *after = NULL;
        g_autofree char *reply = NULL;

        dbus_daemon_add_service(fixture->stage->bus, NAME, command);
        dbus_daemon_reload(fixture->stage->bus);
        gateway_stage_start(fixture->stage);
        fixture->mirror = mqtt_mirror_new(fixture->stage->broker, "alice");
        mqtt_mirror_expect_text(fixture->mirror, "test/$state", "\"running\":false");
        mqtt_mirror_expect_text(fixture->mirror, "test/$state", "\"state\":\"ready\"");
        before = dup_epoch(fixture);
        reply = call(fixture, "Do", "[]");
        mqtt_mirror_expect_text(fixture->mirror, "test/$state", "\"running\":true");
        after = dup_epoch(fixture);
        g_assert_cmpstr(after, ==, before);
}

/* A gateway that was killed, and whose mapping was taken away meanwhile. */
static void test_nothing_outlives_the_mapping(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *path = g_build_filename(fixture->stage->mappings, "test.json", NULL);

        start(fixture);
        mqtt_mirror_expect(fixture->mirror, "test/-/prop/Level", "5");
        gateway_process_kill(fixture->stage->gateway);
        mqtt_mirror_expect_text(fixture->mirror, "gateway/$state", "\"lost\"");
        gateway_process_free(STEAL(fixture->stage->gateway));
        g_assert_cmpint(unlink(path), ==, 0);
        gateway_stage_start(fixture->stage);
        mqtt_mirror_expect(fixture->mirror, "test/-/prop/Level", NULL);
        mqtt_mirror_expect(fixture->mirror, "test/-/$meta", NULL);
        mqtt_mirror_expect(fixture->mirror, "test/$api", NULL);
        mqtt_mirror_expect(fixture->mirror, "test/$state", NULL);
        g_assert_cmpuint(mqtt_mirror_count_retained(fixture->mirror, "test/"), ==, 0);
}

/* ---- objects ---- */

static void add_objects(Fixture *fixture, unsigned count)
{
        for (unsigned i = 0; i < count; i++) {
                g_autofree char *path = g_strdup_printf(ROOT "/o%u", i);

                scripted_service_set(fixture->service, path, FACE, "Level",
                                     g_variant_new_int32((gint32)i));
                scripted_service_set(fixture->service, path, OTHER, "Size",
                                     g_variant_new_uint32(i));
        }
}

static void test_object_manager(Fixture *fixture, gconstpointer unused)
{
        scripted_service_manage(fixture->service, ROOT);
        add_objects(fixture, 100);
        start(fixture);
        mqtt_mirror_expect(fixture->mirror, "test/o99/prop/Level", "99");
        mqtt_mirror_expect(fixture->mirror, "test/o42/prop/Size", "42");
        scripted_service_set(fixture->service, ROOT "/late", FACE, "Level", g_variant_new_int32(1));
        scripted_service_tell_added(fixture->service, ROOT "/late", FACE);
        mqtt_mirror_expect(fixture->mirror, "test/late/prop/Level", "1");
        mqtt_mirror_expect(fixture->mirror, "test/late/$meta",
                           "{\"interfaces\":[\"" FACE "\"],\"props\":[\"Level\"]}");
        change(fixture, ROOT "/late", "Level", g_variant_new_int32(2));
        mqtt_mirror_expect(fixture->mirror, "test/late/prop/Level", "2");
        scripted_service_remove(fixture->service, ROOT "/late", FACE);
        mqtt_mirror_expect(fixture->mirror, "test/late/prop/Level", NULL);
        mqtt_mirror_expect(fixture->mirror, "test/late/$meta", NULL);
        g_assert_cmpuint(mqtt_mirror_count_retained(fixture->mirror, "test/o"), ==, 300);
}

static void test_one_interface_goes(Fixture *fixture, gconstpointer unused)
{
        scripted_service_manage(fixture->service, ROOT);
        add_objects(fixture, 1);
        start(fixture);
        mqtt_mirror_expect(fixture->mirror, "test/o0/prop/Size", "0");
        scripted_service_remove(fixture->service, ROOT "/o0", OTHER);
        mqtt_mirror_expect(fixture->mirror, "test/o0/prop/Size", NULL);
        mqtt_mirror_expect(fixture->mirror, "test/o0/$meta",
                           "{\"interfaces\":[\"" FACE "\"],\"props\":[\"Level\"]}");
        mqtt_mirror_expect(fixture->mirror, "test/o0/prop/Level", "0");
}

/* An object has some of the interfaces of its entry, and the service has an error of its own for a
 * question about another one. */
static void test_getall_of_an_object_that_lacks_an_interface(Fixture *fixture, gconstpointer unused)
{
        static const char *const objects[] = {"o0", "o1"};
        static const char *const values[] = {"{\"Level\":0}", "{\"Size\":1}"};

        scripted_service_manage(fixture->service, ROOT);
        add_objects(fixture, 2);
        scripted_service_set(fixture->service, ROOT "/o0", OTHER, "Size", NULL);
        scripted_service_lack(fixture->service, ROOT "/o0", OTHER);
        scripted_service_set(fixture->service, ROOT "/o1", FACE, "Level", NULL);
        scripted_service_lack(fixture->service, ROOT "/o1", FACE);
        start(fixture);
        for (size_t i = 0; i < G_N_ELEMENTS(objects); i++) {
                MqttRequest request = {
                        .service = "test", .object = objects[i], .method = "prop.getall"};
                g_autofree char *reply = mqtt_client_call(fixture->stage->client, &request);

                rpc_reply_assert_result(reply, values[i]);
        }
}

/* A fresh snapshot would not know in which order they came. */
static void test_order_of_interfaces_is_that_of_the_mapping(Fixture *fixture, gconstpointer unused)
{
        static const char both[] =
                "{\"interfaces\":[\"" FACE "\",\"" OTHER "\"],\"props\":[\"Level\",\"Size\"]}";

        scripted_service_manage(fixture->service, ROOT);
        add_objects(fixture, 1);
        start(fixture);
        mqtt_mirror_expect(fixture->mirror, "test/o0/$meta", both);
        scripted_service_remove(fixture->service, ROOT "/o0", FACE);
        mqtt_mirror_expect(fixture->mirror, "test/o0/$meta",
                           "{\"interfaces\":[\"" OTHER "\"],\"props\":[\"Size\"]}");
        scripted_service_set(fixture->service, ROOT "/o0", FACE, "Level", g_variant_new_int32(0));
        scripted_service_tell_added(fixture->service, ROOT "/o0", FACE);
        mqtt_mirror_expect(fixture->mirror, "test/o0/prop/Level", "0");
        mqtt_mirror_expect(fixture->mirror, "test/o0/$meta", both);
}

static void test_mute_object_stalls_nobody(Fixture *fixture, gconstpointer unused)
{
        scripted_service_manage(fixture->service, ROOT);
        add_objects(fixture, 50);
        scripted_service_mute(fixture->service, ROOT "/o0");
        scripted_service_own(fixture->service, NAME);
        gateway_stage_start(fixture->stage);
        fixture->mirror = mqtt_mirror_new(fixture->stage->broker, "alice");
        for (unsigned i = 1; i < 50; i++) {
                g_autofree char *topic = g_strdup_printf("test/o%u/prop/Level", i);
                g_autofree char *value = g_strdup_printf("%u", i);

                mqtt_mirror_expect(fixture->mirror, topic, value);
        }
        g_assert_null(mqtt_mirror_get(fixture->mirror, "test/o0/$meta"));
        mqtt_mirror_expect_text(fixture->mirror, "test/$state", "\"ready\"");
}

/* The same XML at any path: the walk ends all the same. */
static void test_tree_without_end(Fixture *fixture, gconstpointer unused)
{
        scripted_service_introspect(fixture->service, NULL,
                                    "<node><interface name=\"" FACE "\"/><node name=\"a\"/>"
                                    "<node name=\"b\"/></node>");
        scripted_service_set(fixture->service, ROOT "/a", FACE, "Level", g_variant_new_int32(3));
        start(fixture);
        mqtt_mirror_expect(fixture->mirror, "test/a/prop/Level", "3");
        mqtt_mirror_expect_text(fixture->mirror, "test/b/$meta", FACE);
        g_assert_cmpuint(scripted_service_count(fixture->service, "Introspect"), <, 20);
}

static void test_walked_object_is_heard_of(Fixture *fixture, gconstpointer unused)
{
        scripted_service_introspect(fixture->service, ROOT "/new",
                                    "<node><interface name=\"" FACE "\"/></node>");
        start(fixture);
        change(fixture, ROOT "/new", "Level", g_variant_new_int32(4));
        mqtt_mirror_expect(fixture->mirror, "test/new/prop/Level", "4");
}

/* What no ObjectManager lists, and ordinary signals speak of. */
static void test_object_comes_and_goes_by_signals(Fixture *fixture, gconstpointer unused)
{
        scripted_service_introspect(fixture->service, ROOT "/new",
                                    "<node><interface name=\"" FACE "\"/></node>");
        scripted_service_set(fixture->service, ROOT "/new", FACE, "Level", g_variant_new_int32(4));
        start(fixture);
        emit(fixture, "Came", g_variant_new("(uo)", 1, ROOT "/new"));
        mqtt_mirror_expect(fixture->mirror, "test/new/prop/Level", "4");
        mqtt_mirror_expect_text(fixture->mirror, "test/new/$meta", FACE);
        emit(fixture, "Went", g_variant_new("(o)", ROOT "/other"));
        emit(fixture, "Went", g_variant_new("(o)", ROOT));
        emit(fixture, "Went", g_variant_new("(o)", ROOT "/new"));
        mqtt_mirror_expect(fixture->mirror, "test/new/prop/Level", NULL);
        mqtt_mirror_expect(fixture->mirror, "test/new/$meta", NULL);
        g_assert_nonnull(mqtt_mirror_get(fixture->mirror, "test/-/$meta"));
        /* and comes again */
        emit(fixture, "Came", g_variant_new("(uo)", 1, ROOT "/new"));
        mqtt_mirror_expect(fixture->mirror, "test/new/prop/Level", "4");
}

/* Each owner is asked to speak, once, before anything else. */
static void test_each_owner_is_subscribed_to(Fixture *fixture, gconstpointer objects)
{
        g_autofree char *text = g_strdup_printf(
                "{ \"service\": \"test\", \"dbus\": { \"name\": \"" NAME "\", \"subscribe\": "
                "{ \"path\": \"" ROOT "\", \"interface\": \"" FACE "\", \"method\": "
                "\"Speak\" } }, \"objects\": %s }",
                (const char *)objects);

        g_free(gateway_stage_write(fixture->stage, "test.json", text));
        start(fixture);
        mqtt_mirror_expect(fixture->mirror, "test/-/prop/Level", "5");
        g_assert_cmpuint(scripted_service_count(fixture->service, "Speak"), ==, 1);
        scripted_service_release(fixture->service, NAME);
        mqtt_mirror_expect(fixture->mirror, "test/-/prop/Level", NULL);
        scripted_service_own(fixture->service, NAME);
        mqtt_mirror_expect(fixture->mirror, "test/-/prop/Level", "5");
        g_assert_cmpuint(scripted_service_count(fixture->service, "Speak"), ==, 2);
}

static const struct {
        const char *path;
        const char *objects;
        void (*function)(Fixture *fixture, gconstpointer unused);
} tests[] = {
        {"/expose/property/values-are-retained", exact_objects, test_values_are_retained},
        {"/expose/property/trap-14-changes-arrive", exact_objects, test_changes_arrive},
        {"/expose/property/trap-20-chatty-is-coalesced", exact_objects,
         test_chatty_property_is_coalesced},
        {"/expose/property/trap-30-secret-is-never-published", exact_objects,
         test_secret_is_never_published},
        {"/expose/property/set-and-get", exact_objects, test_set_and_get},
        {"/expose/property/set-says-what-is-wrong", exact_objects, test_set_says_what_is_wrong},
        {"/expose/signal/trap-11-precedes-the-reply", exact_objects,
         test_signal_precedes_the_reply},
        {"/expose/signal/trap-15-arguments-filters-intervals", exact_objects,
         test_arguments_filters_intervals},
        {"/expose/signal/trap-12-spoofed-is-dropped", exact_objects,
         test_spoofed_signal_is_dropped},
        {"/expose/owner/trap-12-hand-over-is-a-removal-and-an-add", exact_objects,
         test_hand_over_is_a_removal_and_an_add},
        {"/expose/owner/trap-19-nothing-outlives-it", exact_objects,
         test_nothing_outlives_the_owner},
        {"/expose/owner/trap-19-nothing-outlives-the-mapping", exact_objects,
         test_nothing_outlives_the_mapping},
        {"/expose/owner/trap-16-service-that-can-be-started-is-ready", exact_objects,
         test_service_that_can_be_started_is_ready},
        {"/expose/object/found-by-object-manager", managed_objects, test_object_manager},
        {"/expose/object/trap-15-one-interface-goes", managed_objects, test_one_interface_goes},
        {"/expose/object/getall-of-one-that-lacks-an-interface", managed_objects,
         test_getall_of_an_object_that_lacks_an_interface},
        {"/expose/object/trap-38-order-of-interfaces-is-that-of-the-mapping", managed_objects,
         test_order_of_interfaces_is_that_of_the_mapping},
        {"/expose/object/trap-10-mute-one-stalls-nobody", managed_objects,
         test_mute_object_stalls_nobody},
        {"/expose/object/tree-without-end-ends", walked_objects, test_tree_without_end},
        {"/expose/object/walked-one-is-heard-of", walked_objects, test_walked_object_is_heard_of},
        {"/expose/object/comes-and-goes-by-signals", signalled_objects,
         test_object_comes_and_goes_by_signals},
        {"/expose/owner/each-is-subscribed-to", exact_objects, test_each_owner_is_subscribed_to},
};

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
                g_test_add(tests[i].path, Fixture, tests[i].objects, set_up, tests[i].function,
                           tear_down);
        return g_test_run();
}
