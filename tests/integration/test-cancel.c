/* SPDX-License-Identifier: MIT */

/* rpc.cancel (protocol section 6): what a caller cancels ends with one answer, whoever is faster.
 */

#include "tests/integration/serve.h"

#include <errno.h>
#include <string.h>

#define HOLD      "mb1/net/-/call/Hold/alice"
#define CANCELLED MQTTRPC_ERROR_CANCELLED

static MqttRpcRequest *hold_at(Serve *serve, const char *topic, const char *payload)
{
        unsigned before = serve->n_held;

        serve_send_to(serve, topic, payload);
        g_assert_true(LOOP_UNTIL(serve->n_held == before + 1));
        return serve->held[before];
}

static MqttRpcRequest *hold(Serve *serve, const char *payload)
{
        return hold_at(serve, HOLD, payload);
}

static const char *receive(Serve *serve)
{
        return raw_client_receive(serve->alice)->payload;
}

static void assert_cancelled(const char *reply, const char *id)
{
        serve_assert_error(reply, id, CANCELLED);
        g_assert_nonnull(strstr(reply, "\"executed\":\"maybe\""));
}

/* As a request, with the id "c"; the answer is the next that comes. */
static void assert_cancels(Serve *serve, const char *params, const char *result)
{
        g_autofree char *payload = g_strdup_printf("{\"id\":\"c\",\"params\":%s}", params);
        g_autofree char *expected =
                g_strdup_printf("{\"jsonrpc\":\"2.0\",\"id\":\"c\",\"result\":%s}", result);

        g_assert_cmpstr(serve_request(serve, "rpc.cancel", payload), ==, expected);
}

/* ---- what is cancelled ---- */

static const struct Id {
        const char *name;
        const char *id;
} ids[] = {
        {"own", "\"0123abcd-1\""},
        {"number", "1"},
        {"odd-number", "1.0e0"},
        {"escaped-string", "\"a\\u0062\""},
};

static void test_id(Serve *serve, gconstpointer data)
{
        const struct Id *row = data;
        g_autofree char *request = g_strdup_printf("{\"id\":%s}", row->id);
        g_autofree char *by_name = g_strdup_printf("{\"params\":{\"id\":%s}}", row->id);
        g_autofree char *position = g_strdup_printf("[%s]", row->id);
        g_autofree char *name = g_strdup_printf("{\"id\":%s}", row->id);
        MqttRpcRequest *held = hold(serve, request);

        g_assert_false(mqttrpc_request_is_cancelled(held));
        serve_send(serve, "rpc.cancel", by_name);
        assert_cancelled(receive(serve), row->id);
        g_assert_true(mqttrpc_request_is_cancelled(held));
        g_assert_cmpuint(serve_counter(serve, MQTTRPC_COUNT_CANCELLED), ==, 1);
        g_assert_cmpint(mqttrpc_request_progress(held, "1", 1), ==, -ECANCELED);
        g_assert_cmpint(mqttrpc_request_set_cancel_handler(held, NULL, NULL), ==, -ECANCELED);
        g_assert_cmpint(mqttrpc_request_reply_error(held, NULL), ==, -ECANCELED);
        g_assert_cmpint(serve_answer_held(serve, "1"), ==, -ECANCELED);
        assert_cancels(serve, position, "false");
        assert_cancels(serve, name, "false");
        g_assert_cmpuint(serve_counter(serve, MQTTRPC_COUNT_UNMATCHED_CANCELS), ==, 2);
        serve_assert_silence(serve);
}

static void test_as_a_request(Serve *serve, gconstpointer unused)
{
        hold(serve, "{\"id\":1}");
        serve_send(serve, "rpc.cancel", "{\"id\":\"c\",\"params\":[1]}");
        assert_cancelled(receive(serve), "1");
        g_assert_cmpstr(receive(serve), ==, "{\"jsonrpc\":\"2.0\",\"id\":\"c\",\"result\":true}");
        serve_assert_silence(serve);
}

static const struct Other {
        const char *name;
        const char *topic;
        const char *params;
} others[] = {
        {"id", "mb1/net/-/call/rpc.cancel/alice", "[2]"},
        {"string-of-the-same-digits", "mb1/net/-/call/rpc.cancel/alice", "[\"1\"]"},
        {"number-of-the-same-value", "mb1/net/-/call/rpc.cancel/alice", "[1.0]"},
        {"caller", "mb1/net/-/call/rpc.cancel/bob", "[1]"},
        {"object", "mb1/net/eth0.1/call/rpc.cancel/alice", "[1]"},
};

static void test_other_is_not_cancelled(Serve *serve, gconstpointer data)
{
        const struct Other *row = data;
        g_autofree char *payload = g_strdup_printf("{\"params\":%s}", row->params);

        hold(serve, "{\"id\":1}");
        serve_send_to(serve, row->topic, payload);
        serve_assert_silence(serve);
        g_assert_cmpuint(serve_counter(serve, MQTTRPC_COUNT_UNMATCHED_CANCELS), ==, 1);
        g_assert_cmpuint(serve_counter(serve, MQTTRPC_COUNT_CANCELLED), ==, 0);
        g_assert_cmpint(serve_answer_held(serve, "1"), ==, 0);
        g_assert_nonnull(strstr(receive(serve), "\"result\":1"));
}

/* Ids may be used again and again; the one of rpc.cancel itself is not meant. */
static void test_all_with_that_id(Serve *serve, gconstpointer unused)
{
        hold(serve, "{\"id\":1}");
        hold(serve, "{\"id\":2}");
        hold(serve, "{\"id\":1,\"params\":[]}");
        serve_send(serve, "rpc.cancel", "{\"id\":1,\"params\":[1]}");
        assert_cancelled(receive(serve), "1");
        assert_cancelled(receive(serve), "1");
        g_assert_cmpstr(receive(serve), ==, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":true}");
        g_assert_false(mqttrpc_request_is_cancelled(serve->held[1]));
        g_assert_cmpuint(serve_counter(serve, MQTTRPC_COUNT_CANCELLED), ==, 2);
}

static void test_bad_params(Serve *serve, gconstpointer unused)
{
        static const char *const rows[] = {"",
                                           ",\"params\":[]",
                                           ",\"params\":[null]",
                                           ",\"params\":[[1]]",
                                           ",\"params\":{}",
                                           ",\"params\":{\"id\":true}",
                                           ",\"params\":{\"Id\":1}"};

        hold(serve, "{\"id\":1}");
        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *request = g_strdup_printf("{\"id\":2%s}", rows[i]);
                g_autofree char *notification =
                        g_strdup_printf("{\"method\":\"rpc.cancel\"%s}", rows[i]);

                g_test_message("%s", rows[i]);
                serve_send(serve, "rpc.cancel", notification);
                serve_assert_error(serve_request(serve, "rpc.cancel", request), "2",
                                   MQTTRPC_ERROR_INVALID_PARAMS);
        }
        g_assert_cmpuint(serve_counter(serve, MQTTRPC_COUNT_UNMATCHED_CANCELS), ==,
                         2 * G_N_ELEMENTS(rows));
        g_assert_false(mqttrpc_request_is_cancelled(serve->held[0]));
        serve_assert_silence(serve);
}

static void test_answered_before(Serve *serve, gconstpointer unused)
{
        MqttRpcRequest *held = mqttrpc_request_ref(hold(serve, "{\"id\":1}"));

        g_assert_cmpint(serve_answer_held(serve, "1"), ==, 0);
        g_assert_nonnull(strstr(receive(serve), "\"result\":1"));
        assert_cancels(serve, "[1]", "false");
        g_assert_false(mqttrpc_request_is_cancelled(held));
        g_assert_cmpint(mqttrpc_request_set_cancel_handler(held, NULL, NULL), ==, -EALREADY);
        mqttrpc_request_unref(held);
}

/* ---- in a batch ---- */

static void test_item_of_a_batch(Serve *serve, gconstpointer unused)
{
        const char *reply;

        hold_at(serve, SERVE_RPC_TOPIC,
                "[{\"id\":1,\"method\":\"Hold\"},{\"id\":2,\"method\":\"Echo\",\"params\":[5]}]");
        serve_send(serve, "rpc.cancel", "{\"params\":[1]}");
        reply = receive(serve);
        g_assert_true(g_str_has_prefix(
                reply, "[{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32006,"));
        g_assert_true(g_str_has_suffix(reply, ",{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":[5]}]"));
        serve_assert_silence(serve);
}

static void test_within_a_batch(Serve *serve, gconstpointer unused)
{
        const char *reply = serve_request_to(serve, SERVE_RPC_TOPIC,
                                             "[{\"id\":1,\"method\":\"Hold\"},{\"id\":2,\"method\":"
                                             "\"rpc.cancel\",\"params\":[1]}]");

        g_assert_true(g_str_has_prefix(
                reply, "[{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32006,"));
        g_assert_true(g_str_has_suffix(reply, ",{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":true}]"));
}

/* ---- handlers ---- */

typedef struct Handler {
        Serve *serve;
        unsigned calls;
        MqttRpcRequest *request; /* of the last call */
} Handler;

static void on_cancel(MqttRpcRequest *request, void *userdata)
{
        Handler *handler = userdata;

        handler->calls++;
        handler->request = request;
        g_assert_true(mqttrpc_request_is_cancelled(request));
}

static void test_handler_answers_later(Serve *serve, gconstpointer unused)
{
        MqttRpcRequest *held = hold(serve, "{\"id\":1}");
        Handler handler = {};

        g_assert_cmpint(mqttrpc_request_set_cancel_handler(held, on_cancel, &handler), ==, 0);
        for (unsigned i = 0; i < 2; i++)
                assert_cancels(serve, "[1]", "true");
        g_assert_cmpuint(handler.calls, ==, 1);
        g_assert_true(handler.request == held);
        g_assert_cmpuint(serve_counter(serve, MQTTRPC_COUNT_CANCELLED), ==, 1);
        g_assert_cmpuint(serve_counter(serve, MQTTRPC_COUNT_UNMATCHED_CANCELS), ==, 0);
        g_assert_cmpint(mqttrpc_request_set_cancel_handler(held, on_cancel, &handler), ==,
                        -ECANCELED);
        mqttrpc_request_ref(held);
        g_assert_cmpint(serve_answer_held(serve, "\"half\""), ==, 0);
        g_assert_nonnull(strstr(receive(serve), "\"result\":\"half\""));
        g_assert_cmpint(mqttrpc_request_reply(held, "1", 1), ==, -EALREADY);
        mqttrpc_request_unref(held);
}

static void on_cancel_answer(MqttRpcRequest *request, void *userdata)
{
        on_cancel(request, userdata);
        g_assert_cmpint(mqttrpc_request_reply(request, "\"at once\"", SIZE_MAX), ==, 0);
}

static void test_handler_answers_at_once(Serve *serve, gconstpointer unused)
{
        Handler handler = {};

        g_assert_cmpint(mqttrpc_request_set_cancel_handler(hold(serve, "{\"id\":1}"),
                                                           on_cancel_answer, &handler),
                        ==, 0);
        serve_send(serve, "rpc.cancel", "{\"params\":[1]}");
        g_assert_nonnull(strstr(receive(serve), "\"result\":\"at once\""));
        serve_assert_silence(serve);
        g_assert_cmpint(serve_answer_held(serve, "1"), ==, -EALREADY);
}

static void on_cancel_drop(MqttRpcRequest *request, void *userdata)
{
        Handler *handler = userdata;

        on_cancel(request, userdata);
        mqttrpc_request_unref(request);
        handler->serve->n_held--;
}

static void test_handler_drops_the_request(Serve *serve, gconstpointer unused)
{
        Handler handler = {.serve = serve};

        g_assert_cmpint(mqttrpc_request_set_cancel_handler(hold(serve, "{\"id\":1}"),
                                                           on_cancel_drop, &handler),
                        ==, 0);
        serve_send(serve, "rpc.cancel", "{\"params\":[1]}");
        assert_cancelled(receive(serve), "1");
        g_assert_cmpuint(serve->n_held, ==, 0);
        serve_assert_silence(serve);
}

static void test_handler_is_taken_back(Serve *serve, gconstpointer unused)
{
        MqttRpcRequest *held = hold(serve, "{\"id\":1}");
        Handler handler = {};

        g_assert_cmpint(mqttrpc_request_set_cancel_handler(held, on_cancel, &handler), ==, 0);
        g_assert_cmpint(mqttrpc_request_set_cancel_handler(held, NULL, NULL), ==, 0);
        serve_send(serve, "rpc.cancel", "{\"params\":[1]}");
        assert_cancelled(receive(serve), "1");
        g_assert_cmpuint(handler.calls, ==, 0);
}

static void on_cancel_answer_other(MqttRpcRequest *request, void *userdata)
{
        Handler *handler = userdata;
        Serve *serve = handler->serve;

        on_cancel(request, userdata);
        for (unsigned i = 0; i < serve->n_held; i++)
                (void)mqttrpc_request_reply(serve->held[i], "\"all\"", SIZE_MAX);
}

/* Of two that are cancelled together the first ends the second. */
static void test_handler_ends_another(Serve *serve, gconstpointer unused)
{
        Handler handler = {.serve = serve};

        hold(serve, "{\"id\":1}");
        hold(serve, "{\"id\":1,\"params\":[]}");
        for (unsigned i = 0; i < 2; i++)
                g_assert_cmpint(mqttrpc_request_set_cancel_handler(
                                        serve->held[i], on_cancel_answer_other, &handler),
                                ==, 0);
        serve_send(serve, "rpc.cancel", "{\"params\":[1]}");
        for (unsigned i = 0; i < 2; i++)
                g_assert_nonnull(strstr(receive(serve), "\"result\":\"all\""));
        serve_assert_silence(serve);
        g_assert_cmpuint(handler.calls, ==, 1);
}

static void on_cancel_drop_bus(MqttRpcRequest *request, void *userdata)
{
        Handler *handler = userdata;
        Serve *serve = handler->serve;

        on_cancel(request, userdata);
        loop_remove(serve->server);
        mqttrpc_bus_unref(serve->server);
        serve->server = mqttrpc_bus_unref(serve->server);
}

static void test_bus_is_freed_in_the_handler(Serve *serve, gconstpointer unused)
{
        Handler handler = {.serve = serve};

        hold(serve, "{\"id\":1}");
        hold(serve, "{\"id\":1,\"params\":[]}");
        g_assert_cmpint(
                mqttrpc_request_set_cancel_handler(serve->held[0], on_cancel_drop_bus, &handler),
                ==, 0);
        serve_send(serve, "rpc.cancel", "{\"id\":\"c\",\"params\":[1]}");
        g_assert_true(LOOP_UNTIL(handler.calls == 1));
        g_assert_null(serve->server);
}

/* ---- together with the rest ---- */

/* The handler still works on it, so it counts. */
static void test_caps(Serve *serve, gconstpointer unused)
{
        g_assert_cmpint(mqttrpc_bus_set_limit(serve->server, MQTTRPC_LIMIT_CALLER_INFLIGHT, 1), ==,
                        0);
        hold(serve, "{\"id\":1}");
        serve_assert_error(serve_request(serve, "Hold", "{\"id\":2}"), "2", MQTTRPC_ERROR_BUSY);
        serve_send(serve, "rpc.cancel", "{\"params\":[1]}");
        assert_cancelled(receive(serve), "1");
        serve_assert_error(serve_request(serve, "Hold", "{\"id\":3}"), "3", MQTTRPC_ERROR_BUSY);
        g_assert_cmpint(serve_answer_held(serve, "1"), ==, -ECANCELED);
        hold(serve, "{\"id\":4}");
}

static void test_duplicates_of_an_own_id(Serve *serve, gconstpointer unused)
{
        static const char payload[] = "{\"id\":\"0123abcd-1\"}";

        hold(serve, payload);
        serve_send(serve, "Hold", payload); /* joins */
        serve_send(serve, "rpc.cancel", "{\"params\":[\"0123abcd-1\"]}");
        assert_cancelled(receive(serve), "\"0123abcd-1\"");
        assert_cancelled(serve_request(serve, "Hold", payload), "\"0123abcd-1\"");
        g_assert_cmpint(serve_answer_held(serve, "1"), ==, -ECANCELED);
        assert_cancelled(serve_request(serve, "Hold", payload), "\"0123abcd-1\"");
        serve_assert_silence(serve);
        g_assert_cmpuint(serve->executed, ==, 1);
}

/* With an id that proves nothing the next one is a new request, although the first handler is not
 * done with its own. */
static void test_again_with_a_typed_id(Serve *serve, gconstpointer unused)
{
        hold(serve, "{\"id\":1}");
        serve_send(serve, "rpc.cancel", "{\"params\":[1]}");
        assert_cancelled(receive(serve), "1");
        hold(serve, "{\"id\":1}");
        g_assert_cmpuint(serve->executed, ==, 2);
        g_assert_cmpint(serve_answer_held(serve, "\"first\""), ==, -ECANCELED);
        g_assert_cmpint(serve_answer_held(serve, "\"second\""), ==, 0);
        g_assert_nonnull(strstr(receive(serve), "\"result\":\"second\""));
}

static void test_progress_that_is_held_back(Serve *serve, gconstpointer unused)
{
        MqttRpcRequest *held = hold(serve, "{\"id\":1,\"x\":{\"pg\":true}}");

        g_assert_cmpint(mqttrpc_request_progress(held, "1", 1), ==, 0);
        g_assert_cmpint(mqttrpc_request_progress(held, "2", 1), ==, 0);
        serve_send(serve, "rpc.cancel", "{\"params\":[1]}");
        g_assert_cmpstr(receive(serve), ==, SERVE_PROGRESS("1", "1", "1"));
        g_assert_cmpstr(receive(serve), ==, SERVE_PROGRESS("1", "2", "2"));
        assert_cancelled(receive(serve), "1");
        serve_assert_silence(serve);
}

/* The answer would go by another connection than the request came by. */
static void test_after_a_reconnect(Serve *serve, gconstpointer unused)
{
        hold(serve, "{\"id\":1}");
        mqttrpc_bus_close(serve->server);
        g_assert_cmpint(mqttrpc_bus_open(serve->server, NULL), ==, 0);
        g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_state(serve->server) == MQTTRPC_STATE_CONNECTED));
        assert_cancels(serve, "[1]", "true");
        g_assert_cmpint(serve_answer_held(serve, "1"), ==, -ECANCELED);
        serve_assert_silence(serve);
}

int main(int argc, char **argv)
{
        static const struct {
                const char *path;
                void (*function)(Serve *serve, gconstpointer data);
        } tests[] = {
                {"/cancel/as-a-request", test_as_a_request},
                {"/cancel/all-with-that-id", test_all_with_that_id},
                {"/cancel/bad-params", test_bad_params},
                {"/cancel/answered-before", test_answered_before},
                {"/cancel/item-of-a-batch", test_item_of_a_batch},
                {"/cancel/within-a-batch", test_within_a_batch},
                {"/cancel/handler/answers-later", test_handler_answers_later},
                {"/cancel/handler/answers-at-once", test_handler_answers_at_once},
                {"/cancel/handler/drops-the-request", test_handler_drops_the_request},
                {"/cancel/handler/is-taken-back", test_handler_is_taken_back},
                {"/cancel/handler/ends-another", test_handler_ends_another},
                {"/cancel/handler/bus-is-freed", test_bus_is_freed_in_the_handler},
                {"/cancel/trap-20-caps", test_caps},
                {"/cancel/trap-24-duplicates-of-an-own-id", test_duplicates_of_an_own_id},
                {"/cancel/again-with-a-typed-id", test_again_with_a_typed_id},
                {"/cancel/progress-that-is-held-back", test_progress_that_is_held_back},
                {"/cancel/after-a-reconnect", test_after_a_reconnect},
        };

        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(ids); i++) {
                g_autofree char *path = g_strdup_printf("/cancel/id/%s", ids[i].name);

                SERVE_TEST(path, &ids[i], test_id);
        }
        for (unsigned i = 0; i < G_N_ELEMENTS(others); i++) {
                g_autofree char *path = g_strdup_printf("/cancel/not-another/%s", others[i].name);

                SERVE_TEST(path, &others[i], test_other_is_not_cancelled);
        }
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
                SERVE_TEST(tests[i].path, NULL, tests[i].function);
        return g_test_run();
}
