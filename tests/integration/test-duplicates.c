/* SPDX-License-Identifier: MIT */

/* At most once, in time, within the caps: protocol section 5 from the caller's side. */

#include "tests/integration/serve.h"

#include <errno.h>
#include <string.h>

#define HOLD "mb1/net/-/call/Hold/alice"
#define ECHO "mb1/net/-/call/Echo/alice"

/* What makes a request one that can be told from others. */
typedef struct Kind {
        const char *name;
        const char *id;
        const char *correlation; /* NULL: none */
        bool joins;              /* an equal one while the first is in progress */
        bool replayed;           /* an equal one after the first was answered */
} Kind;

static const Kind kinds[] = {
        {"own-id", "\"0123abcd-1\"", NULL, true, true},
        {"own-id-and-correlation", "\"0123abcd-1\"", "0123abcd-1", true, true},
        {"typed-id-and-long-correlation", "1", "12345678", true, true},
        {"trap-37-typed-id", "1", NULL, true, false},
        {"trap-37-typed-id-and-short-correlation", "1", "1234567", true, false},
};

static void send_kind(Serve *serve, const Kind *kind, const char *topic, const char *params)
{
        g_autofree char *payload = g_strdup_printf("{\"id\":%s,\"params\":%s}", kind->id, params);

        raw_client_post(serve->alice,
                        &(RawPublish){.topic = topic,
                                      .payload = payload,
                                      .qos = 1,
                                      .correlation = kind->correlation,
                                      .correlation_length =
                                              kind->correlation ? strlen(kind->correlation) : 0});
}

static void assert_result(Serve *serve, const Kind *kind, const char *result)
{
        g_autofree char *expected =
                g_strdup_printf("{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":%s}", kind->id, result);
        const RawMessage *reply = raw_client_receive(serve->alice);

        g_assert_cmpstr(reply->payload, ==, expected);
        g_assert_cmpstr(reply->rc, ==, "0");
        g_assert_cmpmem(reply->correlation, reply->correlation_length, kind->correlation,
                        kind->correlation ? strlen(kind->correlation) : 0);
}

static void test_during_execution(Serve *serve, gconstpointer data)
{
        const Kind *kind = data;

        for (unsigned i = 0; i < 3; i++)
                send_kind(serve, kind, HOLD, "[]");
        serve_assert_silence(serve);
        g_assert_cmpuint(serve->executed, ==, 1);
        g_assert_cmpuint(serve_counter(serve, MQTTRPC_COUNT_DUPLICATES), ==, 2);
        g_assert_cmpint(serve_answer_held(serve, "\"once\""), ==, 0);
        assert_result(serve, kind, "\"once\"");
        serve_assert_silence(serve);
}

static void test_after_execution(Serve *serve, gconstpointer data)
{
        const Kind *kind = data;

        for (unsigned i = 0; i < 3; i++) {
                send_kind(serve, kind, ECHO, "[1.0]");
                assert_result(serve, kind, "[1.0]");
        }
        g_assert_cmpuint(serve->executed, ==, kind->replayed ? 1 : 3);
}

/* Another payload with the same id is another request, unless the id is the library's own. */
static void test_other_payload(Serve *serve, gconstpointer data)
{
        const Kind *kind = data;
        bool own = kind->id[0] == '"';

        send_kind(serve, kind, ECHO, "[1]");
        assert_result(serve, kind, "[1]");
        send_kind(serve, kind, ECHO, "[2]");
        assert_result(serve, kind, own ? "[1]" : "[2]");
        g_assert_cmpuint(serve->executed, ==, own ? 1 : 2);
}

/* An error is replayed as the error that it was. */
static void test_error_is_replayed(Serve *serve, gconstpointer data)
{
        const Kind *kind = data;

        for (unsigned i = 0; i < 2; i++) {
                const RawMessage *reply;

                send_kind(serve, kind, "mb1/net/-/call/Fail/alice", "[]");
                reply = raw_client_receive(serve->alice);
                serve_assert_error(reply->payload, kind->id, MQTTRPC_ERROR_NOT_FOUND);
                g_assert_cmpstr(reply->rc, ==, "-32002");
        }
        g_assert_cmpuint(serve->executed, ==, kind->replayed ? 1 : 2);
}

static void test_sensitive_result_is_not_kept(Serve *serve, gconstpointer unused)
{
        const char *payload = "{\"id\":\"0123abcd-1\",\"params\":[\"pin\"]}";
        const char *reply;

        g_assert_nonnull(strstr(serve_request(serve, "Secret", payload), "\"result\":[\"pin\"]"));
        reply = serve_request(serve, "Secret", payload);
        serve_assert_error(reply, "\"0123abcd-1\"", MQTTRPC_ERROR_DUPLICATE);
        g_assert_nonnull(strstr(reply, "\"executed\":\"yes\""));
        g_assert_cmpuint(serve->executed, ==, 1);
}

static void test_held_result_is_made_sensitive(Serve *serve, gconstpointer unused)
{
        RawPublish hold = {.topic = HOLD, .payload = "{\"id\":\"0123abcd-1\"}"};

        raw_client_post(serve->alice, &hold);
        g_assert_true(LOOP_UNTIL(serve->n_held == 1));
        mqttrpc_request_set_sensitive(serve->held[0]);
        g_assert_cmpint(serve_answer_held(serve, "\"pin\""), ==, 0);
        g_assert_nonnull(strstr(raw_client_receive(serve->alice)->payload, "\"result\":\"pin\""));
        raw_client_post(serve->alice, &hold);
        serve_assert_error(raw_client_receive(serve->alice)->payload, "\"0123abcd-1\"",
                           MQTTRPC_ERROR_DUPLICATE);
}

static void test_callers_are_apart(Serve *serve, gconstpointer unused)
{
        CLEANUP_RAW_CLIENT RawClient *bob = raw_client_new(serve->broker, NULL);

        raw_client_subscribe(bob, "mb1/+/+/call/+/bob/+");
        serve_request(serve, "Echo", "{\"id\":\"0123abcd-1\",\"params\":[1]}");
        raw_client_post(bob, &(RawPublish){.topic = "mb1/net/-/call/Echo/bob",
                                           .payload = "{\"id\":\"0123abcd-1\",\"params\":[2]}"});
        g_assert_nonnull(strstr(raw_client_receive(bob)->payload, "\"result\":[2]"));
        g_assert_cmpuint(serve->executed, ==, 2);
}

static void test_callers_are_counted_while_they_wait(Serve *serve, gconstpointer unused)
{
        CLEANUP_RAW_CLIENT RawClient *bob = raw_client_new(serve->broker, NULL);
        RawPublish stats = {.topic = "mb1/net/-/call/rpc.stats/bob", .payload = "{\"id\":1}"};

        raw_client_subscribe(bob, "mb1/+/+/call/+/bob/+");
        serve_request(serve, "Echo", "{\"id\":1,\"params\":[1]}");
        raw_client_post(bob, &stats);
        g_assert_nonnull(strstr(raw_client_receive(bob)->payload, "\"callers\":1,"));
        serve_send(serve, "Hold", "{\"id\":2}");
        g_assert_true(LOOP_UNTIL(serve->n_held == 1));
        raw_client_post(bob, &stats);
        g_assert_nonnull(strstr(raw_client_receive(bob)->payload, "\"callers\":2,"));
        g_assert_cmpint(serve_answer_held(serve, "1"), ==, 0);
        raw_client_receive(serve->alice);
        raw_client_post(bob, &stats);
        g_assert_nonnull(strstr(raw_client_receive(bob)->payload, "\"callers\":1,"));
}

/* The server's connection was lost in between: the answer goes by the new one. */
static void test_repeated_after_a_reconnect(Serve *serve, gconstpointer data)
{
        const Kind *kind = data;

        send_kind(serve, kind, HOLD, "[]");
        g_assert_true(LOOP_UNTIL(serve->n_held == 1));
        mqttrpc_bus_close(serve->server);
        g_assert_cmpint(mqttrpc_bus_open(serve->server, NULL), ==, 0);
        g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_state(serve->server) == MQTTRPC_STATE_CONNECTED));
        send_kind(serve, kind, HOLD, "[]");
        serve_assert_silence(serve);
        g_assert_cmpuint(serve->executed, ==, 1);
        g_assert_cmpint(serve_answer_held(serve, "2"), ==, 0);
        assert_result(serve, kind, "2");
}

static void test_not_answered_by_another_connection(Serve *serve, gconstpointer unused)
{
        serve_send(serve, "Hold", "{\"id\":1}");
        g_assert_true(LOOP_UNTIL(serve->n_held == 1));
        mqttrpc_bus_close(serve->server);
        g_assert_cmpint(mqttrpc_bus_open(serve->server, NULL), ==, 0);
        g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_state(serve->server) == MQTTRPC_STATE_CONNECTED));
        g_assert_cmpint(serve_answer_held(serve, "1"), ==, -ENOTCONN);
        serve_assert_silence(serve);
}

/* ---- time ---- */

static void test_expired_request_is_not_executed(Serve *serve, gconstpointer unused)
{
        raw_client_post(
                serve->alice,
                &(RawPublish){.topic = ECHO, .payload = "{\"id\":1,\"params\":[1]}", .ttl = "0"});
        serve_send(serve, "Echo", "{\"id\":1,\"params\":[1],\"x\":{\"ttl\":0}}");
        serve_assert_silence(serve);
        g_assert_cmpuint(serve->executed, ==, 0);
        g_assert_cmpuint(serve_counter(serve, MQTTRPC_COUNT_EXPIRED), ==, 2);
}

static void test_answer_after_the_callers_deadline(Serve *serve, gconstpointer unused)
{
        raw_client_post(serve->alice,
                        &(RawPublish){.topic = HOLD, .payload = "{\"id\":1}", .ttl = "20"});
        g_assert_true(LOOP_UNTIL(serve_counter(serve, MQTTRPC_COUNT_EXPIRED) == 1));
        g_assert_cmpint(serve_answer_held(serve, "1"), ==, -ETIMEDOUT);
        serve_assert_silence(serve);
}

/* The handler takes longer than the caller waits, and the loop has no chance to notice. */
static void test_answer_after_the_deadline_before_the_loop_knows(Serve *serve, gconstpointer unused)
{
        raw_client_post(serve->alice,
                        &(RawPublish){.topic = HOLD, .payload = "{\"id\":1}", .ttl = "30"});
        g_assert_true(LOOP_UNTIL(serve->n_held == 1));
        while ((uint64_t)g_get_monotonic_time() <= mqttrpc_request_get_deadline(serve->held[0]))
                g_thread_yield();
        g_assert_cmpint(serve_answer_held(serve, "1"), ==, -ETIMEDOUT);
        serve_assert_silence(serve);
}

static uint64_t held_patience(Serve *serve)
{
        return (mqttrpc_request_get_deadline(serve->held[serve->n_held - 1]) -
                (uint64_t)g_get_monotonic_time()) /
               1000000;
}

/* The least of ttl, expiry + 1 s and the server's own limit; 25 s when nothing is said. */
static void test_deadline_is_the_least(Serve *serve, gconstpointer unused)
{
        static const struct {
                const char *payload;
                const char *ttl;
                unsigned expiry;
                uint64_t seconds; /* less a part of one */
        } rows[] = {
                {"{\"id\":1}", NULL, 0, 24},
                {"{\"id\":2}", "40000", 0, 39},
                {"{\"id\":3}", NULL, 50, 50},
                {"{\"id\":4}", "40000", 50, 39},
                {"{\"id\":5}", "60000", 50, 50},
                {"{\"id\":6,\"x\":{\"ttl\":40000}}", NULL, 0, 39},
                {"{\"id\":7,\"x\":{\"ttl\":10}}", "40000", 0, 39},
                {"{\"id\":8}", "rubbish", 0, 24},
                {"{\"id\":9}", "99999999999999999", 0, 86399},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                raw_client_post(serve->alice, &(RawPublish){.topic = HOLD,
                                                            .payload = rows[i].payload,
                                                            .ttl = rows[i].ttl,
                                                            .expiry_sec = rows[i].expiry});
                g_assert_true(LOOP_UNTIL(serve->n_held == i + 1));
                g_test_message("row %u", i);
                g_assert_cmpuint(held_patience(serve), ==, rows[i].seconds);
        }
}

static void test_own_limit_ends_with_a_timeout(Serve *serve, gconstpointer unused)
{
        static const char *const ttls[] = {NULL, "60000"};

        g_assert_cmpint(mqttrpc_bus_set_limit(serve->server, MQTTRPC_LIMIT_TIMEOUT_USEC, 20000), ==,
                        0);
        for (unsigned i = 0; i < G_N_ELEMENTS(ttls); i++) {
                const char *reply;

                raw_client_post(
                        serve->alice,
                        &(RawPublish){.topic = HOLD, .payload = "{\"id\":1}", .ttl = ttls[i]});
                reply = raw_client_receive(serve->alice)->payload;
                serve_assert_error(reply, "1", MQTTRPC_ERROR_TIMEOUT);
                g_assert_nonnull(strstr(reply, "\"executed\":\"maybe\""));
        }
        g_assert_cmpint(serve_answer_held(serve, "1"), ==, -ETIMEDOUT);
}

/* A method that is known to take long, or not to, says so for callers who set no time. */
static void test_handler_sets_the_time_of_callers_who_set_none(Serve *serve, gconstpointer unused)
{
        raw_client_post(serve->alice, &(RawPublish){.topic = HOLD, .payload = "{\"id\":1}"});
        g_assert_true(LOOP_UNTIL(serve->n_held == 1));
        g_assert_cmpint(mqttrpc_request_set_timeout(serve->held[0], 90000000), ==, 0);
        g_assert_cmpuint(held_patience(serve), >=, 89);
        g_assert_cmpint(mqttrpc_request_set_timeout(serve->held[0], UINT64_MAX), ==, 0);
        g_assert_cmpuint(held_patience(serve), >=, 86399);
        g_assert_cmpint(mqttrpc_request_set_timeout(serve->held[0], 1000), ==, 0);
        serve_assert_error(raw_client_receive(serve->alice)->payload, "1", MQTTRPC_ERROR_TIMEOUT);
        g_assert_cmpint(mqttrpc_request_set_timeout(serve->held[0], 1000), ==, -EALREADY);
        raw_client_post(serve->alice,
                        &(RawPublish){.topic = HOLD, .payload = "{\"id\":2}", .ttl = "40000"});
        g_assert_true(LOOP_UNTIL(serve->n_held == 2));
        g_assert_cmpint(mqttrpc_request_set_timeout(serve->held[1], 90000000), ==, -EPERM);
        g_assert_cmpuint(held_patience(serve), ==, 39);
}

static void test_stale_epoch(Serve *serve, gconstpointer unused)
{
        g_autofree char *epoch = NULL;
        const char *at;

        at = strstr(serve_request(serve, "rpc.ping", "{\"id\":1}"), "\"epoch\":\"");
        g_assert_nonnull(at);
        epoch = g_strndup(at + strlen("\"epoch\":\""), 16);
        for (unsigned i = 0; i < 2; i++) {
                raw_client_post(serve->alice,
                                &(RawPublish){.topic = ECHO,
                                              .payload = "{\"id\":1,\"params\":[]}",
                                              .epoch = i == 0 ? "0123456789abcdef" : epoch});
                serve_assert_error(raw_client_receive(serve->alice)->payload, "1",
                                   i == 0 ? MQTTRPC_ERROR_STALE_EPOCH
                                          : MQTTRPC_ERROR_INVALID_PARAMS);
        }
        serve_assert_error(
                serve_request(serve, "Echo", "{\"id\":1,\"params\":[1],\"x\":{\"epoch\":\"0\"}}"),
                "1", MQTTRPC_ERROR_STALE_EPOCH);
        g_assert_cmpuint(serve->executed, ==, 0);
}

/* ---- caps ---- */

static void hold_as(Serve *serve, const char *caller, unsigned number)
{
        g_autofree char *topic = g_strdup_printf("mb1/net/-/call/Hold/%s", caller);
        g_autofree char *payload = g_strdup_printf("{\"id\":%u}", number);

        serve_send_to(serve, topic, payload);
}

static void test_cap_of_a_caller(Serve *serve, gconstpointer unused)
{
        const char *reply;

        g_assert_cmpint(mqttrpc_bus_set_limit(serve->server, MQTTRPC_LIMIT_CALLER_INFLIGHT, 2), ==,
                        0);
        for (unsigned i = 1; i <= 3; i++)
                hold_as(serve, "alice", i);
        reply = raw_client_receive(serve->alice)->payload;
        serve_assert_error(reply, "3", MQTTRPC_ERROR_BUSY);
        g_assert_nonnull(strstr(reply, "\"retry_after_ms\":100"));
        g_assert_nonnull(strstr(reply, "\"executed\":\"no\""));
        /* Another caller is not held up. */
        hold_as(serve, "bob", 1);
        g_assert_true(LOOP_UNTIL(serve->n_held == 3));
        g_assert_cmpint(serve_answer_held(serve, "1"), ==, 0);
        g_assert_nonnull(strstr(raw_client_receive(serve->alice)->payload, "\"result\":1"));
        hold_as(serve, "alice", 3);
        g_assert_true(LOOP_UNTIL(serve->n_held == 3));
        g_assert_cmpuint(serve_counter(serve, MQTTRPC_COUNT_BUSY), ==, 1);
}

static void test_cap_of_a_service(Serve *serve, gconstpointer unused)
{
        g_assert_cmpint(mqttrpc_bus_set_limit(serve->server, MQTTRPC_LIMIT_SERVICE_INFLIGHT, 2), ==,
                        0);
        hold_as(serve, "bob", 1);
        hold_as(serve, "carol", 1);
        hold_as(serve, "alice", 1);
        serve_assert_error(raw_client_receive(serve->alice)->payload, "1", MQTTRPC_ERROR_BUSY);
}

/* What has expired but is still in the handler's hands counts on. */
static void test_cap_counts_what_is_held(Serve *serve, gconstpointer unused)
{
        RawPublish request = {.topic = HOLD, .payload = "{\"id\":1}", .ttl = "20"};

        g_assert_cmpint(mqttrpc_bus_set_limit(serve->server, MQTTRPC_LIMIT_CALLER_INFLIGHT, 1), ==,
                        0);
        raw_client_post(serve->alice, &request);
        g_assert_true(LOOP_UNTIL(serve_counter(serve, MQTTRPC_COUNT_EXPIRED) == 1));
        hold_as(serve, "alice", 2);
        serve_assert_error(raw_client_receive(serve->alice)->payload, "2", MQTTRPC_ERROR_BUSY);
        g_assert_cmpint(serve_answer_held(serve, "1"), ==, -ETIMEDOUT);
        serve_assert_silence(serve);
        hold_as(serve, "alice", 3);
        g_assert_true(LOOP_UNTIL(serve->n_held == 1));
}

/* trap 37: 10,000 honest requests, each with the same hand-typed id, are all executed. */
static void test_honest_callers_are_not_throttled(Serve *serve, gconstpointer unused)
{
        enum { REQUESTS = 10000 };

        for (unsigned i = 1; i <= REQUESTS; i++) {
                g_autofree char *payload =
                        g_strdup_printf(i % 2 ? "{\"id\":1,\"params\":[%u]}"
                                              : "{\"id\":\"0123abcd-%u\",\"params\":[1]}",
                                        i);

                serve_send(serve, "Echo", payload);
                while (raw_client_count(serve->alice) + 500 < i)
                        loop_step(WAIT_MSEC);
        }
        g_assert_true(LOOP_UNTIL(raw_client_count(serve->alice) == REQUESTS));
        g_assert_cmpuint(serve->executed, ==, REQUESTS);
        g_assert_cmpuint(serve_counter(serve, MQTTRPC_COUNT_BUSY), ==, 0);
}

int main(int argc, char **argv)
{
        static const struct {
                const char *path;
                void (*function)(Serve *serve, gconstpointer data);
        } of_kinds[] = {
                {"during-execution", test_during_execution},
                {"after-execution", test_after_execution},
                {"with-another-payload", test_other_payload},
                {"error-is-replayed", test_error_is_replayed},
        };
        static const struct {
                const char *path;
                const Kind *kind;
                void (*function)(Serve *serve, gconstpointer data);
        } tests[] = {
                {"/service/trap-24-duplicate/sensitive-result-is-not-kept", NULL,
                 test_sensitive_result_is_not_kept},
                {"/service/trap-24-duplicate/held-result-is-made-sensitive", NULL,
                 test_held_result_is_made_sensitive},
                {"/service/trap-24-duplicate/callers-are-apart", NULL, test_callers_are_apart},
                {"/service/callers-are-counted-while-they-wait", NULL,
                 test_callers_are_counted_while_they_wait},
                {"/service/deadline/handler-sets-the-time-of-callers-who-set-none", NULL,
                 test_handler_sets_the_time_of_callers_who_set_none},
                {"/service/trap-24-duplicate/typed-id-after-a-reconnect", &kinds[3],
                 test_repeated_after_a_reconnect},
                {"/service/trap-24-duplicate/own-id-after-a-reconnect", &kinds[0],
                 test_repeated_after_a_reconnect},
                {"/service/trap-24-not-answered-by-another-connection", NULL,
                 test_not_answered_by_another_connection},
                {"/service/trap-37-honest-callers-are-not-throttled", NULL,
                 test_honest_callers_are_not_throttled},
                {"/service/time/expired-request-is-not-executed", NULL,
                 test_expired_request_is_not_executed},
                {"/service/time/answer-after-the-callers-deadline", NULL,
                 test_answer_after_the_callers_deadline},
                {"/service/time/answer-after-the-deadline-before-the-loop-knows", NULL,
                 test_answer_after_the_deadline_before_the_loop_knows},
                {"/service/time/deadline-is-the-least", NULL, test_deadline_is_the_least},
                {"/service/time/own-limit-ends-with-a-timeout", NULL,
                 test_own_limit_ends_with_a_timeout},
                {"/service/time/stale-epoch", NULL, test_stale_epoch},
                {"/service/trap-20-cap/of-a-caller", NULL, test_cap_of_a_caller},
                {"/service/trap-20-cap/of-a-service", NULL, test_cap_of_a_service},
                {"/service/trap-20-cap/counts-what-is-held", NULL, test_cap_counts_what_is_held},
        };

        g_test_init(&argc, &argv, NULL);
        for (unsigned t = 0; t < G_N_ELEMENTS(of_kinds); t++)
                for (unsigned k = 0; k < G_N_ELEMENTS(kinds); k++) {
                        g_autofree char *path = g_strdup_printf("/service/trap-24-duplicate/%s/%s",
                                                                of_kinds[t].path, kinds[k].name);

                        SERVE_TEST(path, &kinds[k], of_kinds[t].function);
                }
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
                SERVE_TEST(tests[i].path, tests[i].kind, tests[i].function);
        return g_test_run();
}
