/* SPDX-License-Identifier: MIT */

/* Strange names at the gateway: topics that no honest caller writes, and objects of D-Bus with
 * paths that are deep or long. */

#include "tests/support/gateway-stage.h"
#include "tests/support/mqtt-mirror.h"
#include "tests/support/rpc-reply.h"
#include "tests/support/scripted-service.h"
#include "tests/support/wait.h"

#include <string.h>

#define NAME "org.example.Test"
#define ROOT "/org/example/Test"

enum {
        DEPTH = 100,         /* elements of the deepest path */
        LONG_ELEMENT = 1100, /* longer than the level of an object may be */
};

typedef struct Fixture {
        GatewayStage *stage;
        ScriptedService *service;
        MqttMirror *mirror;
        char *deep_path;
        char *deep_object;
} Fixture;

static char *repeat(const char *text, unsigned times)
{
        GString *result = g_string_new(NULL);

        while (times-- > 0)
                g_string_append(result, text);
        return g_string_free(result, FALSE);
}

static void add_mapping(Fixture *fixture)
{
        g_autofree char *objects = g_strdup_printf(
                "[{\"path\":\"" ROOT "\",\"interfaces\":{\"" NAME "\":{\"methods\":{\"Do\":{"
                "\"in\":[],\"out\":[]}}}}},"
                "{\"path\":\"%s\",\"interfaces\":{\"" NAME "\":{\"methods\":{\"Do\":{\"in\":[],"
                "\"out\":[]}},\"properties\":{\"Level\":{\"type\":\"i\"}}}}},"
                "{\"path\":\"" ROOT "/{id}\",\"object\":\"{id}\",\"find\":\"object_manager\","
                "\"interfaces\":{\"" NAME "\":{\"properties\":{\"Level\":{\"type\":\"i\"}}}}}]",
                fixture->deep_path);

        gateway_stage_add_mapping(fixture->stage, "test", NAME, "", objects);
}

static void set_up(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *elements = repeat("/e", DEPTH);
        g_autofree char *long_element = g_strnfill(LONG_ELEMENT, 'x');
        g_autofree char *long_path = g_strdup_printf(ROOT "/%s", long_element);

        fixture->deep_path = g_strdup_printf(ROOT "%s", elements);
        fixture->deep_object = g_strdelimit(g_strdup(elements + 1), "/", '.');
        fixture->stage = gateway_stage_new();
        add_mapping(fixture);
        broker_start(fixture->stage->broker);
        dbus_daemon_start(fixture->stage->bus);
        fixture->service = scripted_service_new(fixture->stage->bus);
        scripted_service_manage(fixture->service, ROOT);
        scripted_service_set(fixture->service, fixture->deep_path, NAME, "Level",
                             g_variant_new_int32(100));
        scripted_service_set(fixture->service, long_path, NAME, "Level", g_variant_new_int32(1));
        scripted_service_set(fixture->service, ROOT "/_", NAME, "Level", g_variant_new_int32(2));
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
        g_free(fixture->deep_path);
        g_free(fixture->deep_object);
}

static char *call(Fixture *fixture, const char *object, const char *method)
{
        MqttRequest request = {.service = "test", .object = object, .method = method};

        return mqtt_client_call(fixture->stage->client, &request);
}

/* ---- topics ---- */

/* Names by the grammar that no object has, whatever path one could read into them. */
static void test_names_of_no_object(Fixture *fixture, gconstpointer unused)
{
        static const char *const names[] = {
                ".",
                "..",
                "...",
                ".org.example.Test",
                "_",
                "e..e",
                ".e",
                "e.",
                "-.-",
                "--",
                "-e",
                "0",
                "e.e.e",
                "....",
                "_.call.Do.alice",
                "test",
        };

        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
                g_autofree char *reply = call(fixture, names[i], "Do");

                g_assert_cmpint(rpc_reply_get_code(reply), <, 0);
        }
        g_assert_cmpuint(scripted_service_count(fixture->service, "Do"), ==, 0);
}

/* Not names by the grammar: nobody answers, and nothing is called. */
static void test_topics_that_are_none(Fixture *fixture, gconstpointer unused)
{
        static const char request[] = "{\"jsonrpc\":\"2.0\",\"id\":\"x\"}";
        static const char *const topics[] = {
                "mb1/test//call/Do/alice",           "mb1/test/ /call/Do/alice",
                "mb1/test/$meta/call/Do/alice",      "mb1/test/a b/call/Do/alice",
                "mb1/test/\xc3\xa4/call/Do/alice",   "mb1/test/-/call//alice",
                "mb1/test/-/call/D o/alice",         "mb1/test/-/call/Do'/alice",
                "mb1/test/-/call/$SYS/alice",        "mb1/test/%2f/call/Do/alice",
                "mb1/test/\\..\\/call/Do/alice",     "mb1/test/-/call/Do;id/alice",
                "mb1/test/-/call/org:example/alice",
        };
        g_autofree char *huge = g_strnfill(65000, 'x');
        g_autofree char *topic = g_strdup_printf("mb1/test/%s/call/Do/alice", huge);
        g_autofree char *reply = NULL;

        for (size_t i = 0; i < G_N_ELEMENTS(topics); i++)
                mqtt_client_publish(fixture->stage->client, topics[i], request, strlen(request));
        mqtt_client_publish(fixture->stage->client, topic, request, strlen(request));
        /* requests are taken in order: what comes first was looked at first */
        reply = call(fixture, "-", "Do");
        rpc_reply_assert_result(reply, "null");
        g_assert_cmpuint(mqtt_client_collect(fixture->stage->client), ==, 0);
        g_assert_cmpuint(scripted_service_count(fixture->service, "Do"), ==, 1);
}

/* ---- paths ---- */

static void test_deep_path(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *topic = g_strdup_printf("test/%s/prop/Level", fixture->deep_object);
        g_autofree char *reply = NULL;

        mqtt_mirror_expect(fixture->mirror, topic, "100");
        scripted_service_set(fixture->service, fixture->deep_path, NAME, "Level",
                             g_variant_new_int32(101));
        scripted_service_tell(fixture->service, fixture->deep_path, NAME, "Level", false);
        mqtt_mirror_expect(fixture->mirror, topic, "101");
        reply = call(fixture, fixture->deep_object, "Do");
        rpc_reply_assert_result(reply, "null");
}

/* It has no name in topics; the others have theirs. */
static void test_path_too_long_for_a_topic(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *element = g_strnfill(LONG_ELEMENT, 'y');
        g_autofree char *path = g_strdup_printf(ROOT "/%s", element);

        mqtt_mirror_expect(fixture->mirror, "test/_/prop/Level", "2");
        scripted_service_set(fixture->service, path, NAME, "Level", g_variant_new_int32(3));
        scripted_service_tell_added(fixture->service, path, NAME);
        scripted_service_set(fixture->service, ROOT "/last", NAME, "Level", g_variant_new_int32(4));
        scripted_service_tell_added(fixture->service, ROOT "/last", NAME);
        mqtt_mirror_expect(fixture->mirror, "test/last/prop/Level", "4");
        scripted_service_remove(fixture->service, path, NAME);
        scripted_service_remove(fixture->service, ROOT "/last", NAME);
        mqtt_mirror_expect(fixture->mirror, "test/last/$meta", NULL);
        g_assert_cmpuint(mqtt_mirror_count_retained(fixture->mirror, "test/x"), ==, 0);
        g_assert_cmpuint(mqtt_mirror_count_retained(fixture->mirror, "test/y"), ==, 0);
}

static const struct {
        const char *path;
        void (*function)(Fixture *fixture, gconstpointer unused);
} tests[] = {
        {"names-of-no-object", test_names_of_no_object},
        {"topics-that-are-none", test_topics_that_are_none},
        {"deep-path", test_deep_path},
        {"path-too-long-for-a-topic", test_path_too_long_for_a_topic},
};

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
                g_autofree char *path = g_strdup_printf("/strange-names/trap-27-%s", tests[i].path);

                g_test_add(path, Fixture, NULL, set_up, tests[i].function, tear_down);
        }
        return g_test_run();
}
