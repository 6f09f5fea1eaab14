/* SPDX-License-Identifier: MIT */

/* Calling: what a caller by this library gets, from servers honest and not, and what it may do
 * inside its callbacks. Only the installed header and the shared library are used. */

#include "tests/support/raw-client.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

typedef struct Fixture {
        TempDir *dir;
        Broker *broker;
        MqttRpcBus *bus;   /* the caller "me" */
        RawClient *server; /* gets all requests, answers as the test says */
        MqttRpcSlot *slot;
        unsigned replies;
        int code; /* of the last reply, 0 for a result */
        char *result;
        MqttRpcExecuted executed;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data)
{
        const char *mode = data ? data : "";

        fixture->dir = temp_dir_new();
        fixture->broker = broker_new_with_config(fixture->dir,
                                                 "allow_anonymous true\nmax_packet_size 300000\n");
        broker_start(fixture->broker);
        g_assert_cmpint(mqttrpc_bus_new(&fixture->bus), ==, 0);
        g_assert_cmpint(mqttrpc_bus_set_uri(fixture->bus, broker_get_uri(fixture->broker), NULL),
                        ==, 0);
        g_assert_cmpint(mqttrpc_bus_set_caller(fixture->bus, "me"), ==, 0);
        g_assert_cmpint(mqttrpc_bus_set_limit(fixture->bus, MQTTRPC_LIMIT_RECONNECT_USEC, 50000),
                        ==, 0);
        if (strstr(mode, "311"))
                g_assert_cmpint(mqttrpc_bus_set_protocol(fixture->bus, 4), ==, 0);
        if (strstr(mode, "qos0"))
                g_assert_cmpint(mqttrpc_bus_set_qos(fixture->bus, 0), ==, 0);
        fixture->server = raw_client_new(fixture->broker, NULL);
        raw_client_subscribe(fixture->server, "mb1/net/+/call/+/+");
        raw_client_post(fixture->server, &(RawPublish){.topic = "mb1/net/$state",
                                                       .payload = "{\"state\":\"ready\"}",
                                                       .qos = 1,
                                                       .retain = true});
        g_assert_cmpint(mqttrpc_bus_open(fixture->bus, NULL), ==, 0);
        g_assert_cmpint(mqttrpc_bus_wait_connected(fixture->bus, WAIT_MSEC * 1000, NULL), ==, 0);
        loop_add_bus(fixture->bus);
}

static void tear_down(Fixture *fixture, gconstpointer unused)
{
        mqttrpc_slot_unref(fixture->slot);
        loop_drop_bus(fixture->bus);
        raw_client_free(fixture->server);
        broker_free(fixture->broker);
        temp_dir_free(fixture->dir);
        g_free(fixture->result);
}

static int on_reply(MqttRpcReply *reply, void *userdata)
{
        const MqttRpcError *error = mqttrpc_reply_get_error(reply);
        Fixture *fixture = userdata;

        fixture->replies++;
        fixture->code = error ? mqttrpc_error_get_code(error) : 0;
        fixture->executed = error ? mqttrpc_error_get_executed(error) : MQTTRPC_EXECUTED_YES;
        g_free(fixture->result);
        fixture->result = g_strdup(mqttrpc_reply_get_result(reply, NULL));
        return 0;
}

static int call_with(Fixture *fixture, MqttRpcReplyHandler handler, uint64_t timeout)
{
        return mqttrpc_call_async(fixture->bus, NULL, "net", "-", "Scan", "[1]", timeout, 0,
                                  handler, fixture, NULL);
}

static void start_call(Fixture *fixture)
{
        g_assert_cmpint(call_with(fixture, on_reply, 0), ==, 0);
}

/* The raw id of the request the server got. */
static char *dup_id(const RawMessage *request)
{
        const char *start = strstr(request->payload, "\"id\":");
        const char *end;

        g_assert_nonnull(start);
        start += strlen("\"id\":");
        end = strchr(start, ',');
        return g_strndup(start, (gsize)(end - start));
}

/* What {id} in `format` stands for is replaced; published to the topic of the request + `suffix`.
 */
static void answer(Fixture *fixture, const RawMessage *request, const char *suffix,
                   const char *format)
{
        g_autofree char *id = dup_id(request);
        g_autofree char *topic = g_strconcat(request->topic, "/", suffix, NULL);
        g_autoptr(GString) payload = g_string_new(format);

        g_string_replace(payload, "ID", id, 0);
        raw_client_post(fixture->server,
                        &(RawPublish){.topic = topic, .payload = payload->str, .qos = 1});
}

/* ---- what is sent ---- */

static void test_request_as_it_is_sent(Fixture *fixture, gconstpointer mode)
{
        const RawMessage *request;
        g_autofree char *id = NULL;

        g_assert_cmpint(mqttrpc_call_async(fixture->bus, NULL, "net", "a.b", "Scan", "[ 1.0 ]",
                                           1500000, 0, on_reply, fixture, NULL),
                        ==, 0);
        request = raw_client_receive(fixture->server);
        g_assert_cmpstr(request->topic, ==, "mb1/net/a.b/call/Scan/me");
        g_assert_cmpint(request->qos, ==, strstr(mode, "qos0") ? 0 : 1);
        g_assert_false(request->retain);
        id = dup_id(request);
        g_assert_true(g_regex_match_simple("^\"[0-9a-f]{8}-1\"$", id, 0, 0));
        g_assert_nonnull(strstr(request->payload, "\"jsonrpc\":\"2.0\""));
        g_assert_nonnull(strstr(request->payload, "\"method\":\"Scan\",\"params\":[ 1.0 ]"));
        if (strstr(mode, "311")) {
                g_assert_null(request->correlation);
                g_assert_nonnull(strstr(request->payload, "\"x\":{\"ttl\":1500}"));
                answer(fixture, request, "reply", "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":7}");
                g_assert_true(LOOP_UNTIL(fixture->replies == 1));
                g_assert_cmpstr(fixture->result, ==, "7");
        } else {
                g_assert_cmpmem(request->correlation, request->correlation_length, id + 1,
                                strlen(id) - 2);
                g_assert_null(strstr(request->payload, "\"x\""));
        }
}

static void test_notification_as_it_is_sent(Fixture *fixture, gconstpointer unused)
{
        const RawMessage *request;

        g_assert_cmpint(mqttrpc_notify(fixture->bus, "net", "-", "Scan", NULL, 0, NULL), ==, 0);
        request = raw_client_receive(fixture->server);
        g_assert_cmpstr(request->payload, ==, "{\"jsonrpc\":\"2.0\",\"method\":\"Scan\"}");
        g_assert_null(request->correlation);
}

static void test_bad_calls_fail_at_once(Fixture *fixture, gconstpointer unused)
{
        static const struct {
                const char *service, *object, *method, *params;
                int r;
        } rows[] = {
                {"a b", "-", "m", NULL, -EINVAL},
                {"", "-", "m", NULL, -EINVAL},
                {"net", "a/b", "m", NULL, -EINVAL},
                {"net", "-", "+", NULL, -EINVAL},
                {"net", "-", "m", "{", -EINVAL},
                {"net", "-", "m", "1", -EINVAL},
                {"net", "-", "m", "[1]x", -EINVAL},
                {"net", "-", "m", "", -EINVAL},
                {"net", "-", "m", "{\"a\":1,\"a\":2}", -EINVAL},
        };
        g_autofree char *fill = g_strnfill(400000, '1');
        g_autofree char *large = g_strdup_printf("[%s]", fill);

        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                MqttRpcError *error = NULL;

                g_test_message("row %u", i);
                g_assert_cmpint(mqttrpc_call_async(fixture->bus, NULL, rows[i].service,
                                                   rows[i].object, rows[i].method, rows[i].params,
                                                   0, 0, on_reply, fixture, &error),
                                ==, rows[i].r);
                g_assert_cmpint(mqttrpc_error_get_code(error), ==, MQTTRPC_ERROR_INVALID_PARAMS);
                mqttrpc_error_free(error);
        }
        /* trap 31: more than the broker takes, then more than is allowed. */
        g_assert_cmpint(mqttrpc_notify(fixture->bus, "net", "-", "m", large, 0, NULL), ==,
                        -EMSGSIZE);
        g_assert_cmpint(mqttrpc_bus_set_limit(fixture->bus, MQTTRPC_LIMIT_PAYLOAD_BYTES, 100), ==,
                        0);
        large[200] = ']';
        large[201] = '\0';
        g_assert_cmpint(mqttrpc_notify(fixture->bus, "net", "-", "m", large, 0, NULL), ==,
                        -EMSGSIZE);
        g_assert_cmpuint(fixture->replies, ==, 0);
}

static void test_pending_calls_are_capped(Fixture *fixture, gconstpointer unused)
{
        g_assert_cmpint(mqttrpc_bus_set_limit(fixture->bus, MQTTRPC_LIMIT_PENDING_CALLS, 2), ==, 0);
        start_call(fixture);
        start_call(fixture);
        g_assert_cmpint(call_with(fixture, on_reply, 0), ==, -EBUSY);
        raw_client_receive(fixture->server);
        answer(fixture, raw_client_receive(fixture->server), "reply", "{\"id\":ID,\"result\":1}");
}

/* ---- replies that are none ---- */

/* The reply level of the bus, learned from a call that is given up. */
static char *own_token(Fixture *fixture)
{
        MqttRpcSlot *slot = NULL;
        const RawMessage *request;

        g_assert_cmpint(mqttrpc_call_async(fixture->bus, &slot, "net", "-", "Token", NULL, 0, 0,
                                           on_reply, fixture, NULL),
                        ==, 0);
        request = raw_client_receive(fixture->server);
        mqttrpc_slot_unref(slot);
        g_assert_nonnull(request->response_topic);
        return g_strdup(strrchr(request->response_topic, '/') + 1);
}

static const struct BadReply {
        const char *name;
        const char *payload;
} bad_replies[] = {
        {"another-id", "{\"id\":\"00000000-1\",\"result\":1}"},
        {"number-id", "{\"id\":1,\"result\":1}"},
        {"no-id", "{\"result\":1}"},
        {"null-id-with-a-result", "{\"id\":null,\"result\":1}"},
        {"both", "{\"id\":ID,\"result\":1,\"error\":{\"code\":1,\"message\":\"\"}}"},
        {"neither", "{\"id\":ID}"},
        {"no-json", "{\"id\":ID,\"result\":}"},
        {"array", "[{\"id\":ID,\"result\":1}]"},
        {"blank", " "},
};

/* trap 24: only what matches the pending call in every respect is its reply. */
static void test_bad_reply_is_ignored(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *token = own_token(fixture);
        const RawMessage *request;
        unsigned before =
                (unsigned)mqttrpc_bus_get_counter(fixture->bus, MQTTRPC_COUNT_UNMATCHED_REPLIES);

        start_call(fixture);
        request = raw_client_receive(fixture->server);
        for (unsigned i = 0; i < G_N_ELEMENTS(bad_replies); i++) {
                g_test_message("%s", bad_replies[i].name);
                answer(fixture, request, token, bad_replies[i].payload);
        }
        answer(fixture, request, token, "{\"id\":ID,\"result\":\"good\"}");
        g_assert_true(LOOP_UNTIL(fixture->replies == 1));
        g_assert_cmpstr(fixture->result, ==, "\"good\"");
        /* A second one is late. */
        answer(fixture, request, token, "{\"id\":ID,\"result\":\"late\"}");
        g_assert_true(
                LOOP_UNTIL(mqttrpc_bus_get_counter(fixture->bus, MQTTRPC_COUNT_UNMATCHED_REPLIES) ==
                           before + G_N_ELEMENTS(bad_replies) + 1));
        g_assert_cmpuint(fixture->replies, ==, 1);
}

static void test_retained_reply_is_ignored(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *token = own_token(fixture);
        g_autofree char *topic = NULL;
        g_autofree char *id = NULL;
        g_autofree char *payload = NULL;
        const RawMessage *request;

        start_call(fixture);
        request = raw_client_receive(fixture->server);
        id = dup_id(request);
        topic = g_strconcat(request->topic, "/", token, NULL);
        payload = g_strdup_printf("{\"id\":%s,\"result\":0}", id);
        raw_client_post(
                fixture->server,
                &(RawPublish){.topic = topic, .payload = payload, .qos = 1, .retain = true});
        answer(fixture, request, token, "{\"id\":ID,\"result\":1}");
        g_assert_true(LOOP_UNTIL(fixture->replies == 1));
        g_assert_cmpstr(fixture->result, ==, "1");
}

static void test_error_without_id_is_found_by_correlation(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *token = own_token(fixture);
        g_autofree char *topic = NULL;
        const RawMessage *request;

        start_call(fixture);
        request = raw_client_receive(fixture->server);
        topic = g_strconcat(request->topic, "/", token, NULL);
        raw_client_post(
                fixture->server,
                &(RawPublish){.topic = topic,
                              .payload =
                                      "{\"id\":null,\"error\":{\"code\":-32700,\"message\":\"\"}}",
                              .correlation = request->correlation,
                              .correlation_length = request->correlation_length});
        g_assert_true(LOOP_UNTIL(fixture->replies == 1));
        g_assert_cmpint(fixture->code, ==, MQTTRPC_ERROR_PARSE);
}

/* What cannot be read is told from what is none of ours by the Correlation Data. */
static void test_unreadable_reply_ends_the_call(Fixture *fixture, gconstpointer unused)
{
        static const char *const payloads[] = {"{\"id\":", "{}", "[]"};
        g_autofree char *token = own_token(fixture);

        for (unsigned i = 0; i < G_N_ELEMENTS(payloads); i++) {
                g_autofree char *topic = NULL;
                const RawMessage *request;

                start_call(fixture);
                request = raw_client_receive(fixture->server);
                topic = g_strconcat(request->topic, "/", token, NULL);
                raw_client_post(fixture->server,
                                &(RawPublish){.topic = topic,
                                              .payload = payloads[i],
                                              .correlation = request->correlation,
                                              .correlation_length = request->correlation_length});
                g_assert_true(LOOP_UNTIL(fixture->replies == i + 1));
                g_assert_cmpint(fixture->code, ==, MQTTRPC_ERROR_PROTOCOL);
        }
}

/* ---- ends without a reply ---- */

static void test_nobody_serves(Fixture *fixture, gconstpointer unused)
{
        g_assert_cmpint(mqttrpc_call_async(fixture->bus, NULL, "nobody", "-", "Scan", NULL, 0, 0,
                                           on_reply, fixture, NULL),
                        ==, 0);
        g_assert_true(LOOP_UNTIL(fixture->replies == 1));
        g_assert_cmpint(fixture->code, ==, MQTTRPC_ERROR_NO_SERVICE);
        g_assert_cmpint(fixture->executed, ==, MQTTRPC_EXECUTED_NO);
}

static void test_timeout(Fixture *fixture, gconstpointer unused)
{
        g_assert_cmpint(call_with(fixture, on_reply, 20000), ==, 0);
        start_call(fixture);
        g_assert_true(LOOP_UNTIL(fixture->replies == 1));
        g_assert_cmpint(fixture->code, ==, MQTTRPC_ERROR_TIMEOUT);
        g_assert_cmpint(fixture->executed, ==, MQTTRPC_EXECUTED_MAYBE);
}

static void test_cancelled_call_is_silent(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *token = own_token(fixture);
        MqttRpcSlot *slot;
        const RawMessage *request;

        g_assert_cmpint(mqttrpc_call_async(fixture->bus, &slot, "net", "-", "Scan", NULL, 0, 0,
                                           on_reply, fixture, NULL),
                        ==, 0);
        request = raw_client_receive(fixture->server);
        mqttrpc_slot_unref(slot);
        answer(fixture, request, token, "{\"id\":ID,\"result\":1}");
        g_assert_true(LOOP_UNTIL(
                mqttrpc_bus_get_counter(fixture->bus, MQTTRPC_COUNT_UNMATCHED_REPLIES) == 1));
        g_assert_cmpuint(fixture->replies, ==, 0);
}

static void test_close_ends_all_calls(Fixture *fixture, gconstpointer unused)
{
        for (unsigned i = 0; i < 10; i++)
                start_call(fixture);
        mqttrpc_bus_close(fixture->bus);
        g_assert_cmpuint(fixture->replies, ==, 10);
        g_assert_cmpint(fixture->code, ==, MQTTRPC_ERROR_DISCONNECTED);
}

/* ---- notifications that are acknowledged ---- */

static int notify_ack(Fixture *fixture, MqttRpcSlot **ret_slot, const char *service,
                      uint64_t timeout)
{
        return mqttrpc_notify_ack(fixture->bus, ret_slot, service, "-", "Note", "[1]", timeout,
                                  on_reply, fixture, NULL);
}

static void test_notification_is_taken(Fixture *fixture, gconstpointer unused)
{
        const RawMessage *request;

        g_assert_cmpint(notify_ack(fixture, NULL, "net", 1500000), ==, 0);
        g_assert_true(LOOP_UNTIL(fixture->replies == 1));
        g_assert_cmpint(fixture->code, ==, 0);
        g_assert_cmpstr(fixture->result, ==, "null");
        request = raw_client_receive(fixture->server);
        g_assert_cmpstr(request->topic, ==, "mb1/net/-/call/Note/me");
        g_assert_cmpint(request->qos, ==, 1);
        g_assert_null(strstr(request->payload, "\"id\""));
        g_assert_null(request->response_topic);
}

static void test_notification_for_nobody(Fixture *fixture, gconstpointer mode)
{
        g_assert_cmpint(notify_ack(fixture, NULL, "nobody", 0), ==, 0);
        g_assert_true(LOOP_UNTIL(fixture->replies == 1));
        /* By 3.1.1 the broker does not say so. */
        g_assert_cmpint(fixture->code, ==, strstr(mode, "311") ? 0 : MQTTRPC_ERROR_NO_SERVICE);
}

static void test_notification_ends_with_the_connection(Fixture *fixture, gconstpointer unused)
{
        pid_t broker = process_get_pid(broker_get_process(fixture->broker));

        g_assert_cmpint(kill(broker, SIGSTOP), ==, 0); /* or it might acknowledge it yet */
        g_assert_cmpint(notify_ack(fixture, NULL, "net", 0), ==, 0);
        broker_kill(fixture->broker);
        g_assert_true(LOOP_UNTIL(fixture->replies == 1));
        g_assert_cmpint(fixture->code, ==, MQTTRPC_ERROR_DISCONNECTED);
        g_assert_cmpint(fixture->executed, ==, MQTTRPC_EXECUTED_MAYBE);
        g_assert_cmpint(notify_ack(fixture, NULL, "net", 0), ==, -ENOTCONN);
        g_assert_cmpuint(fixture->replies, ==, 1);
}

/* A broker that is stopped acknowledges nothing. */
static void test_notification_is_not_acknowledged(Fixture *fixture, gconstpointer unused)
{
        pid_t broker = process_get_pid(broker_get_process(fixture->broker));

        g_assert_cmpint(kill(broker, SIGSTOP), ==, 0);
        g_assert_cmpint(notify_ack(fixture, NULL, "net", 20000), ==, 0);
        g_assert_true(LOOP_UNTIL(fixture->replies == 1));
        g_assert_cmpint(fixture->code, ==, MQTTRPC_ERROR_TIMEOUT);
        g_assert_cmpint(kill(broker, SIGCONT), ==, 0);
}

/* It has no id, so nothing that comes can be a reply to it. */
static void test_notification_is_not_ended_by_a_reply(Fixture *fixture, gconstpointer unused)
{
        pid_t broker = process_get_pid(broker_get_process(fixture->broker));
        g_autofree char *id = NULL, *payload = NULL;

        start_call(fixture);
        id = dup_id(raw_client_receive(fixture->server));
        g_assert_cmpstr(id + 9, ==, "-1\"");
        /* By 3.1.1 the reply topic is known beforehand, and so is the id that it would have. */
        payload = g_strdup_printf("{\"id\":%.9s-2\",\"result\":\"forged\"}", id);
        loop_remove(fixture->bus); /* it shall not see this before the notification is sent */
        raw_client_publish(fixture->server, &(RawPublish){.topic = "mb1/net/-/call/Note/me/reply",
                                                          .payload = payload});
        g_assert_cmpint(kill(broker, SIGSTOP), ==, 0);
        g_assert_cmpint(notify_ack(fixture, NULL, "net", 0), ==, 0);
        loop_add_bus(fixture->bus);
        mqttrpc_bus_unref(fixture->bus); /* the loop's reference from before */
        g_assert_true(LOOP_UNTIL(
                mqttrpc_bus_get_counter(fixture->bus, MQTTRPC_COUNT_UNMATCHED_REPLIES) == 1));
        g_assert_cmpuint(fixture->replies, ==, 0);
        g_assert_cmpint(kill(broker, SIGCONT), ==, 0);
        g_assert_true(LOOP_UNTIL(fixture->replies == 1));
        g_assert_cmpstr(fixture->result, ==, "null");
}

static void test_notification_is_given_up(Fixture *fixture, gconstpointer unused)
{
        MqttRpcSlot *slot = NULL;

        g_assert_cmpint(notify_ack(fixture, &slot, "net", 0), ==, 0);
        mqttrpc_slot_unref(slot);
        raw_client_receive(fixture->server);
        g_assert_cmpint(mqttrpc_bus_flush(fixture->bus, WAIT_MSEC * 1000), ==, 0);
        g_assert_cmpuint(fixture->replies, ==, 0);
}

/* ---- inside callbacks ---- */

static int on_reply_call_blocking(MqttRpcReply *reply, void *userdata)
{
        Fixture *fixture = userdata;

        g_assert_cmpint(mqttrpc_call(fixture->bus, "net", "-", "Scan", NULL, 0, 0, NULL, NULL), ==,
                        -EBUSY);
        g_assert_cmpint(mqttrpc_bus_process(fixture->bus), ==, -EBUSY);
        g_assert_cmpint(mqttrpc_bus_wait(fixture->bus, 1), ==, -EBUSY);
        return on_reply(reply, userdata);
}

static void test_blocking_call_in_a_callback(Fixture *fixture, gconstpointer unused)
{
        g_assert_cmpint(call_with(fixture, on_reply_call_blocking, 1000), ==, 0);
        g_assert_true(LOOP_UNTIL(fixture->replies == 1));
        g_assert_cmpint(call_with(fixture, on_reply_call_blocking, 0), ==, 0);
        mqttrpc_bus_close(fixture->bus);
        g_assert_cmpuint(fixture->replies, ==, 2);
}

static int on_reply_cancel_other(MqttRpcReply *reply, void *userdata)
{
        Fixture *fixture = userdata;

        fixture->slot = mqttrpc_slot_unref(fixture->slot);
        return on_reply(reply, userdata);
}

/* Of two calls that end in the same moment the first cancels the second. */
static void test_call_is_cancelled_in_another_ones_callback(Fixture *fixture, gconstpointer unused)
{
        g_assert_cmpint(call_with(fixture, on_reply_cancel_other, 0), ==, 0);
        g_assert_cmpint(mqttrpc_call_async(fixture->bus, &fixture->slot, "net", "-", "Scan", NULL,
                                           0, 0, on_reply, fixture, NULL),
                        ==, 0);
        mqttrpc_bus_close(fixture->bus);
        g_assert_cmpuint(fixture->replies, ==, 1);
}

static int on_reply_cancel_itself(MqttRpcReply *reply, void *userdata)
{
        Fixture *fixture = userdata;

        fixture->slot = mqttrpc_slot_unref(fixture->slot);
        return on_reply(reply, userdata);
}

static void test_call_is_cancelled_in_its_own_callback(Fixture *fixture, gconstpointer unused)
{
        g_assert_cmpint(mqttrpc_call_async(fixture->bus, &fixture->slot, "net", "-", "Scan", NULL,
                                           1000, 0, on_reply_cancel_itself, fixture, NULL),
                        ==, 0);
        g_assert_true(LOOP_UNTIL(fixture->replies == 1));
        g_assert_null(fixture->slot);
}

static int on_reply_call_again(MqttRpcReply *reply, void *userdata)
{
        Fixture *fixture = userdata;

        on_reply(reply, userdata);
        return call_with(fixture, on_reply_call_again, 1000);
}

/* A caller that calls again in each callback neither loops for ever nor outlives the bus. */
static void test_call_again_in_the_callback(Fixture *fixture, gconstpointer unused)
{
        g_assert_cmpint(call_with(fixture, on_reply_call_again, 1000), ==, 0);
        g_assert_true(LOOP_UNTIL(fixture->replies >= 5));
        mqttrpc_bus_close(fixture->bus);
        g_assert_cmpint(fixture->code, ==, MQTTRPC_ERROR_DISCONNECTED);
}

static int on_reply_drop_bus(MqttRpcReply *reply, void *userdata)
{
        Fixture *fixture = userdata;

        loop_remove(fixture->bus);
        mqttrpc_bus_unref(fixture->bus);
        fixture->bus = mqttrpc_bus_unref(fixture->bus);
        return on_reply(reply, userdata);
}

static void test_bus_is_freed_in_a_callback(Fixture *fixture, gconstpointer unused)
{
        g_assert_cmpint(call_with(fixture, on_reply_drop_bus, 1000), ==, 0);
        start_call(fixture);
        g_assert_true(LOOP_UNTIL(fixture->replies == 1));
        g_assert_null(fixture->bus);
}

static void on_state_drop_bus(MqttRpcBus *bus, MqttRpcState state, const MqttRpcError *reason,
                              void *userdata)
{
        Fixture *fixture = userdata;

        if (state != MQTTRPC_STATE_WAITING)
                return;
        loop_remove(bus);
        mqttrpc_bus_unref(bus);
        fixture->bus = mqttrpc_bus_unref(bus);
        g_assert_nonnull(mqttrpc_error_get_message(reason));
}

static void test_bus_is_freed_when_the_connection_is_lost(Fixture *fixture, gconstpointer unused)
{
        mqttrpc_bus_set_state_handler(fixture->bus, on_state_drop_bus, fixture);
        start_call(fixture);
        broker_kill(fixture->broker);
        g_assert_true(LOOP_UNTIL(fixture->bus == NULL));
        g_assert_cmpuint(fixture->replies, ==, 1);
        broker_start(fixture->broker); /* for the end of the raw client */
}

/* ---- blocking calls ---- */

static int method_echo(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        return mqttrpc_request_reply(request, mqttrpc_request_get_params(request, NULL), SIZE_MAX);
}

static int method_fail(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        return mqttrpc_error_set(ret_error, 42, "own reason");
}

static const MqttRpcMember vtable[] = {
        MQTTRPC_METHOD("Echo", "value:v", "v", method_echo, 0),
        MQTTRPC_METHOD("Fail", "", "", method_fail, 0),
        MQTTRPC_END,
};

/* A bus may call itself: other callbacks run while it waits. */
static void test_blocking_call(Fixture *fixture, gconstpointer unused)
{
        MqttRpcError *error = NULL;
        MqttRpcReply *reply = NULL;

        g_assert_cmpint(mqttrpc_add_service(fixture->bus, NULL, "self", vtable, NULL, NULL), ==, 0);
        g_assert_cmpint(mqttrpc_bus_wait_connected(fixture->bus, WAIT_MSEC * 1000, NULL), ==, 0);
        g_assert_cmpint(
                mqttrpc_call(fixture->bus, "self", "-", "Echo", "[\"x\"]", 0, 0, &reply, &error),
                ==, 0);
        g_assert_cmpstr(mqttrpc_reply_get_result(reply, NULL), ==, "[\"x\"]");
        g_assert_null(mqttrpc_reply_get_error(reply));
        mqttrpc_reply_unref(reply);
        g_assert_cmpint(mqttrpc_call(fixture->bus, "self", "-", "Fail", NULL, 0, MQTTRPC_CALL_QOS0,
                                     NULL, &error),
                        ==, -EREMOTEIO);
        g_assert_cmpint(mqttrpc_error_get_code(error), ==, 42);
        g_assert_cmpstr(mqttrpc_error_get_message(error), ==, "own reason");
        g_assert_true(mqttrpc_error_is_remote(error));
        mqttrpc_error_free(error);
        g_assert_cmpint(mqttrpc_call(fixture->bus, "net", "-", "Echo", NULL, 20000, 0, NULL, NULL),
                        ==, -ETIMEDOUT);
}

int main(int argc, char **argv)
{
        static const struct {
                const char *path;
                gconstpointer mode;
                void (*function)(Fixture *fixture, gconstpointer mode);
        } tests[] = {
                {"/call/as-it-is-sent/mqtt-5", "", test_request_as_it_is_sent},
                {"/call/as-it-is-sent/mqtt-5-qos-0", "qos0", test_request_as_it_is_sent},
                {"/call/as-it-is-sent/mqtt-311", "311", test_request_as_it_is_sent},
                {"/call/as-it-is-sent/mqtt-311-qos-0", "311qos0", test_request_as_it_is_sent},
                {"/call/as-it-is-sent/notification", "", test_notification_as_it_is_sent},
                {"/call/bad-ones-fail-at-once", "", test_bad_calls_fail_at_once},
                {"/call/pending-ones-are-capped", "", test_pending_calls_are_capped},
                {"/call/trap-24-bad-reply-is-ignored", "", test_bad_reply_is_ignored},
                {"/call/trap-18-retained-reply-is-ignored", "", test_retained_reply_is_ignored},
                {"/call/error-without-id-is-found-by-correlation", "",
                 test_error_without_id_is_found_by_correlation},
                {"/call/unreadable-reply-ends-it", "", test_unreadable_reply_ends_the_call},
                {"/call/ends/nobody-serves", "", test_nobody_serves},
                {"/call/ends/timeout", "", test_timeout},
                {"/call/ends/timeout-on-mqtt-311", "311", test_timeout},
                {"/call/ends/cancelled", "", test_cancelled_call_is_silent},
                {"/call/ends/closed", "", test_close_ends_all_calls},
                {"/notify/acknowledged/taken", "", test_notification_is_taken},
                {"/notify/acknowledged/taken-although-qos-0-is-the-default", "qos0",
                 test_notification_is_taken},
                {"/notify/acknowledged/nobody-is-there", "", test_notification_for_nobody},
                {"/notify/acknowledged/nobody-is-there-by-mqtt-311", "311",
                 test_notification_for_nobody},
                {"/notify/acknowledged/connection-is-lost", "",
                 test_notification_ends_with_the_connection},
                {"/notify/acknowledged/not-in-time", "", test_notification_is_not_acknowledged},
                {"/notify/acknowledged/not-by-a-reply", "311",
                 test_notification_is_not_ended_by_a_reply},
                {"/notify/acknowledged/given-up", "", test_notification_is_given_up},
                {"/call/in-a-callback/blocking-call", "", test_blocking_call_in_a_callback},
                {"/call/in-a-callback/other-is-cancelled", "",
                 test_call_is_cancelled_in_another_ones_callback},
                {"/call/in-a-callback/same-is-cancelled", "",
                 test_call_is_cancelled_in_its_own_callback},
                {"/call/in-a-callback/again", "", test_call_again_in_the_callback},
                {"/call/in-a-callback/bus-is-freed", "", test_bus_is_freed_in_a_callback},
                {"/call/in-a-callback/bus-is-freed-when-lost", "",
                 test_bus_is_freed_when_the_connection_is_lost},
                {"/call/blocking", "", test_blocking_call},
        };

        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
                g_test_add(tests[i].path, Fixture, tests[i].mode, set_up, tests[i].function,
                           tear_down);
        return g_test_run();
}
