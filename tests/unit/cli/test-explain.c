/* SPDX-License-Identifier: MIT */

#include "cli/explain.h"

#include <glib.h>
#include <string.h>

#include "libmqttrpc/error.h"

static const CallContext context = {
        .service = "net",
        .object = "eth0",
        .method = "Scan",
        .root = "mb1",
        .caller = "alice",
        .user = "alice",
        .timeout_usec = 2 * USEC_PER_SEC,
        .sees_refusals = true,
};

/* ---- errors that the peer sent ---- */

typedef struct Row {
        const char *name;
        const char *json;
        ExitStatus status;
        const char *text;
} Row;

#define STRING_HINT                                                                             \
        "hint: what reads as JSON is sent as that; a string that looks like JSON needs quotes " \
        "inside of quotes: '\"5\"'\n"

static const Row rows[] = {
        {"failed", "{\"code\":-32000,\"message\":\"no carrier\"}", STATUS_FAILED,
         "Scan failed: no carrier\n"},
        {"failed-by-dbus-name",
         "{\"code\":-32000,\"message\":\"no carrier\",\"data\":{\"name\":\"org.x.Error.NoCarrier\","
         "\"executed\":\"yes\"}}",
         STATUS_FAILED, "Scan failed: no carrier [org.x.Error.NoCarrier]\n"},
        {"name-of-the-code", "{\"code\":-32000,\"message\":\"x\",\"data\":{\"name\":\"FAILED\"}}",
         STATUS_FAILED, "Scan failed: x\n"},
        {"application-code", "{\"code\":42,\"message\":\"no carrier\"}", STATUS_FAILED,
         "Scan failed with code 42: no carrier\n"},
        {"detail", "{\"code\":42,\"message\":\"x\",\"data\":{\"detail\":\"antenna is missing\"}}",
         STATUS_FAILED, "Scan failed with code 42: x (antenna is missing)\n"},
        {"data-of-another-shape", "{\"code\":42,\"message\":\"x\",\"data\":[1,2]}", STATUS_FAILED,
         "Scan failed with code 42: x\n"},
        {"wrong-argument",
         "{\"code\":-32602,\"message\":\"expected a string, got a number\","
         "\"data\":{\"field\":\"zone\"}}",
         STATUS_BAD_REQUEST,
         "wrong argument: expected a string, got a number (argument 'zone')\n" STRING_HINT},
        {"wrong-argument-named-in-the-text",
         "{\"code\":-32602,\"message\":\"argument 'zone' (s): expected a string\","
         "\"data\":{\"field\":\"zone\"}}",
         STATUS_BAD_REQUEST,
         "wrong argument: argument 'zone' (s): expected a string\n" STRING_HINT},
        {"no-method",
         "{\"code\":-32601,\"message\":\"net/eth0 has no method 'Scan'\",\"data\":{\"name\":"
         "\"org.freedesktop.DBus.Error.UnknownMethod\"}}",
         STATUS_BAD_REQUEST,
         "no such method: net/eth0 has no method 'Scan' "
         "[org.freedesktop.DBus.Error.UnknownMethod]\n"
         "hint: is 'Scan' spelled right (upper and lower case count), and 'eth0' the right "
         "object?\n"},
        {"not-found", "{\"code\":-32002,\"message\":\"net has no object 'eth0'\"}", STATUS_FAILED,
         "not found: net has no object 'eth0'\n"},
        {"busy-with-retry",
         "{\"code\":-32004,\"message\":\"64 requests in flight\",\"data\":{\"retry_after_ms\":"
         "250,\"executed\":\"no\"}}",
         STATUS_TRY_AGAIN,
         "'net' is busy: 64 requests in flight; the method was not executed\n"
         "hint: try again in 250 ms\n"},
        {"unavailable",
         "{\"code\":-32012,\"message\":\"nobody owns org.x\",\"data\":{\"executed\":\"no\"}}",
         STATUS_NO_SERVICE,
         "'net' is not available: nobody owns org.x; the method was not executed\n"
         "hint: what serves it on MQTT is there, the D-Bus service behind it is not: is it "
         "installed, and does it start?\n"},
        {"unavailable-maybe-executed",
         "{\"code\":-32012,\"message\":\"it died\",\"data\":{\"executed\":\"maybe\"}}",
         STATUS_NO_SERVICE,
         "'net' is not available: it died; the method may have been executed\n"
         "hint: what serves it on MQTT is there, the D-Bus service behind it is not: is it "
         "installed, and does it start?\n"},
        {"denied-by-the-service", "{\"code\":-32001,\"message\":\"not for you\"}", STATUS_DENIED,
         "access denied by 'net': not for you\n"},
        {"authentication", "{\"code\":-32013,\"message\":\"interactive\"}", STATUS_DENIED,
         "'net' wants an authentication: interactive\n"
         "hint: nobody can be asked for a password by way of MQTT; the policy of the service "
         "(polkit) has to allow it without\n"},
        {"timeout-over-there", "{\"code\":-32005,\"message\":\"D-Bus was slow\"}", STATUS_TIMEOUT,
         "timed out at 'net': D-Bus was slow; the method may have been executed\n"},
        {"reply-too-large",
         "{\"code\":-32009,\"message\":\"2 MiB\",\"data\":{\"executed\":\"yes\"}}", STATUS_FAILED,
         "too large: 2 MiB; the method was executed\n"},
        {"stale", "{\"code\":-32010,\"message\":\"new epoch\"}", STATUS_TRY_AGAIN,
         "'net' has been restarted: new epoch; the method was not executed\n"
         "hint: try again\n"},
        {"terminal-controls", "{\"code\":42,\"message\":\"\\u001b[2J\\na\\u009bb\"}", STATUS_FAILED,
         "Scan failed with code 42: ?[2J a?b\n"},
        {"braces", "{\"code\":42,\"message\":\"{service}\"}", STATUS_FAILED,
         "Scan failed with code 42: {service}\n"},
        {"huge-retry",
         "{\"code\":-32004,\"message\":\"x\",\"data\":{\"retry_after_ms\":18446744073709551615}}",
         STATUS_TRY_AGAIN,
         "'net' is busy: x; the method was not executed\nhint: try again in 1440 min\n"},
};

static void test_remote(gconstpointer data)
{
        const Row *row = data;
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        CLEANUP_JSON_DOC JsonDoc doc = {};
        MqttRpcError *error;

        g_assert_cmpint(json_scan(&doc, row->json, strlen(row->json), JSON_SCAN_STRICT), ==, 0);
        error = mqttrpc_error_read(&doc, 0);
        g_assert_true(mqttrpc_error_is_remote(error));
        g_assert_cmpint(explain_error(&buffer, error, &context), ==, 0);
        g_assert_cmpstr(buffer_text(&buffer), ==, row->text);
        g_assert_cmpint(explain_status(error), ==, row->status);
        mqttrpc_error_free(error);
}

/* ---- errors of this side ---- */

static void assert_local(int code, const char *message, const CallContext *where, ExitStatus status,
                         const char *text)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        MqttRpcError *error = mqttrpc_error_new(code, "%s", message);

        explain_error(&buffer, error, where);
        g_assert_cmpstr(buffer_text(&buffer), ==, text);
        g_assert_cmpint(explain_status(error), ==, status);
        mqttrpc_error_free(error);
}

static void test_local(void)
{
        assert_local(MQTTRPC_ERROR_NO_SERVICE, "x", &context, STATUS_NO_SERVICE,
                     "nobody serves 'net'\n"
                     "hint: is it spelled right and running? A D-Bus service needs "
                     "dbus-mqtt-gateway running, with a mapping for it loaded\n");
        assert_local(MQTTRPC_ERROR_PEER_LOST, "it is offline", &context, STATUS_NO_SERVICE,
                     "'net' went away during the call: it is offline; the method may have been "
                     "executed\n");
        assert_local(MQTTRPC_ERROR_DISCONNECTED, "broker x: gone", &context, STATUS_CONNECTION,
                     "the connection to the broker was lost: broker x: gone\n");
        assert_local(MQTTRPC_ERROR_INVALID_PARAMS, "x", &context, STATUS_USAGE, "x\n");
        assert_local(MQTTRPC_ERROR_TOO_LARGE, "x", &context, STATUS_USAGE, "too large: x\n");
        assert_local(MQTTRPC_ERROR_INTERNAL, "x", &context, STATUS_INTERNAL, "x\n");
        assert_local(MQTTRPC_ERROR_BUSY, "x", &context, STATUS_TRY_AGAIN,
                     "busy: x; the method was not executed\n");
}

static void test_timeout_names_what_else_it_may_be(void)
{
        CallContext blind = context;

        blind.sees_refusals = false;
        assert_local(MQTTRPC_ERROR_TIMEOUT, "x", &context, STATUS_TIMEOUT,
                     "timed out: no answer from 'net' within 2 s; the method may have been "
                     "executed\n"
                     "hint: allow it more time with --timeout, if it is slow\n");
        assert_local(MQTTRPC_ERROR_TIMEOUT, "x", &blind, STATUS_TIMEOUT,
                     "timed out: no answer from 'net' within 2 s; the method may have been "
                     "executed\n"
                     "hint: without MQTT 5 and QoS 1 a service that is not there, and a missing "
                     "right, look the same as a slow one\n");
}

#define DENIED(caller_, root_)                                                     \
        "access denied: '" caller_ "' may not call Scan of 'net', object 'eth0'\n" \
        "hint: the broker has no grant for the topic " root_ "/net/eth0/call/Scan/" caller_ "\n"

static void test_denial_names_the_grant(void)
{
        CallContext other_root = context, other_caller = context, anonymous = context;

        other_root.root = "dev/mb1";
        other_caller.caller = "bob";
        anonymous.caller = "mqttrpc-1";
        anonymous.user = NULL;
        assert_local(MQTTRPC_ERROR_ACCESS_DENIED, "x", &context, STATUS_DENIED,
                     DENIED("alice",
                            "mb1") "hint: an administrator grants it with: mqttrpc-adduser --call "
                                   "net/eth0/Scan alice\n");
        assert_local(MQTTRPC_ERROR_ACCESS_DENIED, "x", &other_root, STATUS_DENIED,
                     DENIED("alice", "dev/mb1") "hint: an administrator grants it with: "
                                                "mqttrpc-adduser --root dev/mb1 "
                                                "--call net/eth0/Scan alice\n");
        assert_local(MQTTRPC_ERROR_ACCESS_DENIED, "x", &other_caller, STATUS_DENIED,
                     DENIED("bob",
                            "mb1") "hint: 'alice' normally may call only by that name: leave "
                                   "--caller out\n"
                                   "hint: an administrator grants it with: mqttrpc-adduser --call "
                                   "net/eth0/Scan alice\n");
        assert_local(MQTTRPC_ERROR_ACCESS_DENIED, "x", &anonymous, STATUS_DENIED,
                     DENIED("mqttrpc-1", "mb1") "hint: log in with --user and --password-file\n");
}

static void test_no_memory_is_an_error_like_others(void)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);

        explain_error(&buffer, NULL, &context);
        g_assert_cmpstr(buffer_text(&buffer), ==, "out of memory\n");
        g_assert_cmpint(explain_status(NULL), ==, STATUS_INTERNAL);
}

/* Every code of the protocol has words of its own. */
static void test_knows_every_code(void)
{
        size_t count;
        const ErrorCode *codes = error_code_table(&count);

        for (size_t i = 0; i < count; i++) {
                CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
                MqttRpcError *error = mqttrpc_error_new(codes[i].code, "x");

                explain_error(&buffer, error, &context);
                g_assert_null(strstr(buffer_text(&buffer), "with code"));
                mqttrpc_error_free(error);
        }
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *path = g_strdup_printf("/cli-explain/remote/%s", rows[i].name);

                g_test_add_data_func(path, &rows[i], test_remote);
        }
        g_test_add_func("/cli-explain/local", test_local);
        g_test_add_func("/cli-explain/timeout-names-what-else-it-may-be",
                        test_timeout_names_what_else_it_may_be);
        g_test_add_func("/cli-explain/denial-names-the-grant", test_denial_names_the_grant);
        g_test_add_func("/cli-explain/no-memory-is-an-error-like-others",
                        test_no_memory_is_an_error_like_others);
        g_test_add_func("/cli-explain/knows-every-code", test_knows_every_code);
        return g_test_run();
}
