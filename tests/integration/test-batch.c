/* SPDX-License-Identifier: MIT */

/* The generic endpoint rpc/: the method in the body, batches, and what ACLs by method rest on. */

#include "tests/integration/serve.h"

#include <string.h>

#define RESULT(id, result) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":" result "}"

static const char *request(Serve *serve, const char *payload)
{
        return serve_request_to(serve, SERVE_RPC_TOPIC, payload);
}

static void test_single_request(Serve *serve, gconstpointer unused)
{
        g_assert_cmpstr(request(serve, "{\"id\":1,\"method\":\"Add\",\"params\":[1,2]}"), ==,
                        RESULT("1", "3"));
        serve_assert_error(request(serve, "{\"id\":1}"), "1", MQTTRPC_ERROR_INVALID_REQUEST);
        serve_assert_error(request(serve, "{\"id\":1,\"method\":\"a/b\"}"), "1",
                           MQTTRPC_ERROR_INVALID_REQUEST);
        serve_assert_error(request(serve, "{\"id\":1,\"method\":\"\"}"), "1",
                           MQTTRPC_ERROR_INVALID_REQUEST);
}

static void test_reading_members_only(Serve *serve, gconstpointer unused)
{
        static const char *const payloads[] = {
                "{\"id\":1,\"method\":\"Secret\",\"params\":[1]}",
                "{\"id\":1,\"method\":\"Silent\"}",
                "{\"id\":1,\"method\":\"FailByErrno\"}",
        };
        const char *reply;

        for (unsigned i = 0; i < G_N_ELEMENTS(payloads); i++)
                serve_assert_error(request(serve, payloads[i]), "1", MQTTRPC_ERROR_ACCESS_DENIED);
        serve_send_to(serve, SERVE_RPC_TOPIC, "{\"method\":\"Silent\"}");
        serve_assert_silence(serve);
        reply = request(serve, "[{\"id\":1,\"method\":\"Silent\"},{\"method\":\"Silent\"}]");
        serve_assert_error(reply + 1, "1", MQTTRPC_ERROR_ACCESS_DENIED);
        g_assert_cmpuint(serve->executed, ==, 0);
}

static void test_order_is_that_of_the_requests(Serve *serve, gconstpointer unused)
{
        serve_send_to(serve, SERVE_RPC_TOPIC,
                      "[{\"id\":1,\"method\":\"Hold\"},{\"id\":\"b\",\"method\":\"Add\","
                      "\"params\":[1,2]},{\"id\":3,\"method\":\"Hold\"}]");
        g_assert_true(LOOP_UNTIL(serve->n_held == 2));
        serve_assert_silence(serve);
        g_assert_cmpint(mqttrpc_request_reply(serve->held[1], "33", SIZE_MAX), ==, 0);
        serve_assert_silence(serve);
        g_assert_cmpint(serve_answer_held(serve, "11"), ==, 0);
        g_assert_cmpstr(raw_client_receive(serve->alice)->payload, ==,
                        "[" RESULT("1", "11") "," RESULT("\"b\"", "3") "," RESULT("3", "33") "]");
}

static void test_mixed_outcomes(Serve *serve, gconstpointer unused)
{
        g_autoptr(GString) pattern = g_string_new("^\\[");
        const char *reply;

        reply = request(serve, "[{\"id\":1,\"method\":\"Add\",\"params\":[1,2]},"
                               "{\"method\":\"Add\",\"params\":[1,2]},"
                               "{\"id\":2,\"method\":\"Fail\"},"
                               "{\"id\":3,\"method\":\"Nope\"},"
                               "7,"
                               "{\"id\":null,\"method\":\"Add\"},"
                               "{\"id\":5,\"method\":\"Add\",\"params\":[1]},"
                               "[]]");
        g_string_append(pattern, "\\{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":3\\}");
        g_string_append(pattern, ",[^}]*\"id\":2,\"error\":\\{\"code\":-32002,.*?\\}");
        g_string_append(pattern, ",[^}]*\"id\":3,\"error\":\\{\"code\":-32601,.*?\\}");
        g_string_append(pattern, ",[^}]*\"id\":null,\"error\":\\{\"code\":-32600,.*?\\}");
        g_string_append(pattern, ",[^}]*\"id\":null,\"error\":\\{\"code\":-32600,.*?\\}");
        g_string_append(pattern, ",[^}]*\"id\":5,\"error\":\\{\"code\":-32602,.*?\\}");
        g_string_append(pattern, ",[^}]*\"id\":null,\"error\":\\{\"code\":-32600,.*?\\}\\]$");
        if (!g_regex_match_simple(pattern->str, reply, 0, 0))
                g_error("unexpected: %s", reply);
}

static void test_notifications_alone(Serve *serve, gconstpointer unused)
{
        serve_send_to(serve, SERVE_RPC_TOPIC,
                      "[{\"method\":\"Echo\",\"params\":[1]},{\"method\":\"Nope\"}]");
        serve_assert_silence(serve);
        g_assert_cmpuint(serve->executed, ==, 1);
}

static void test_sizes(Serve *serve, gconstpointer unused)
{
        static const struct {
                unsigned items;
                bool accepted;
        } rows[] = {{0, false}, {1, true}, {64, true}, {65, false}};

        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autoptr(GString) text = g_string_new("[");
                const char *reply;

                for (unsigned k = 0; k < rows[i].items; k++)
                        g_string_append_printf(text,
                                               "%s{\"id\":%u,\"method\":\"Echo\",\"params\":[%u]}",
                                               k > 0 ? "," : "", k, k);
                g_string_append_c(text, ']');
                serve->executed = 0;
                reply = request(serve, text->str);
                g_assert_cmpuint(serve->executed, ==, rows[i].accepted ? rows[i].items : 0);
                if (!rows[i].accepted)
                        serve_assert_error(reply, "null", MQTTRPC_ERROR_INVALID_REQUEST);
        }
}

/* Some of the callers' time is over: what came in time is delivered. */
static void test_expired_item_is_left_out(Serve *serve, gconstpointer unused)
{
        serve_send_to(serve, SERVE_RPC_TOPIC,
                      "[{\"id\":1,\"method\":\"Hold\",\"x\":{\"ttl\":20}},"
                      "{\"id\":2,\"method\":\"Add\",\"params\":[1,1]}]");
        g_assert_cmpstr(raw_client_receive(serve->alice)->payload, ==, "[" RESULT("2", "2") "]");
        g_assert_cmpuint(serve->n_held, ==, 1);
}

static void test_repeated_batch_joins_the_first(Serve *serve, gconstpointer unused)
{
        static const char text[] =
                "[{\"id\":1,\"method\":\"Hold\"},{\"id\":2,\"method\":\"Hold\"}]";

        serve_send_to(serve, SERVE_RPC_TOPIC, text);
        g_assert_true(LOOP_UNTIL(serve->n_held == 2));
        mqttrpc_bus_close(serve->server);
        g_assert_cmpint(mqttrpc_bus_open(serve->server, NULL), ==, 0);
        g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_state(serve->server) == MQTTRPC_STATE_CONNECTED));
        serve_send_to(serve, SERVE_RPC_TOPIC, text);
        serve_assert_silence(serve);
        g_assert_cmpint(serve_answer_held(serve, "1"), ==, 0);
        g_assert_cmpint(serve_answer_held(serve, "2"), ==, 0);
        g_assert_cmpstr(raw_client_receive(serve->alice)->payload, ==,
                        "[" RESULT("1", "1") "," RESULT("2", "2") "]");
        serve_assert_silence(serve);
        g_assert_cmpuint(serve->executed, ==, 2);
}

static void test_responses_too_large_together(Serve *serve, gconstpointer unused)
{
        serve_assert_error(request(serve, "[{\"id\":1,\"method\":\"Big\",\"params\":[600000]},"
                                          "{\"id\":2,\"method\":\"Big\",\"params\":[600000]}]"),
                           "null", MQTTRPC_ERROR_TOO_LARGE);
}

static void test_caps_hold_in_batches(Serve *serve, gconstpointer unused)
{
        const char *reply;

        g_assert_cmpint(mqttrpc_bus_set_limit(serve->server, MQTTRPC_LIMIT_CALLER_INFLIGHT, 1), ==,
                        0);
        serve_send_to(serve, SERVE_RPC_TOPIC,
                      "[{\"id\":1,\"method\":\"Hold\"},{\"id\":2,\"method\":\"Hold\"}]");
        g_assert_cmpint(serve_answer_held(serve, "1"), ==, 0);
        reply = raw_client_receive(serve->alice)->payload;
        g_assert_true(g_str_has_prefix(reply, "[" RESULT("1", "1") ","));
        serve_assert_error(reply + strlen("[" RESULT("1", "1") ","), "2", MQTTRPC_ERROR_BUSY);
}

int main(int argc, char **argv)
{
        static const struct {
                const char *path;
                void (*function)(Serve *serve, gconstpointer unused);
        } tests[] = {
                {"/batch/single-request", test_single_request},
                {"/batch/trap-39-reading-members-only", test_reading_members_only},
                {"/batch/order-is-that-of-the-requests", test_order_is_that_of_the_requests},
                {"/batch/mixed-outcomes", test_mixed_outcomes},
                {"/batch/notifications-alone-get-no-reply", test_notifications_alone},
                {"/batch/between-1-and-64-items", test_sizes},
                {"/batch/expired-item-is-left-out", test_expired_item_is_left_out},
                {"/batch/trap-24-repeated-batch-joins-the-first",
                 test_repeated_batch_joins_the_first},
                {"/batch/trap-31-responses-too-large-together", test_responses_too_large_together},
                {"/batch/trap-20-caps-hold", test_caps_hold_in_batches},
        };

        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
                SERVE_TEST(tests[i].path, NULL, tests[i].function);
        return g_test_run();
}
