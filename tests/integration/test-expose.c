/* SPDX-License-Identifier: MIT */

/* Calls through the gateway to a test service and back: names, errors, caps, time. One gateway
 * serves all tests of this file. Types are in test-expose-types.c, restarts in
 * test-gateway-liveness.c. */

#include "common/limits.h"
#include "tests/support/gateway-stage.h"
#include "tests/support/rpc-reply.h"
#include "tests/support/wait.h"

#include <string.h>

static GatewayStage *stage;

static char *call(const char *method, const char *params)
{
        return gateway_stage_call(stage, "test", method, params);
}

static char *call_object(const char *object, const char *method, const char *params)
{
        MqttRequest request = {
                .service = "test", .object = object, .method = method, .params = params};

        return mqtt_client_call(stage->client, &request);
}

static void assert_result(const char *method, const char *params, const char *expected)
{
        g_autofree char *reply = call(method, params);

        rpc_reply_assert_result(reply, expected);
}

static void assert_error(const char *method, const char *params, int code, const char *executed,
                         const char *text)
{
        g_autofree char *reply = call(method, params);

        rpc_reply_assert_error(reply, code, NULL, executed, text);
}

/* How often the service was called so. */
static void assert_count(const char *method, unsigned expected)
{
        g_autofree char *params = g_strdup_printf("[\"%s\"]", method);
        g_autofree char *count = g_strdup_printf("%u", expected);

        assert_result("Count", params, count);
}

/* ---- parameters, results, names ---- */

static void test_result_has_the_form_of_the_arguments(void)
{
        assert_result("EchoNone", NULL, "null");
        assert_result("EchoNone", "[]", "null");
        assert_result("EchoTwo", "[1,\"x\"]", "[1,\"x\"]");
        assert_result("EchoObject", "[1,\"x\"]", "{\"a\":1,\"b\":\"x\"}");
}

static void test_parameters_go_by_position_or_by_name(void)
{
        assert_result("EchoTwo", "{\"b\":\"x\",\"a\":1}", "[1,\"x\"]");
        assert_error("EchoTwo", "{\"a\":1}", -32602, "no", "'b'");
        assert_error("EchoTwo", "{\"a\":1,\"b\":\"x\",\"c\":0}", -32602, "no", "[\"c\"]");
        assert_error("EchoTwo", "[1]", -32602, "no", "'b'");
        assert_error("EchoTwo", "[1,\"x\",2]", -32602, "no", NULL);
        assert_error("EchoTwo", NULL, -32602, "no", NULL);
}

static void test_member_has_the_name_of_the_mapping(void)
{
        assert_result("renamed", "[\"x\"]", "\"x\"");
        assert_error("EchoRenamed", "[\"x\"]", -32601, "no", "'EchoRenamed'");
}

static void test_what_is_not_mapped_does_not_exist(void)
{
        g_autofree char *reply = call_object("nowhere", "EchoNone", NULL);

        rpc_reply_assert_error(reply, -32002, NULL, "no", "'nowhere'");
        assert_error("EchoUnmapped", "[]", -32601, "no", "'EchoUnmapped'");
        assert_error("EchoHidden", "[]", -32601, "no", "'EchoHidden'");
        assert_error("Introspect", "[]", -32601, "no", "'Introspect'");
        assert_count("EchoUnmapped", 0);
        assert_count("EchoHidden", 0);
}

/* ---- introspection ---- */

static void test_star_means_what_introspection_shows(void)
{
        g_autofree char *shown = call_object("star", "EchoShown", "[7]");
        g_autofree char *named = call_object("star", "EchoShown", "{\"number\":8}");
        g_autofree char *wrong = call_object("star", "EchoShown", "[\"x\"]");
        g_autofree char *excepted = call_object("star", "EchoExcepted", "[]");
        g_autofree char *deprecated = call_object("star", "EchoDeprecated", "[]");
        g_autofree char *unknown = call_object("star", "EchoUnknown", "[]");

        rpc_reply_assert_result(shown, "7");
        rpc_reply_assert_result(named, "8");
        rpc_reply_assert_error(wrong, -32602, NULL, "no", "number");
        rpc_reply_assert_error(excepted, -32601, NULL, "no", NULL);
        rpc_reply_assert_error(deprecated, -32601, NULL, "no", NULL);
        rpc_reply_assert_error(unknown, -32601, NULL, "no", NULL);
        assert_count("EchoExcepted", 0);
}

static void test_method_that_never_replies_is_answered_at_once(void)
{
        g_autofree char *reply = call_object("star", "NeverReplies", "[]");

        rpc_reply_assert_result(reply, "null");
        assert_count("NeverReplies", 1);
}

static void test_broken_introspection_is_told_to_the_caller(void)
{
        g_autofree char *open = call_object("broken", "EchoShown", "[7]");
        g_autofree char *typed = call_object("broken", "EchoTyped", "[7]");
        g_autofree char *none = call_object("absent", "EchoShown", "[7]");

        rpc_reply_assert_error(open, -32000, "org.freedesktop.DBus.Error.InconsistentMessage", "no",
                               "introspection of /org/example/Test/broken");
        /* what the mapping types by itself needs none */
        rpc_reply_assert_result(typed, "7");
        rpc_reply_assert_error(none, -32601, NULL, "no", NULL);
}

static void test_wrong_introspection_is_found_out_by_the_result(void)
{
        g_autofree char *reply = call_object("star", "Wrong", "[]");

        rpc_reply_assert_error(reply, -32603, NULL, "yes", "Wrong");
}

static void test_mute_object_does_not_stall_another(void)
{
        MqttRequest mute = {.service = "test", .object = "mute", .method = "EchoShown"};
        g_autofree char *typed = call_object("mute", "EchoTyped", "[1]");
        g_autofree char *other = NULL;
        unsigned id = mqtt_client_send(stage->client, &mute);

        rpc_reply_assert_result(typed, "1");
        other = call_object("star", "EchoShown", "[7]");
        rpc_reply_assert_result(other, "7");
        assert_result("EchoNone", NULL, "null");
        g_assert_null(mqtt_client_wait(stage->client, id, 0));
}

static void test_types_come_from_the_file_beside_the_mapping(void)
{
        g_autofree char *reply = gateway_stage_call(stage, "other", "EchoFile",
                                                    "{\"big\":\"18446744073709551615\"}");

        rpc_reply_assert_result(reply, "\"18446744073709551615\"");
}

/* ---- errors ---- */

static void test_error_keeps_its_name(void)
{
        static const struct {
                const char *name;
                int code;
                const char *executed;
        } rows[] = {
                {"org.freedesktop.DBus.Error.Failed", -32000, NULL},
                {"org.example.Error.Custom", -32000, NULL},
                {"org.freedesktop.DBus.Error.UnknownMethod", -32601, "no"},
                {"org.freedesktop.DBus.Error.UnknownInterface", -32601, "no"},
                {"org.freedesktop.DBus.Error.InvalidArgs", -32602, NULL},
                {"org.freedesktop.DBus.Error.AccessDenied", -32001, NULL},
                {"org.freedesktop.DBus.Error.UnknownObject", -32002, "no"},
                {"org.freedesktop.DBus.Error.FileExists", -32003, NULL},
                {"org.freedesktop.DBus.Error.LimitsExceeded", -32004, NULL},
                {"org.freedesktop.DBus.Error.Timeout", -32005, "maybe"},
                {"org.freedesktop.DBus.Error.NoReply", -32012, "maybe"},
                {"System.Error.ECANCELED", -32006, NULL},
                {"org.freedesktop.DBus.Error.PropertyReadOnly", -32007, "no"},
                {"org.freedesktop.DBus.Error.NotSupported", -32008, NULL},
                {"System.Error.EMSGSIZE", -32009, NULL},
                {"org.freedesktop.DBus.Error.ServiceUnknown", -32012, "no"},
                {"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", -32013, "no"},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *params = g_strdup_printf("[\"%s\",\"why: %zu\"]", rows[i].name, i);
                g_autofree char *text = g_strdup_printf("why: %zu", i);
                g_autofree char *reply = call("Fail", params);

                rpc_reply_assert_error(reply, rows[i].code, rows[i].name, rows[i].executed, text);
        }
}

static void test_error_without_text_has_its_name_for_text(void)
{
        assert_error("Fail", "[\"org.example.Error.Bare\",\"\"]", -32000, NULL,
                     "org.example.Error.Bare");
}

/* Longer than a payload may be, in characters of several bytes. */
static void test_error_with_a_huge_text_is_still_told(void)
{
        g_autofree char *params =
                g_strdup_printf("[\"org.example.Error.Long\",%u]", 2 * LIMIT_PAYLOAD_BYTES);
        g_autofree char *reply = call("FailLong", params);

        rpc_reply_assert_error(reply, -32000, "org.example.Error.Long", NULL, "xxxx");
        g_assert_cmpuint(strlen(reply), <, 65536);
}

/* ---- time ---- */

static void assert_other(const char *method, const char *params, int code, const char *name,
                         const char *executed)
{
        g_autofree char *reply = gateway_stage_call(stage, "other", method, params);

        rpc_reply_assert_error(reply, code, name, executed, NULL);
}

static void test_timeout_of_the_mapping_ends_a_call(void)
{
        gint64 start = g_get_monotonic_time();

        assert_other("NeverShort", NULL, -32005, "org.freedesktop.DBus.Error.NoReply", "maybe");
        g_assert_cmpint(g_get_monotonic_time() - start, >=, 300000);
}

/* Its own end of the call is the caller's affair; here it shows in the room that the call took. */
static void test_time_left_to_the_caller_is_handed_to_dbus(void)
{
        MqttRequest slow = {
                .service = "other", .method = "Slow", .params = "[60000]", .ttl_msec = 300};
        gint64 start = g_get_monotonic_time();
        unsigned id = mqtt_client_send(stage->client, &slow);
        int code;

        assert_other("Slow", "[0]", -32004, NULL, "no");
        do {
                g_autofree char *reply = gateway_stage_call(stage, "other", "Slow", "[0]");

                code = rpc_reply_get_code(reply);
        } while (code == -32004 && g_get_monotonic_time() - start < (gint64)WAIT_MSEC * 1000);
        g_assert_cmpint(code, ==, 0);
        g_assert_cmpint(g_get_monotonic_time() - start, >=, 290000);
        g_assert_null(mqtt_client_wait(stage->client, id, 0));
}

static void test_death_of_the_callee_is_not_a_timeout(void)
{
        gint64 start = g_get_monotonic_time();

        assert_other("Die", NULL, -32012, "org.freedesktop.DBus.Error.NoReply", "maybe");
        g_assert_cmpint(g_get_monotonic_time() - start, <, (gint64)WAIT_MSEC * 1000);
}

/* ---- activation ---- */

static void test_call_starts_a_service_unless_its_mapping_forbids(void)
{
        g_autofree char *started = NULL;
        g_autofree char *running = NULL;

        assert_other("Die", NULL, -32012, NULL, "maybe");
        g_assert_true(dbus_daemon_wait_name(stage->bus, "org.example.Other", false, WAIT_MSEC));
        assert_other("EchoNoStart", "[1]", -32012, NULL, "no");
        started = gateway_stage_call(stage, "other", "EchoFile", "[1]");
        rpc_reply_assert_result(started, "1");
        running = gateway_stage_call(stage, "other", "EchoNoStart", "[1]");
        rpc_reply_assert_result(running, "1");
}

/* ---- notifications ---- */

static void test_notification_wants_no_answer_from_dbus(void)
{
        MqttRequest note = {
                .service = "test", .method = "Note", .params = "[\"quiet\"]", .notification = true};
        MqttRequest wrong = {
                .service = "test", .method = "Note", .params = "[1]", .notification = true};

        mqtt_client_send(stage->client, &note);
        assert_result("LastNote", NULL, "[\"quiet\",false]");
        assert_result("Note", "[\"loud\"]", "null");
        assert_result("LastNote", NULL, "[\"loud\",true]");
        mqtt_client_send(stage->client, &wrong);
        assert_result("LastNote", NULL, "[\"loud\",true]");
        g_assert_cmpuint(mqtt_client_collect(stage->client), ==, 0);
}

/* ---- file descriptors ---- */

static bool has_fds(void *count)
{
        return gateway_process_count_fds(stage->gateway) == GPOINTER_TO_UINT(count);
}

/* A descriptor is closed with its message, which may be just after the reply was sent. */
static void test_descriptors_are_refused_both_ways_and_closed(void)
{
        unsigned before = gateway_process_count_fds(stage->gateway);

        for (unsigned i = 0; i < 20; i++) {
                g_autofree char *in = call_object("lying", "EchoFd", "[3]");
                g_autofree char *out = call_object("lying", "openFd", "[]");
                g_autofree char *hidden = call_object("lying", "GiveFd", "[]");
                g_autofree char *inside = call_object("lying", "GiveVariantFd", "[]");

                rpc_reply_assert_error(in, -32008, NULL, "no", "file descriptor");
                rpc_reply_assert_error(out, -32008, NULL, "no", "file descriptor");
                rpc_reply_assert_error(hidden, -32603, NULL, "yes", NULL);
                rpc_reply_assert_error(inside, -32008, NULL, "yes", NULL);
        }
        g_assert_true(wait_until(has_fds, GUINT_TO_POINTER(before), WAIT_MSEC));
        assert_count("EchoFd", 0);
        assert_count("GiveFd", 20);
}

/* ---- caps ---- */

static void test_calls_in_flight_are_capped_by_service(void)
{
        MqttRequest never = {.service = "other", .method = "NeverShort"};
        g_autofree char *after = NULL;
        unsigned ids[4];

        for (unsigned i = 0; i < G_N_ELEMENTS(ids); i++)
                ids[i] = mqtt_client_send(stage->client, &never);
        {
                g_autofree char *busy = gateway_stage_call(stage, "other", "EchoFile", "[1]");

                rpc_reply_assert_error(busy, -32004, NULL, "no", "in flight");
                g_assert_nonnull(strstr(busy, "\"retry_after_ms\":"));
        }
        assert_result("EchoNone", NULL, "null"); /* another service has room */
        for (unsigned i = 0; i < G_N_ELEMENTS(ids); i++) {
                g_autofree char *reply = mqtt_client_wait(stage->client, ids[i], WAIT_MSEC);

                g_assert_nonnull(reply);
                rpc_reply_assert_error(reply, -32005, NULL, "maybe", NULL);
        }
        after = gateway_stage_call(stage, "other", "EchoFile", "[1]");
        rpc_reply_assert_result(after, "1");
}

/* Just below the limit, at it, and far beyond: there is always an answer. */
static void test_result_that_is_too_large_is_an_error(void)
{
        unsigned n_passed = 0, n_refused = 0;

        for (unsigned length = LIMIT_PAYLOAD_BYTES - 128; length <= LIMIT_PAYLOAD_BYTES + 16;
             length += 8) {
                g_autofree char *params = g_strdup_printf("[%u]", length);
                g_autofree char *reply = call("Huge", params);

                if (rpc_reply_get_code(reply) == 0) {
                        g_assert_cmpuint(n_refused, ==, 0);
                        n_passed++;
                } else {
                        rpc_reply_assert_error(reply, -32009, NULL, "yes", NULL);
                        n_refused++;
                }
        }
        g_assert_cmpuint(n_passed, >, 0);
        g_assert_cmpuint(n_refused, >, 0);
        assert_error("Huge", "[16000000]", -32009, "yes", NULL);
        assert_result("EchoNone", NULL, "null");
}

static void test_call_that_crossed_many_gateways_is_refused(void)
{
        MqttRequest request = {.service = "test", .method = "EchoNone", .hops = LIMIT_HOPS};
        g_autofree char *refused = mqtt_client_call(stage->client, &request);
        g_autofree char *passed = NULL;

        rpc_reply_assert_error(refused, -32000, NULL, "no", "loop");
        request.hops = LIMIT_HOPS - 1;
        passed = mqtt_client_call(stage->client, &request);
        rpc_reply_assert_result(passed, "null");
}

/* ---- the generic endpoint ---- */

static char *call_generic(const char *payload)
{
        mqtt_client_publish(stage->client, "mb1/test/-/rpc/alice", payload, strlen(payload));
        return mqtt_client_wait_any(stage->client, WAIT_MSEC);
}

static void test_batch_calls_only_what_anybody_may_read(void)
{
        g_autofree char *reply =
                call_generic("[{\"id\":1,\"method\":\"EchoRead\",\"params\":[\"a\"]},"
                             "{\"id\":2,\"method\":\"EchoControl\",\"params\":[\"b\"]},"
                             "{\"method\":\"EchoSecret\",\"params\":[\"by the back door\"]},"
                             "{\"id\":3,\"method\":\"EchoBatch\",\"params\":[\"c\"]},"
                             "{\"id\":4,\"method\":\"EchoTwo\",\"params\":[1,\"d\"]},"
                             "{\"id\":5,\"method\":\"EchoRead\",\"params\":[5]}]");

        g_assert_nonnull(reply);
        g_assert_nonnull(strstr(reply, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"a\"}"));
        g_assert_nonnull(strstr(reply, "\"id\":2,\"error\":{\"code\":-32001,"));
        g_assert_nonnull(strstr(reply, "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":\"c\"}"));
        g_assert_nonnull(strstr(reply, "\"id\":4,\"error\":{\"code\":-32001,"));
        g_assert_nonnull(strstr(reply, "\"id\":5,\"error\":{\"code\":-32602,"));
        assert_count("EchoControl", 0);
        assert_count("EchoSecret", 0);
}

static void test_single_request_by_rpc_follows_the_same_rule(void)
{
        g_autofree char *read =
                call_generic("{\"id\":\"r\",\"method\":\"EchoRead\",\"params\":[\"a\"]}");
        g_autofree char *control =
                call_generic("{\"id\":\"c\",\"method\":\"EchoControl\",\"params\":[\"a\"]}");

        rpc_reply_assert_result(read, "\"a\"");
        rpc_reply_assert_error(control, -32001, NULL, "no", "control");
}

static void test_topic_of_one_method_calls_no_other(void)
{
        static const char batch[] = "[{\"id\":1,\"method\":\"EchoSecret\",\"params\":[\"x\"]}]";
        static const char other[] = "{\"id\":2,\"method\":\"EchoSecret\",\"params\":[\"x\"]}";
        const char *topic = "mb1/test/-/call/EchoRead/alice";
        g_autofree char *refused_batch = NULL;
        g_autofree char *refused_other = NULL;

        mqtt_client_publish(stage->client, topic, batch, strlen(batch));
        refused_batch = mqtt_client_wait_any(stage->client, WAIT_MSEC);
        rpc_reply_assert_error(refused_batch, -32600, NULL, NULL, "batch");
        mqtt_client_publish(stage->client, topic, other, strlen(other));
        refused_other = mqtt_client_wait_any(stage->client, WAIT_MSEC);
        rpc_reply_assert_error(refused_other, -32600, NULL, NULL, "method");
        assert_count("EchoSecret", 0);
}

/* ---- the stage ---- */

#define INTERFACE(methods) "{ \"org.example.Test1\": { \"methods\": {" methods "} } }"

static const char root_methods[] =
        "\"Count\": { \"in\": [\"method:s\"], \"out\": [\"count:u\"] },"
        "\"EchoNone\": { \"in\": [], \"out\": [] },"
        "\"EchoTwo\": { \"in\": [\"a:i\", \"b:s\"], \"out\": [\"a:i\", \"b:s\"] },"
        "\"EchoObject\": { \"in\": [\"a:i\", \"b:s\"], \"out\": [\"a:i\", \"b:s\"],"
        "                  \"result\": \"object\" },"
        "\"EchoRenamed\": { \"as\": \"renamed\", \"in\": [\"a:s\"], \"out\": [\"a:s\"] },"
        "\"EchoHidden\": false,"
        "\"EchoRead\": { \"in\": [\"a:s\"], \"out\": [\"a:s\"], \"access\": \"read\" },"
        "\"EchoControl\": { \"in\": [\"a:s\"], \"out\": [\"a:s\"], \"access\": \"control\" },"
        "\"EchoSecret\": { \"in\": [\"a:s\"], \"out\": [\"a:s\"] },"
        "\"EchoBatch\": { \"in\": [\"a:s\"], \"out\": [\"a:s\"], \"access\": \"control\","
        "                 \"batch\": true },"
        "\"Fail\": { \"in\": [\"name:s\", \"text:s\"], \"out\": [] },"
        "\"FailLong\": { \"in\": [\"name:s\", \"length:u\"], \"out\": [] },"
        "\"Note\": { \"in\": [\"text:s\"], \"out\": [] },"
        "\"LastNote\": { \"in\": [], \"out\": [\"text:s\", \"reply:b\"] },"
        "\"Huge\": { \"in\": [\"length:u\"], \"out\": [\"text:s\"] }";

static const char lying_methods[] =
        "\"EchoFd\": { \"in\": [\"fd:h\"], \"out\": [] },"
        "\"Open\": { \"as\": \"openFd\", \"in\": [], \"out\": [\"fd:h\"] },"
        "\"GiveFd\": { \"in\": [], \"out\": [\"fd:s\"] },"
        "\"GiveVariantFd\": { \"in\": [], \"out\": [\"fd:v\"] }";

static const char open_methods[] = "\"EchoTyped\": { \"in\": [\"n:i\"], \"out\": [\"n:i\"] },"
                                   "\"EchoExcepted\": false, \"*\": {}";

static const char other_methods[] =
        "\"Die\": { \"in\": [], \"out\": [] },"
        "\"EchoFile\": {},"
        "\"EchoNoStart\": { \"in\": [\"n:i\"], \"out\": [\"n:i\"],"
        "                   \"no_auto_start\": true },"
        "\"NeverShort\": { \"in\": [], \"out\": [], \"timeout_ms\": 300 },"
        "\"Slow\": { \"in\": [\"msec:u\"], \"out\": [],"
        "            \"max_in_flight\": 1 }";

static const char star_xml[] =
        "<node><interface name=\"org.example.Test1\">"
        "<method name=\"EchoShown\"><arg name=\"number\" type=\"i\" direction=\"in\"/>"
        "<arg name=\"number\" type=\"i\" direction=\"out\"/></method>"
        "<method name=\"EchoExcepted\"/>"
        "<method name=\"EchoDeprecated\">"
        "<annotation name=\"org.freedesktop.DBus.Deprecated\" value=\"true\"/></method>"
        "<method name=\"NeverReplies\">"
        "<annotation name=\"org.freedesktop.DBus.Method.NoReply\" value=\"true\"/></method>"
        "<method name=\"Wrong\"><arg type=\"i\" direction=\"out\"/></method>"
        "</interface></node>";

static const char other_xml[] =
        "<node><interface name=\"org.example.Test1\">"
        "<method name=\"EchoFile\"><arg name=\"big\" type=\"t\" direction=\"in\"/>"
        "<arg name=\"big\" type=\"t\" direction=\"out\"/></method>"
        "</interface></node>";

static void add_object(GString *objects, const char *path, const char *methods)
{
        g_string_append_printf(objects,
                               "%s{ \"path\": \"%s\", \"interfaces\": " INTERFACE("%s") "}",
                               objects->len > 1 ? "," : "", path, methods);
}

static void write_mappings(void)
{
        g_autoptr(GString) objects = g_string_new("[");
        g_autoptr(GString) other = g_string_new("[");

        add_object(objects, "/org/example/Test", root_methods);
        add_object(objects, "/org/example/Test/lying", lying_methods);
        add_object(objects, "/org/example/Test/star", open_methods);
        add_object(objects, "/org/example/Test/mute", open_methods);
        add_object(objects, "/org/example/Test/broken", open_methods);
        add_object(objects, "/org/example/Test/absent", open_methods);
        g_string_append_c(objects, ']');
        gateway_stage_add_mapping(stage, "test", "org.example.Test", "", objects->str);
        add_object(other, "/org/example/Other", other_methods);
        g_string_append_c(other, ']');
        gateway_stage_add_mapping(stage, "other", "org.example.Other",
                                  "\"max_in_flight\": 4, \"introspection\": \"other.xml\",",
                                  other->str);
        g_free(gateway_stage_write(stage, "other.xml", other_xml));
}

static Process *set_up(void)
{
        g_autofree char *star = NULL;
        g_autofree char *broken = NULL;
        g_autofree char *star_option = NULL;
        g_autofree char *broken_option = NULL;
        g_autofree char *command = gateway_stage_dup_command("org.example.Other");
        const char *arguments[] = {"--introspection",
                                   NULL,
                                   "--introspection",
                                   NULL,
                                   "--introspection",
                                   "/org/example/Test/mute=mute",
                                   NULL};

        stage = gateway_stage_new();
        write_mappings();
        star = gateway_stage_write(stage, "star.xml", star_xml);
        broken = gateway_stage_write(stage, "broken.xml", "<node><interface");
        arguments[1] = star_option = g_strdup_printf("/org/example/Test/star=%s", star);
        arguments[3] = broken_option = g_strdup_printf("/org/example/Test/broken=%s", broken);
        dbus_daemon_add_service(stage->bus, "org.example.Other", command);
        gateway_stage_start(stage);
        return gateway_stage_start_service(stage, "org.example.Test", arguments);
}

static const struct {
        const char *path;
        GTestFunc function;
} tests[] = {
        {"/expose/result/has-the-form-of-the-arguments", test_result_has_the_form_of_the_arguments},
        {"/expose/params/go-by-position-or-by-name", test_parameters_go_by_position_or_by_name},
        {"/expose/member/has-the-name-of-the-mapping", test_member_has_the_name_of_the_mapping},
        {"/expose/member/does-not-exist-unless-mapped", test_what_is_not_mapped_does_not_exist},
        {"/expose/introspection/star-means-what-it-shows",
         test_star_means_what_introspection_shows},
        {"/expose/introspection/method-that-never-replies-is-answered-at-once",
         test_method_that_never_replies_is_answered_at_once},
        {"/expose/introspection/broken-is-told-to-the-caller",
         test_broken_introspection_is_told_to_the_caller},
        {"/expose/trap-8-introspection/wrong-is-found-out-by-the-result",
         test_wrong_introspection_is_found_out_by_the_result},
        {"/expose/introspection/mute-object-does-not-stall-another",
         test_mute_object_does_not_stall_another},
        {"/expose/trap-8-introspection/comes-from-the-file-beside-the-mapping",
         test_types_come_from_the_file_beside_the_mapping},
        {"/expose/error/keeps-its-name", test_error_keeps_its_name},
        {"/expose/error/has-its-name-for-text", test_error_without_text_has_its_name_for_text},
        {"/expose/error/with-a-huge-text-is-still-told", test_error_with_a_huge_text_is_still_told},
        {"/expose/time/timeout-of-the-mapping-ends-a-call",
         test_timeout_of_the_mapping_ends_a_call},
        {"/expose/time/left-to-the-caller-is-handed-to-dbus",
         test_time_left_to_the_caller_is_handed_to_dbus},
        {"/expose/time/death-of-the-callee-is-not-a-timeout",
         test_death_of_the_callee_is_not_a_timeout},
        {"/expose/trap-16-activation/call-starts-a-service-unless-its-mapping-forbids",
         test_call_starts_a_service_unless_its_mapping_forbids},
        {"/expose/notification/wants-no-answer-from-dbus",
         test_notification_wants_no_answer_from_dbus},
        {"/expose/trap-7-descriptor/is-refused-both-ways-and-closed",
         test_descriptors_are_refused_both_ways_and_closed},
        {"/expose/cap/calls-in-flight-by-service", test_calls_in_flight_are_capped_by_service},
        {"/expose/trap-31-cap/result-that-is-too-large-is-an-error",
         test_result_that_is_too_large_is_an_error},
        {"/expose/cap/call-that-crossed-many-gateways-is-refused",
         test_call_that_crossed_many_gateways_is_refused},
        {"/expose/trap-39-rpc/batch-calls-only-what-anybody-may-read",
         test_batch_calls_only_what_anybody_may_read},
        {"/expose/trap-39-rpc/single-request-follows-the-same-rule",
         test_single_request_by_rpc_follows_the_same_rule},
        {"/expose/trap-29-rpc/topic-of-one-method-calls-no-other",
         test_topic_of_one_method_calls_no_other},
};

int main(int argc, char **argv)
{
        CLEANUP_PROCESS Process *service = NULL;
        int status;

        g_test_init(&argc, &argv, NULL);
        for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
                g_test_add_func(tests[i].path, tests[i].function);
        service = set_up();
        status = g_test_run();
        gateway_stage_free(stage);
        return status;
}
