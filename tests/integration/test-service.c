/* SPDX-License-Identifier: MIT */

/* Serving: what a caller gets for what it sends. */

#include "tests/integration/serve.h"

#include <errno.h>
#include <string.h>

/* ---- replies ---- */

typedef struct ReplyRow {
        const char *name;
        const char *method;
        const char *payload;
        const char *reply; /* all of it for a result, its start for an error */
} ReplyRow;

#define ID_OF(id)       "{\"jsonrpc\":\"2.0\",\"id\":" id ","
#define ERROR(id, code) ID_OF(id) "\"error\":{\"code\":" code ","

static const ReplyRow replies[] = {
        {"arguments-by-position", "Add", "{\"id\":1,\"params\":[2,-3]}",
         ID_OF("1") "\"result\":-1}"},
        {"arguments-by-name", "Add", "{\"id\":1,\"params\":{\"b\":3,\"a\":2}}",
         ID_OF("1") "\"result\":5}"},
        {"method-in-the-body-too", "Add", "{\"id\":1,\"method\":\"Add\",\"params\":[2,3]}",
         ID_OF("1") "\"result\":5}"},
        {"no-params-for-none", "WhoAmI", "{\"id\":1}",
         ID_OF("1") "\"result\":[\"net\",\"-\",\"WhoAmI\",\"alice\"]}"},
        {"id-exponent-is-the-same-token", "WhoAmI", "{\"id\":1.0e0}",
         ID_OF("1.0e0") "\"result\":[\"net\",\"-\",\"WhoAmI\",\"alice\"]}"},
        {"id-big-is-the-same-token", "WhoAmI", "{\"id\":12345678901234567890}",
         ID_OF("12345678901234567890") "\"result\":[\"net\",\"-\",\"WhoAmI\",\"alice\"]}"},
        {"id-escaped-is-the-same-token", "WhoAmI", "{\"id\":\"\\u0041\\/\\\"\"}",
         ID_OF("\"\\u0041\\/\\\"\"") "\"result\":[\"net\",\"-\",\"WhoAmI\",\"alice\"]}"},
        {"value-is-exact", "Echo", "{\"id\":1,\"params\":[1.10e-7]}",
         ID_OF("1") "\"result\":[1.10e-7]}"},
        {"value-by-name-is-exact", "Echo", "{\"id\":1,\"params\":{\"value\":9007199254740993}}",
         ID_OF("1") "\"result\":[9007199254740993]}"},
        {"wrong-type", "Add", "{\"id\":1,\"params\":[2,\"3\"]}", ERROR("1", "-32602")},
        {"out-of-range", "Add", "{\"id\":1,\"params\":[2,2147483648]}", ERROR("1", "-32602")},
        {"missing-argument", "Add", "{\"id\":1,\"params\":[2]}", ERROR("1", "-32602")},
        {"no-method", "Nope", "{\"id\":1}", ERROR("1", "-32601")},
        {"no-builtin", "rpc.nope", "{\"id\":1}", ERROR("1", "-32601")},
        {"handler-without-answer", "Silent", "{\"id\":1}", ERROR("1", "-32603")},
        {"handler-with-error", "Fail", "{\"id\":1}", ERROR("1", "-32002")},
        {"handler-with-errno", "FailByErrno", "{\"id\":1}", ERROR("1", "-32001")},
        {"trap-29-another-method-in-the-body", "Add",
         "{\"id\":1,\"method\":\"Fail\",\"params\":[2,3]}", ERROR("1", "-32600")},
        {"trap-29-method-that-starts-alike", "Add", "{\"id\":1,\"method\":\"Ad\",\"params\":[2,3]}",
         ERROR("1", "-32600")},
        {"trap-29-batch-on-call", "Add", "[{\"id\":1,\"method\":\"Add\",\"params\":[2,3]}]",
         ERROR("null", "-32600")},
        {"id-null", "WhoAmI", "{\"id\":null}", ERROR("null", "-32600")},
        {"id-array", "WhoAmI", "{\"id\":[1]}", ERROR("null", "-32600")},
        {"wrong-version", "WhoAmI", "{\"id\":1,\"jsonrpc\":\"1.0\"}", ERROR("1", "-32600")},
        {"params-that-are-none", "WhoAmI", "{\"id\":1,\"params\":3}", ERROR("1", "-32600")},
        {"empty-payload", "WhoAmI", "", ERROR("null", "-32700")},
        {"no-json", "WhoAmI", "hello", ERROR("null", "-32700")},
        {"trailing-bytes", "WhoAmI", "{\"id\":1}x", ERROR("null", "-32700")},
        {"duplicate-keys", "WhoAmI", "{\"id\":1,\"id\":2}", ERROR("null", "-32700")},
        {"a-number", "WhoAmI", "1", ERROR("null", "-32600")},
};

static void test_reply(Serve *serve, gconstpointer data)
{
        const ReplyRow *row = data;
        const char *reply = serve_request(serve, row->method, row->payload);

        if (!g_str_has_prefix(reply, row->reply))
                g_error("expected %s, got %s", row->reply, reply);
        if (!strstr(row->reply, "\"error\""))
                g_assert_cmpstr(reply, ==, row->reply);
        serve_assert_silence(serve);
}

static void test_error_says_which_field(Serve *serve, gconstpointer unused)
{
        const char *reply = serve_request(serve, "Add", "{\"id\":1,\"params\":[2,2.5]}");

        g_assert_nonnull(strstr(reply, "argument 'b' (i): 2.5 is not an integer"));
        g_assert_nonnull(strstr(reply, "\"field\":\"b\""));
        g_assert_nonnull(strstr(reply, "\"executed\":\"no\""));
        g_assert_cmpuint(serve->executed, ==, 0);
}

static void test_objects_are_apart(Serve *serve, gconstpointer unused)
{
        const char *reply;

        reply = serve_request_to(serve, "mb1/net/eth0.1/call/WhoAmI/alice", "{\"id\":1}");
        g_assert_nonnull(strstr(reply, "[\"net\",\"eth0.1\",\"WhoAmI\",\"alice\"]"));
        reply = serve_request_to(serve, "mb1/net/eth9/call/WhoAmI/alice", "{\"id\":1}");
        serve_assert_error(reply, "1", MQTTRPC_ERROR_NOT_FOUND);
}

/* ---- notifications ---- */

static void test_notification_gets_no_reply(Serve *serve, gconstpointer unused)
{
        static const struct {
                const char *method;
                const char *payload;
        } rows[] = {
                {"Echo", "{\"params\":[1]}"},
                {"Fail", "{}"},
                {"Silent", "{}"},
                {"Add", "{\"params\":[1]}"},
                {"Nope", "{}"},
                {"Echo", "{\"method\":\"Fail\"}"},
                {"Echo", "{\"jsonrpc\":\"1.0\"}"},
                {"Echo", "{\"params\":1}"},
                {"Hold", "{}"},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
                serve_send(serve, rows[i].method, rows[i].payload);
        g_assert_cmpint(serve_answer_held(serve, "1"), ==, 0);
        serve_assert_silence(serve);
        g_assert_cmpuint(serve->executed, ==, 4);
}

/* ---- deferred replies ---- */

static void test_deferred_replies_in_any_order(Serve *serve, gconstpointer unused)
{
        serve_send(serve, "Hold", "{\"id\":1}");
        serve_send(serve, "Hold", "{\"id\":2}");
        g_assert_true(LOOP_UNTIL(serve->n_held == 2));
        serve_assert_silence(serve);
        g_assert_cmpint(mqttrpc_request_reply(serve->held[1], "\"two\"", SIZE_MAX), ==, 0);
        g_assert_cmpint(mqttrpc_request_reply(serve->held[1], "3", SIZE_MAX), ==, -EALREADY);
        g_assert_cmpint(mqttrpc_request_reply_error(serve->held[1], NULL), ==, -EALREADY);
        g_assert_cmpstr(raw_client_receive(serve->alice)->payload, ==,
                        ID_OF("2") "\"result\":\"two\"}");
        g_assert_cmpint(serve_answer_held(serve, NULL), ==, 0);
        g_assert_cmpstr(raw_client_receive(serve->alice)->payload, ==,
                        ID_OF("1") "\"result\":null}");
}

static void test_dropped_request_is_answered(Serve *serve, gconstpointer unused)
{
        serve_send(serve, "Hold", "{\"id\":1}");
        g_assert_true(LOOP_UNTIL(serve->n_held == 1));
        mqttrpc_request_unref(serve->held[--serve->n_held]);
        serve_assert_error(raw_client_receive(serve->alice)->payload, "1", MQTTRPC_ERROR_INTERNAL);
}

/* ---- how replies travel ---- */

static void test_reply_has_the_qos_of_its_request(Serve *serve, gconstpointer unused)
{
        g_autofree char *topic = serve_call_topic("WhoAmI");

        for (int qos = 0; qos <= 1; qos++) {
                raw_client_post(serve->alice,
                                &(RawPublish){.topic = topic, .payload = "{\"id\":1}", .qos = qos});
                g_assert_cmpint(raw_client_receive(serve->alice)->qos, ==, qos);
        }
}

static void test_correlation_data_comes_back(Serve *serve, gconstpointer unused)
{
        static const char data[] = {0, (char)0xff, 'a', '\n', 0, 7, 8, 9, 10};
        g_autofree char *topic = serve_call_topic("Fail");
        const RawMessage *reply;

        raw_client_post(serve->alice, &(RawPublish){.topic = topic,
                                                    .payload = "{\"id\":1}",
                                                    .response_topic = "mb1/net/-/call/Fail/alice/t",
                                                    .correlation = data,
                                                    .correlation_length = sizeof(data)});
        reply = raw_client_receive(serve->alice);
        g_assert_cmpstr(reply->topic, ==, "mb1/net/-/call/Fail/alice/t");
        g_assert_cmpmem(reply->correlation, reply->correlation_length, data, sizeof(data));
        g_assert_cmpstr(reply->rc, ==, "-32002");
        raw_client_post(serve->alice, &(RawPublish){.topic = "mb1/net/-/call/WhoAmI/alice",
                                                    .payload = "{\"id\":1}"});
        reply = raw_client_receive(serve->alice);
        g_assert_null(reply->correlation);
        g_assert_cmpstr(reply->rc, ==, "0");
}

/* Response Topic with another prefix, as from behind a bridge: the reply is still addressed here.
 */
static void test_bridged_response_topic(Serve *serve, gconstpointer unused)
{
        raw_client_post(serve->alice,
                        &(RawPublish){.topic = "mb1/net/-/call/WhoAmI/alice",
                                      .payload = "{\"id\":1}",
                                      .response_topic = "far/mb1/net/-/call/WhoAmI/alice/tok"});
        g_assert_cmpstr(raw_client_receive(serve->alice)->topic, ==,
                        "mb1/net/-/call/WhoAmI/alice/tok");
}

static void test_311_client_is_served(Serve *serve, gconstpointer unused)
{
        CLEANUP_RAW_CLIENT RawClient *bob =
                raw_client_new(serve->broker, &(RawOptions){.mqtt311 = true});
        const RawMessage *reply;

        raw_client_subscribe(bob, "mb1/+/+/call/+/bob/+");
        raw_client_post(bob, &(RawPublish){.topic = "mb1/net/-/call/WhoAmI/bob",
                                           .payload = "{\"id\":\"x\"}",
                                           .qos = 1});
        reply = raw_client_receive(bob);
        g_assert_cmpstr(reply->topic, ==, "mb1/net/-/call/WhoAmI/bob/reply");
        g_assert_cmpstr(reply->payload, ==,
                        ID_OF("\"x\"") "\"result\":[\"net\",\"-\",\"WhoAmI\",\"bob\"]}");
}

/* ---- registrations while connected ---- */

static int method_late(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        return mqttrpc_request_reply(request, "\"late\"", SIZE_MAX);
}

static const MqttRpcMember late_vtable[] = {
        MQTTRPC_METHOD("Late", "", "s", method_late, MQTTRPC_ACCESS_READ),
        MQTTRPC_END,
};

static void test_service_comes_and_goes(Serve *serve, gconstpointer unused)
{
        MqttRpcSlot *slot;
        const char *reply;

        for (unsigned i = 0; i < 3; i++) {
                g_assert_cmpint(
                        mqttrpc_add_service(serve->server, &slot, "late", late_vtable, NULL, NULL),
                        ==, 0);
                serve_assert_silence(serve);
                reply = serve_request_to(serve, "mb1/late/-/call/Late/alice", "{\"id\":1}");
                g_assert_cmpstr(reply, ==, ID_OF("1") "\"result\":\"late\"}");
                mqttrpc_slot_unref(slot);
                serve_assert_silence(serve);
                g_assert_cmpint(
                        raw_client_publish(serve->alice,
                                           &(RawPublish){.topic = "mb1/late/-/call/Late/alice",
                                                         .payload = "{\"id\":1}"}),
                        ==, 0x10);
        }
}

static int method_remove_self(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        MqttRpcSlot **slot = userdata;

        *slot = mqttrpc_slot_unref(*slot);
        return mqttrpc_request_reply(request, "\"gone\"", SIZE_MAX);
}

static const MqttRpcMember removing_vtable[] = {
        MQTTRPC_METHOD("Remove", "", "s", method_remove_self, MQTTRPC_ACCESS_READ),
        MQTTRPC_END,
};

static void test_service_is_removed_in_its_handler(Serve *serve, gconstpointer unused)
{
        MqttRpcSlot *slot;
        const char *reply;

        g_assert_cmpint(
                mqttrpc_add_service(serve->server, &slot, "late", removing_vtable, &slot, NULL), ==,
                0);
        serve_assert_silence(serve);
        /* The rest of the batch finds nothing any more. */
        reply = serve_request_to(
                serve, "mb1/late/-/rpc/alice",
                "[{\"id\":1,\"method\":\"Remove\"},{\"id\":2,\"method\":\"Remove\"}]");
        g_assert_true(g_str_has_prefix(
                reply, "[" ID_OF("1") "\"result\":\"gone\"}," ERROR("2", "-32002")));
}

static int on_fallback(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        return mqttrpc_request_reply(request, "\"fallback\"", SIZE_MAX);
}

static void test_fallback_takes_what_no_vtable_takes(Serve *serve, gconstpointer unused)
{
        static const struct {
                const char *topic;
                const char *outcome;
        } rows[] = {
                {"mb1/net/-/call/WhoAmI/alice", "[\"net\",\"-\",\"WhoAmI\",\"alice\"]"},
                {"mb1/net/-/call/Nope/alice", "\"fallback\""},
                {"mb1/net/other/call/WhoAmI/alice", "\"fallback\""},
                {"mb1/net/other/call/rpc.nope/alice", "-32601"},
        };

        g_assert_cmpint(mqttrpc_add_fallback(serve->server, NULL, "net", on_fallback, NULL, NULL),
                        ==, 0);
        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
                g_assert_nonnull(strstr(serve_request_to(serve, rows[i].topic, "{\"id\":1}"),
                                        rows[i].outcome));
}

/* ---- the bus goes ---- */

static int method_close_bus(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        MqttRpcBus *bus = userdata;

        mqttrpc_bus_close(bus);
        g_assert_cmpint(mqttrpc_bus_open(bus, NULL), ==, -EBUSY);
        g_assert_cmpint(mqttrpc_bus_process(bus), ==, -EBUSY);
        g_assert_cmpint(mqttrpc_bus_wait(bus, 1), ==, -EBUSY);
        return mqttrpc_request_reply(request, NULL, 0);
}

static const MqttRpcMember closing_vtable[] = {
        MQTTRPC_METHOD("Close", "", "", method_close_bus, MQTTRPC_ACCESS_READ),
        MQTTRPC_END,
};

static void test_bus_is_closed_in_a_handler(Serve *serve, gconstpointer unused)
{
        g_assert_cmpint(mqttrpc_add_service(serve->server, NULL, "late", closing_vtable,
                                            serve->server, NULL),
                        ==, 0);
        serve_assert_silence(serve);
        serve_send_to(serve, "mb1/late/-/rpc/alice",
                      "[{\"id\":1,\"method\":\"Close\"},{\"id\":2,\"method\":\"Close\"}]");
        g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_state(serve->server) == MQTTRPC_STATE_CLOSED));
        g_assert_cmpint(mqttrpc_bus_open(serve->server, NULL), ==, 0);
        g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_state(serve->server) == MQTTRPC_STATE_CONNECTED));
        serve_assert_silence(serve);
}

static int method_unref_bus(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        MqttRpcBus **bus = userdata;

        *bus = mqttrpc_bus_unref(*bus);
        return mqttrpc_request_reply(request, "1", 1);
}

static const MqttRpcMember unref_vtable[] = {
        MQTTRPC_METHOD("Unref", "", "", method_unref_bus, MQTTRPC_ACCESS_READ),
        MQTTRPC_END,
};

static void test_bus_is_freed_in_a_handler(Serve *serve, gconstpointer unused)
{
        MqttRpcBus *bus;

        g_assert_cmpint(mqttrpc_bus_new(&bus), ==, 0);
        g_assert_cmpint(mqttrpc_bus_set_uri(bus, broker_get_uri(serve->broker), NULL), ==, 0);
        g_assert_cmpint(mqttrpc_add_service(bus, NULL, "late", unref_vtable, &bus, NULL), ==, 0);
        g_assert_cmpint(mqttrpc_bus_open(bus, NULL), ==, 0);
        g_assert_cmpint(mqttrpc_bus_wait_connected(bus, WAIT_MSEC * 1000, NULL), ==, 0);
        g_assert_cmpint(raw_client_publish(serve->alice,
                                           &(RawPublish){.topic = "mb1/late/-/call/Unref/alice",
                                                         .payload = "{\"id\":1}"}),
                        ==, 0);
        while (bus) {
                g_assert_cmpint(mqttrpc_bus_wait(bus, WAIT_MSEC * 1000), >, 0);
                g_assert_cmpint(mqttrpc_bus_process(bus), >=, 0);
        }
}

static void test_held_request_outlives_the_bus(Serve *serve, gconstpointer unused)
{
        serve_send(serve, "Hold", "{\"id\":1}");
        serve_send_to(serve, SERVE_RPC_TOPIC,
                      "[{\"id\":1,\"method\":\"Hold\"},{\"id\":2,\"method\":\"Hold\"}]");
        g_assert_true(LOOP_UNTIL(serve->n_held == 3));
        serve->server = loop_drop_bus(serve->server);
        g_assert_cmpstr(mqttrpc_request_get_caller(serve->held[0]), ==, "alice");
        g_assert_cmpstr(mqttrpc_request_get_service(serve->held[0]), ==, "net");
        while (serve->n_held > 0)
                g_assert_cmpint(serve_answer_held(serve, "1"), <, 0);
}

/* ---- a broker that is slow ---- */

static void test_reply_that_is_dropped_is_counted(Serve *serve, gconstpointer unused)
{
        uint64_t before = serve_counter(serve, MQTTRPC_COUNT_REPLIES);
        g_autofree char *fill = g_strnfill(1000, '1');

        serve_send(serve, "Hold", "{\"id\":1}");
        serve_send(serve, "Hold", "{\"id\":2}");
        g_assert_true(LOOP_UNTIL(serve->n_held == 2));
        serve_fill_outbound_queue(serve);
        g_assert_cmpint(serve_answer_held(serve, fill), ==, -ENOBUFS);
        g_assert_cmpuint(serve_counter(serve, MQTTRPC_COUNT_DROPPED_REPLIES), ==, 1);
        g_assert_cmpuint(serve_counter(serve, MQTTRPC_COUNT_REPLIES), ==, before);
        g_assert_nonnull(strstr(serve->log, "could not be sent"));
        /* Once the broker has caught up all is well again. */
        g_assert_cmpint(mqttrpc_bus_flush(serve->server, WAIT_MSEC * 1000), ==, 0);
        g_assert_cmpint(serve_answer_held(serve, "2"), ==, 0);
        g_assert_cmpstr(raw_client_receive(serve->alice)->payload, ==,
                        "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":2}");
        g_assert_cmpuint(serve_counter(serve, MQTTRPC_COUNT_DROPPED_REPLIES), ==, 1);
}

int main(int argc, char **argv)
{
        static const struct {
                const char *path;
                void (*function)(Serve *serve, gconstpointer unused);
        } tests[] = {
                {"/service/error-says-which-field", test_error_says_which_field},
                {"/service/objects-are-apart", test_objects_are_apart},
                {"/service/notification-gets-no-reply", test_notification_gets_no_reply},
                {"/service/deferred-replies-in-any-order", test_deferred_replies_in_any_order},
                {"/service/dropped-request-is-answered", test_dropped_request_is_answered},
                {"/service/reply-has-the-qos-of-its-request",
                 test_reply_has_the_qos_of_its_request},
                {"/service/correlation-data-comes-back", test_correlation_data_comes_back},
                {"/service/bridged-response-topic-is-answered-here", test_bridged_response_topic},
                {"/service/mqtt-311-client-is-served", test_311_client_is_served},
                {"/service/comes-and-goes", test_service_comes_and_goes},
                {"/service/is-removed-in-its-handler", test_service_is_removed_in_its_handler},
                {"/service/fallback-takes-what-no-vtable-takes",
                 test_fallback_takes_what_no_vtable_takes},
                {"/service/bus-is-closed-in-a-handler", test_bus_is_closed_in_a_handler},
                {"/service/bus-is-freed-in-a-handler", test_bus_is_freed_in_a_handler},
                {"/service/held-request-outlives-the-bus", test_held_request_outlives_the_bus},
                {"/service/reply-that-is-dropped-is-counted",
                 test_reply_that_is_dropped_is_counted},
        };

        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(replies); i++) {
                g_autofree char *path = g_strdup_printf("/service/reply/%s", replies[i].name);

                SERVE_TEST(path, &replies[i], test_reply);
        }
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
                SERVE_TEST(tests[i].path, NULL, tests[i].function);
        return g_test_run();
}
