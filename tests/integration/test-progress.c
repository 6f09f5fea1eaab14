/* SPDX-License-Identifier: MIT */

/* Progress and results one by one (protocol section 6): what a service sends before its answer. */

#include "tests/integration/serve.h"

#include <errno.h>
#include <string.h>

#define HOLD     "mb1/net/-/call/Hold/alice"
#define INTERVAL 100000 /* of progress, in microseconds */

#define ITEM SERVE_PROGRESS

static MqttRpcRequest *hold(Serve *serve, const RawPublish *request)
{
        unsigned before = serve->n_held;

        raw_client_post(serve->alice, request);
        g_assert_true(LOOP_UNTIL(serve->n_held == before + 1));
        return serve->held[before];
}

/* One that wants progress. */
static MqttRpcRequest *hold_wanting(Serve *serve)
{
        return hold(serve, &(RawPublish){.topic = HOLD, .payload = "{\"id\":1}", .pg = "1"});
}

static int progress(MqttRpcRequest *request, const char *value)
{
        return mqttrpc_request_progress(request, value, SIZE_MAX);
}

static void assert_received(Serve *serve, const char *payload)
{
        g_assert_cmpstr(raw_client_receive(serve->alice)->payload, ==, payload);
}

static const struct Asking {
        const char *name;
        RawPublish request;
        const char *item;
} asking[] = {
        {"mqtt-5", {.topic = HOLD, .payload = "{\"id\":1}", .pg = "1"}, ITEM("1", "1", "[0.10]")},
        {"mqtt-5-qos-1",
         {.topic = HOLD, .payload = "{\"id\":\"\\u0061\"}", .pg = "1", .qos = 1},
         ITEM("\"\\u0061\"", "1", "[0.10]")},
        {"correlation",
         {.topic = HOLD,
          .payload = "{\"id\":1}",
          .pg = "1",
          .correlation = "12345678",
          .correlation_length = 8},
         ITEM("1", "1", "[0.10]")},
        {"in-the-payload",
         {.topic = HOLD, .payload = "{\"id\":1,\"x\":{\"pg\":true}}"},
         ITEM("1", "1", "[0.10]")},
        {"response-topic",
         {.topic = HOLD, .payload = "{\"id\":1}", .pg = "1", .response_topic = HOLD "/mine"},
         ITEM("1", "1", "[0.10]")},
        {"generic-endpoint",
         {.topic = SERVE_RPC_TOPIC, .payload = "{\"id\":1,\"method\":\"Hold\"}", .pg = "1"},
         ITEM("1", "1", "[0.10]")},
};

static void test_goes_where_the_reply_goes(Serve *serve, gconstpointer data)
{
        const struct Asking *row = data;
        MqttRpcRequest *request = hold(serve, &row->request);
        g_autofree char *topic = NULL;
        const RawMessage *item;

        topic = row->request.response_topic ? g_strdup(row->request.response_topic)
                                            : g_strdup_printf("%s/reply", row->request.topic);
        g_assert_true(mqttrpc_request_wants_progress(request));
        g_assert_cmpint(mqttrpc_request_progress(request, "[0.10]xx", 6), ==, 0);
        item = raw_client_receive(serve->alice);
        g_assert_cmpstr(item->payload, ==, row->item);
        g_assert_cmpstr(item->topic, ==, topic);
        g_assert_cmpint(item->qos, ==, row->request.qos);
        g_assert_false(item->retain);
        g_assert_null(item->rc);
        g_assert_cmpmem(item->correlation, item->correlation_length, row->request.correlation,
                        row->request.correlation_length);
        g_assert_cmpint(serve_answer_held(serve, "2"), ==, 0);
        item = raw_client_receive(serve->alice);
        g_assert_cmpstr(item->topic, ==, topic);
        g_assert_cmpstr(item->rc, ==, "0");
}

static const struct NotAsking {
        const char *name;
        RawPublish request;
        bool silent; /* nobody waits for an answer */
} not_asking[] = {
        {"not-said", {.topic = HOLD, .payload = "{\"id\":1}"}, false},
        {"no", {.topic = HOLD, .payload = "{\"id\":1}", .pg = "0"}, false},
        {"no-in-the-payload", {.topic = HOLD, .payload = "{\"id\":1,\"x\":{\"pg\":1}}"}, false},
        {"notification", {.topic = HOLD, .payload = "{}", .pg = "1"}, true},
        {"batch",
         {.topic = SERVE_RPC_TOPIC, .payload = "[{\"id\":1,\"method\":\"Hold\"}]", .pg = "1"},
         false},
        {"batch-in-the-payload",
         {.topic = SERVE_RPC_TOPIC,
          .payload = "[{\"id\":1,\"method\":\"Hold\",\"x\":{\"pg\":true}}]"},
         false},
};

static void test_not_asked_for(Serve *serve, gconstpointer data)
{
        const struct NotAsking *row = data;
        MqttRpcRequest *request = hold(serve, &row->request);

        g_assert_false(mqttrpc_request_wants_progress(request));
        g_assert_cmpint(progress(request, "1"), ==, 0);
        g_assert_cmpint(progress(request, "2"), ==, 0);
        g_assert_cmpint(mqttrpc_request_more(request, "3", 1), ==, -EOPNOTSUPP);
        serve_assert_silence(serve);
        g_assert_cmpint(serve_answer_held(serve, "4"), ==, 0);
        if (!row->silent)
                g_assert_nonnull(strstr(raw_client_receive(serve->alice)->payload, "\"result\":4"));
        serve_assert_silence(serve);
}

static void test_comes_not_too_often(Serve *serve, gconstpointer unused)
{
        static const char *const received[] = {ITEM("1", "1", "1"), ITEM("1", "2", "4"),
                                               ITEM("1", "3", "null")};
        MqttRpcRequest *request = hold_wanting(serve);
        gint64 start = g_get_monotonic_time();

        for (unsigned i = 1; i <= 4; i++) {
                char value[] = {(char)('0' + i), '\0'};

                g_assert_cmpint(progress(request, value), ==, 0);
        }
        assert_received(serve, received[0]);
        assert_received(serve, received[1]);
        g_assert_cmpint(g_get_monotonic_time() - start, >=, INTERVAL);
        g_assert_cmpint(progress(request, "5"), ==, 0);
        g_assert_cmpint(progress(request, NULL), ==, 0);
        assert_received(serve, received[2]);
        g_assert_cmpint(g_get_monotonic_time() - start, >=, 2 * INTERVAL);
        serve_assert_silence(serve);
}

static void test_held_back_one_comes_before_the_answer(Serve *serve, gconstpointer unused)
{
        MqttRpcRequest *request = hold_wanting(serve);

        for (unsigned i = 0; i < 3; i++)
                g_assert_cmpint(progress(request, i < 2 ? "1" : "3"), ==, 0);
        g_assert_cmpint(serve_answer_held(serve, "4"), ==, 0);
        assert_received(serve, ITEM("1", "1", "1"));
        assert_received(serve, ITEM("1", "2", "3"));
        assert_received(serve, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":4}");
        serve_assert_silence(serve);
}

static void test_more_sends_each(Serve *serve, gconstpointer unused)
{
        enum { ITEMS = 50 };
        MqttRpcRequest *request = hold_wanting(serve);

        g_assert_cmpint(progress(request, "\"a\""), ==, 0);
        g_assert_cmpint(progress(request, "\"b\""), ==, 0);
        for (unsigned i = 3; i <= ITEMS; i++) {
                g_autofree char *value = g_strdup_printf("%u", i);

                g_assert_cmpint(mqttrpc_request_more(request, value, SIZE_MAX), ==, 0);
        }
        g_assert_cmpint(serve_answer_held(serve, "null"), ==, 0);
        assert_received(serve, ITEM("1", "1", "\"a\""));
        assert_received(serve, ITEM("1", "2", "\"b\""));
        for (unsigned i = 3; i <= ITEMS; i++) {
                g_autofree char *item = g_strdup_printf(ITEM("1", "%u", "%u"), i, i);

                assert_received(serve, item);
        }
        assert_received(serve, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":null}");
}

/* What could not be sent leaves no gap. */
static void test_slow_broker(Serve *serve, gconstpointer unused)
{
        g_autofree char *fill = g_strnfill(1000, '1');
        MqttRpcRequest *request = hold_wanting(serve);

        serve_fill_outbound_queue(serve);
        g_assert_cmpint(mqttrpc_request_more(request, fill, SIZE_MAX), ==, -ENOBUFS);
        g_assert_cmpint(progress(request, fill), ==, 0);
        g_assert_cmpint(progress(request, "2"), ==, 0);
        g_assert_cmpint(mqttrpc_bus_flush(serve->server, WAIT_MSEC * 1000), ==, 0);
        assert_received(serve, ITEM("1", "1", "2"));
        g_assert_cmpint(mqttrpc_request_more(request, "3", 1), ==, 0);
        assert_received(serve, ITEM("1", "2", "3"));
        serve_assert_silence(serve);
}

/* The value waits as long as the queue is full, however often its time comes. */
static void test_broker_that_stays_slow(Serve *serve, gconstpointer unused)
{
        g_autofree char *fill = g_strnfill(1000, '1');
        g_autofree char *item = g_strdup_printf(ITEM("1", "1", "%s"), fill);
        MqttRpcRequest *request = hold_wanting(serve);
        gint64 end = g_get_monotonic_time() + 2 * INTERVAL;

        serve_fill_outbound_queue(serve);
        g_assert_cmpint(progress(request, fill), ==, 0);
        while (g_get_monotonic_time() < end)
                g_assert_cmpint(mqttrpc_bus_process_events(serve->server, 0), >=, 0);
        g_assert_cmpint(mqttrpc_bus_flush(serve->server, WAIT_MSEC * 1000), ==, 0);
        assert_received(serve, item);
}

static void test_failures(Serve *serve, gconstpointer unused)
{
        g_autofree char *large = g_strnfill(1100000, '1');
        MqttRpcRequest *request = mqttrpc_request_ref(hold_wanting(serve));

        g_assert_cmpint(progress(request, large), ==, -EMSGSIZE);
        g_assert_cmpint(mqttrpc_request_more(request, large, SIZE_MAX), ==, -EMSGSIZE);
        g_assert_cmpint(serve_answer_held(serve, "1"), ==, 0);
        g_assert_cmpint(progress(request, "1"), ==, -EALREADY);
        g_assert_cmpint(mqttrpc_request_more(request, "1", 1), ==, -EALREADY);
        mqttrpc_request_unref(request);
        assert_received(serve, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1}");
        request = hold(serve, &(RawPublish){
                                      .topic = HOLD,
                                      .payload = "{\"id\":2}",
                                      .pg = "1",
                                      .ttl = "20",
                              });
        while ((uint64_t)g_get_monotonic_time() <= mqttrpc_request_get_deadline(request))
                g_thread_yield();
        g_assert_cmpint(progress(request, "1"), ==, -ETIMEDOUT);
        g_assert_cmpint(mqttrpc_request_more(request, "1", 1), ==, -ETIMEDOUT);
        g_assert_true(LOOP_UNTIL(serve_counter(serve, MQTTRPC_COUNT_EXPIRED) == 1));
        g_assert_cmpint(progress(request, "1"), ==, -ETIMEDOUT);
        serve_assert_silence(serve);
}

static void reconnect(Serve *serve)
{
        mqttrpc_bus_close(serve->server);
        g_assert_cmpint(mqttrpc_bus_open(serve->server, NULL), ==, 0);
        g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_state(serve->server) == MQTTRPC_STATE_CONNECTED));
}

/* Nothing goes by another connection, unless the request was repeated there; who repeats it gets
 * what comes from then on. */
static void test_after_a_reconnect(Serve *serve, gconstpointer unused)
{
        MqttRpcRequest *request = hold_wanting(serve);

        g_assert_cmpint(progress(request, "1"), ==, 0);
        g_assert_cmpint(progress(request, "2"), ==, 0); /* held back */
        reconnect(serve);
        assert_received(serve, ITEM("1", "1", "1"));
        g_assert_cmpint(progress(request, "3"), ==, -ENOTCONN);
        g_assert_cmpint(mqttrpc_request_more(request, "4", 1), ==, -ENOTCONN);
        raw_client_post(serve->alice,
                        &(RawPublish){.topic = HOLD, .payload = "{\"id\":1}", .pg = "1"});
        serve_assert_silence(serve);
        g_assert_cmpint(serve->executed, ==, 1);
        g_assert_cmpint(mqttrpc_request_more(request, "5", 1), ==, 0);
        g_assert_cmpint(serve_answer_held(serve, "6"), ==, 0);
        assert_received(serve, ITEM("1", "2", "5"));
        assert_received(serve, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":6}");
}

static void test_held_back_one_ends_with_the_connection(Serve *serve, gconstpointer unused)
{
        MqttRpcRequest *request = hold_wanting(serve);
        gint64 due = g_get_monotonic_time() + INTERVAL;

        g_assert_cmpint(progress(request, "1"), ==, 0);
        g_assert_cmpint(progress(request, "2"), ==, 0);
        reconnect(serve);
        assert_received(serve, ITEM("1", "1", "1"));
        g_assert_true(LOOP_UNTIL(g_get_monotonic_time() > due + INTERVAL));
        raw_client_post(serve->alice,
                        &(RawPublish){.topic = HOLD, .payload = "{\"id\":1}", .pg = "1"});
        serve_assert_silence(serve);
        g_assert_cmpint(progress(request, "3"), ==, 0);
        assert_received(serve, ITEM("1", "2", "3"));
}

/* The bus, and with it the timer of what is held back, goes before the request. */
static void test_request_outlives_the_bus(Serve *serve, gconstpointer unused)
{
        MqttRpcRequest *request = hold_wanting(serve);

        g_assert_cmpint(progress(request, "1"), ==, 0);
        g_assert_cmpint(progress(request, "2"), ==, 0);
        serve->server = loop_drop_bus(serve->server);
        g_assert_cmpint(progress(request, "3"), ==, -EALREADY);
        g_assert_true(mqttrpc_request_wants_progress(request));
}

int main(int argc, char **argv)
{
        static const struct {
                const char *path;
                gconstpointer data;
                void (*function)(Serve *serve, gconstpointer data);
        } tests[] = {
                {"/progress/comes-not-too-often", NULL, test_comes_not_too_often},
                {"/progress/held-back-one-comes-before-the-answer", NULL,
                 test_held_back_one_comes_before_the_answer},
                {"/progress/more-sends-each", NULL, test_more_sends_each},
                {"/progress/slow-broker", NULL, test_slow_broker},
                {"/progress/broker-that-stays-slow", NULL, test_broker_that_stays_slow},
                {"/progress/failures", NULL, test_failures},
                {"/progress/after-a-reconnect", NULL, test_after_a_reconnect},
                {"/progress/held-back-one-ends-with-the-connection", NULL,
                 test_held_back_one_ends_with_the_connection},
                {"/progress/request-outlives-the-bus", NULL, test_request_outlives_the_bus},
        };

        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(asking); i++) {
                g_autofree char *path = g_strdup_printf("/progress/asked-for/%s", asking[i].name);

                SERVE_TEST(path, &asking[i], test_goes_where_the_reply_goes);
        }
        for (unsigned i = 0; i < G_N_ELEMENTS(not_asking); i++) {
                g_autofree char *path =
                        g_strdup_printf("/progress/not-asked-for/%s", not_asking[i].name);

                SERVE_TEST(path, &not_asking[i], test_not_asked_for);
        }
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
                SERVE_TEST(tests[i].path, tests[i].data, tests[i].function);
        return g_test_run();
}
