/* SPDX-License-Identifier: MIT */

/* Calling methods that report progress or answer one by one (protocol section 6): what a caller by
 * this library makes of what comes. */

#include "tests/integration/serve.h"

#include <errno.h>
#include <string.h>

#define ITEM     SERVE_PROGRESS
#define INTERVAL 100000 /* of progress, in microseconds */

/* A caller by this library. As its service serves either the bus under test, or alice by hand. */
typedef struct Caller {
        Serve *serve;
        MqttRpcBus *bus;
        MqttRpcSlot *slot;
        GString *seen; /* "1=VALUE " for each item, then "RESULT" or the number of the error */
        unsigned items;
        unsigned replies;
        char *message; /* of the error */
        void (*in_handler)(struct Caller *caller);
} Caller;

static void on_item(const MqttRpcProgress *item, void *userdata)
{
        Caller *caller = userdata;
        size_t length;
        const char *value = mqttrpc_progress_get_value(item, &length);

        g_assert_cmpuint(strlen(value), ==, length);
        g_string_append_printf(caller->seen, "%" G_GUINT64_FORMAT "=%s ",
                               mqttrpc_progress_get_seq(item), value);
        caller->items++;
        if (caller->in_handler)
                caller->in_handler(caller);
}

static int on_reply(MqttRpcReply *reply, void *userdata)
{
        const MqttRpcError *error = mqttrpc_reply_get_error(reply);
        Caller *caller = userdata;

        if (error)
                g_string_append_printf(caller->seen, "%d", mqttrpc_error_get_code(error));
        else
                g_string_append(caller->seen, mqttrpc_reply_get_result(reply, NULL));
        if (error)
                caller->message = g_strdup(mqttrpc_error_get_message(error));
        caller->replies++;
        return 0;
}

static void caller_init(Caller *caller, Serve *serve, int protocol)
{
        *caller = (Caller){.serve = serve, .seen = g_string_new(NULL)};
        raw_client_publish(serve->alice, &(RawPublish){.topic = "mb1/fake/$state",
                                                       .payload = "{\"state\":\"ready\"}",
                                                       .retain = true});
        g_assert_cmpint(mqttrpc_bus_new(&caller->bus), ==, 0);
        g_assert_cmpint(mqttrpc_bus_set_uri(caller->bus, broker_get_uri(serve->broker), NULL), ==,
                        0);
        g_assert_cmpint(mqttrpc_bus_set_caller(caller->bus, "me"), ==, 0);
        g_assert_cmpint(mqttrpc_bus_set_protocol(caller->bus, protocol), ==, 0);
        g_assert_cmpint(mqttrpc_bus_open(caller->bus, NULL), ==, 0);
        loop_add_bus(caller->bus);
        g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_state(caller->bus) == MQTTRPC_STATE_CONNECTED));
        raw_client_subscribe(serve->alice, "mb1/fake/+/call/+/+");
}

static void caller_done(Caller *caller)
{
        mqttrpc_slot_unref(caller->slot);
        loop_drop_bus(caller->bus);
        g_string_free(caller->seen, TRUE);
        g_free(caller->message);
}

#define CLEANUP_CALLER CLEANUP(caller_done)

static void start(Caller *caller, const char *service, uint64_t timeout, uint64_t idle)
{
        g_assert_cmpint(mqttrpc_call_more_async(caller->bus, &caller->slot, service, "-", "Hold",
                                                NULL, timeout, idle, 0, on_item, on_reply, caller,
                                                NULL),
                        ==, 0);
}

static uint64_t unmatched(const Caller *caller)
{
        return mqttrpc_bus_get_counter(caller->bus, MQTTRPC_COUNT_UNMATCHED_REPLIES);
}

/* The request as alice got it: where to answer, and its id. */
typedef struct Got {
        char *topic;
        char *reply_topic;
        char *id;
        char *correlation;
} Got;

static Got *receive_request(Caller *caller)
{
        const RawMessage *request = raw_client_receive(caller->serve->alice);
        Got *got = g_new0(Got, 1);
        const char *id = strstr(request->payload, "\"id\":");

        g_assert_nonnull(id);
        got->topic = g_strdup(request->topic);
        got->reply_topic = request->response_topic ? g_strdup(request->response_topic)
                                                   : g_strdup_printf("%s/reply", request->topic);
        got->id = g_strndup(id + 5, strcspn(id + 5, ","));
        got->correlation = g_strndup(request->correlation, request->correlation_length);
        return got;
}

static void got_free(Got *got)
{
        g_free(got->topic);
        g_free(got->reply_topic);
        g_free(got->id);
        g_free(got->correlation);
        g_free(got);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Got, got_free)

/* ID in `payload` stands for the id of the request. */
static void say_with(Caller *caller, const Got *got, const char *payload, const char *correlation)
{
        g_autoptr(GString) text = g_string_new(payload);

        g_string_replace(text, "ID", got->id, 0);
        raw_client_post(caller->serve->alice,
                        &(RawPublish){.topic = got->reply_topic,
                                      .payload = text->str,
                                      .qos = 1,
                                      .correlation = correlation,
                                      .correlation_length = correlation ? strlen(correlation) : 0});
}

static void say(Caller *caller, const Got *got, const char *payload)
{
        say_with(caller, got, payload, NULL);
}

static void test_end_to_end(Serve *serve, gconstpointer data)
{
        CLEANUP_CALLER Caller caller;

        caller_init(&caller, serve, GPOINTER_TO_INT(data));
        start(&caller, "net", 0, 0);
        g_assert_true(LOOP_UNTIL(serve->n_held == 1));
        g_assert_true(mqttrpc_request_wants_progress(serve->held[0]));
        g_assert_cmpint(mqttrpc_request_progress(serve->held[0], "0.10", SIZE_MAX), ==, 0);
        g_assert_cmpint(mqttrpc_request_progress(serve->held[0], "0.20", SIZE_MAX), ==, 0);
        g_assert_cmpint(mqttrpc_request_more(serve->held[0], "[12345678901234567890]", SIZE_MAX),
                        ==, 0);
        g_assert_cmpint(serve_answer_held(serve, "\"end\""), ==, 0);
        g_assert_true(LOOP_UNTIL(caller.replies == 1));
        g_assert_cmpstr(caller.seen->str, ==, "1=0.10 2=0.20 3=[12345678901234567890] \"end\"");
        g_assert_cmpuint(unmatched(&caller), ==, 0);
}

static void test_order_and_gaps(Serve *serve, gconstpointer unused)
{
        CLEANUP_CALLER Caller caller;
        g_autoptr(Got) got = NULL;

        caller_init(&caller, serve, 5);
        start(&caller, "fake", 0, 0);
        got = receive_request(&caller);
        say(&caller, got, ITEM("ID", "1", "10"));
        say(&caller, got, ITEM("ID", "1", "11"));
        say(&caller, got, ITEM("ID", "3", "30"));
        say(&caller, got, ITEM("ID", "2", "20"));
        say(&caller, got, ITEM("ID", "18446744073709551615", "50"));
        say(&caller, got, "{\"id\":ID,\"result\":\"end\"}");
        g_assert_true(LOOP_UNTIL(caller.replies == 1));
        g_assert_cmpstr(caller.seen->str, ==, "1=10 3=30 18446744073709551615=50 \"end\"");
        g_assert_cmpuint(unmatched(&caller), ==, 2);
        say(&caller, got, ITEM("ID", "1", "10"));
        g_assert_true(LOOP_UNTIL(unmatched(&caller) == 3));
}

static const char *const strange_items[] = {
        ITEM("\"00000000-1\"", "1", "1"),
        ITEM("1", "1", "1"),
        ITEM("null", "1", "1"),
        ITEM("ID", "0", "1"),
        ITEM("ID", "\"1\"", "1"),
        "{\"method\":\"rpc.progress\",\"params\":{\"id\":ID,\"seq\":1}}",
        "{\"method\":\"rpc.progress\",\"params\":[ID,1,1]}",
        "{\"method\":\"rpc.progress\"}",
};

/* They neither reach the handler nor end the call. */
static void test_strange_items_are_dropped(Serve *serve, gconstpointer unused)
{
        CLEANUP_CALLER Caller caller;
        g_autoptr(Got) got = NULL;
        unsigned count = G_N_ELEMENTS(strange_items);

        caller_init(&caller, serve, 5);
        start(&caller, "fake", 0, 0);
        got = receive_request(&caller);
        for (unsigned i = 0; i < count; i++) {
                say_with(&caller, got, strange_items[i], got->correlation);
                say(&caller, got, strange_items[i]);
        }
        raw_client_post(serve->alice,
                        &(RawPublish){.topic = got->reply_topic,
                                      .payload = "{\"method\":\"rpc.progress\",\"params\":{}}",
                                      .qos = 1,
                                      .retain = true});
        say(&caller, got, "{\"id\":ID,\"result\":\"end\"}");
        g_assert_true(LOOP_UNTIL(caller.replies == 1));
        g_assert_cmpstr(caller.seen->str, ==, "\"end\"");
        g_assert_cmpuint(unmatched(&caller), ==, 2 * count + 1);
}

/* The Correlation Data of one call with the id of another, and an item at another call's topic. */
static void test_items_of_another_call(Serve *serve, gconstpointer unused)
{
        CLEANUP_CALLER Caller caller;
        g_autoptr(Got) got = NULL;
        g_autofree char *item = NULL, *other_topic = NULL;

        caller_init(&caller, serve, 5);
        start(&caller, "fake", 0, 0);
        got = receive_request(&caller);
        item = g_strdup_printf(ITEM("%s", "1", "1"), got->id);
        say_with(&caller, got, ITEM("ID", "1", "1"), "00000000-1");
        other_topic =
                g_strdup_printf("mb1/fake/-/call/Other/me/%s", strrchr(got->reply_topic, '/') + 1);
        raw_client_post(serve->alice,
                        &(RawPublish){.topic = other_topic, .payload = item, .qos = 1});
        say(&caller, got, ITEM("ID", "2", "2"));
        say(&caller, got, "{\"id\":ID,\"result\":\"end\"}");
        g_assert_true(LOOP_UNTIL(caller.replies == 1));
        g_assert_cmpstr(caller.seen->str, ==, "2=2 \"end\"");
        g_assert_cmpuint(unmatched(&caller), ==, 2);
}

/* A call that has not asked for it is not disturbed. */
static void test_items_for_a_plain_call(Serve *serve, gconstpointer unused)
{
        CLEANUP_CALLER Caller caller;
        g_autoptr(Got) got = NULL;

        caller_init(&caller, serve, 5);
        g_assert_cmpint(mqttrpc_call_more_async(caller.bus, NULL, "fake", "-", "Hold", NULL, 0, 1,
                                                0, NULL, on_reply, &caller, NULL),
                        ==, 0);
        got = receive_request(&caller);
        say_with(&caller, got, ITEM("ID", "1", "1"), got->correlation);
        say(&caller, got, "{\"id\":ID,\"result\":\"end\"}");
        g_assert_true(LOOP_UNTIL(caller.replies == 1));
        g_assert_cmpstr(caller.seen->str, ==, "\"end\"");
}

/* ---- time ---- */

/* The service may come to know of the end of the time first. */
static void report_again(Caller *caller)
{
        int r = mqttrpc_request_progress(caller->serve->held[0], "1", SIZE_MAX);

        if (r != -ETIMEDOUT)
                g_assert_cmpint(r, ==, 0);
}

static void report_ten_times(Caller *caller)
{
        if (caller->items < 10)
                report_again(caller);
}

/* Each item is held back for a tenth of a second; a service that falls silent ends the call, long
 * before its time is over. */
static void test_idle_time(Serve *serve, gconstpointer unused)
{
        CLEANUP_CALLER Caller caller;
        gint64 begin = g_get_monotonic_time();

        caller_init(&caller, serve, 5);
        caller.in_handler = report_ten_times;
        start(&caller, "net", 0, 8 * INTERVAL);
        g_assert_true(LOOP_UNTIL(serve->n_held == 1));
        report_again(&caller);
        g_assert_true(LOOP_UNTIL(caller.replies == 1));
        g_assert_cmpuint(caller.items, ==, 10);
        g_assert_true(g_str_has_suffix(caller.seen->str, " -32005"));
        g_assert_nonnull(strstr(caller.message, "no progress in time"));
        g_assert_cmpint(g_get_monotonic_time() - begin, >=, 17 * INTERVAL);
}

static void test_silent_from_the_start(Serve *serve, gconstpointer unused)
{
        CLEANUP_CALLER Caller caller;

        caller_init(&caller, serve, 5);
        start(&caller, "fake", 0, 20000);
        g_assert_true(LOOP_UNTIL(caller.replies == 1));
        g_assert_cmpstr(caller.seen->str, ==, "-32005");
}

/* Progress for ever does not prolong the whole. */
static void test_deadline_stays(Serve *serve, gconstpointer idle)
{
        CLEANUP_CALLER Caller caller;

        caller_init(&caller, serve, 5);
        caller.in_handler = report_again;
        start(&caller, "net", 5 * INTERVAL, idle ? 10 * INTERVAL : 0);
        g_assert_true(LOOP_UNTIL(serve->n_held == 1));
        report_again(&caller);
        g_assert_true(LOOP_UNTIL(caller.replies == 1));
        g_assert_true(g_str_has_suffix(caller.seen->str, " -32005"));
        g_assert_nonnull(strstr(caller.message, "no reply in time"));
}

/* ---- cancelling ---- */

static void test_cancel_as_it_is_sent(Serve *serve, gconstpointer data)
{
        int protocol = GPOINTER_TO_INT(data);
        CLEANUP_CALLER Caller caller;
        g_autofree char *payload = NULL;
        const RawMessage *message;
        g_autoptr(Got) got = NULL;

        caller_init(&caller, serve, protocol);
        start(&caller, "fake", 0, 0);
        got = receive_request(&caller);
        g_assert_cmpint(mqttrpc_call_cancel(caller.slot), ==, 0);
        message = raw_client_receive(serve->alice);
        g_assert_cmpstr(message->topic, ==, "mb1/fake/-/call/rpc.cancel/me");
        g_assert_cmpint(message->qos, ==, 1);
        g_assert_null(message->response_topic);
        payload = g_strdup_printf("{\"jsonrpc\":\"2.0\",\"method\":\"rpc.cancel\","
                                  "\"params\":{\"id\":%s}%s",
                                  got->id, protocol == 5 ? "}" : ",\"x\":{\"ttl\":");
        g_assert_true(g_str_has_prefix(message->payload, payload));
        /* It still waits, whatever the service does of it. */
        g_assert_cmpuint(caller.replies, ==, 0);
        g_assert_cmpint(mqttrpc_call_cancel(caller.slot), ==, 0);
        say(&caller, got, "{\"id\":ID,\"result\":\"too late\"}");
        g_assert_true(LOOP_UNTIL(caller.replies == 1));
        g_assert_cmpstr(caller.seen->str, ==, "\"too late\"");
        g_assert_cmpint(mqttrpc_call_cancel(caller.slot), ==, -EALREADY);
}

static void test_cancel_end_to_end(Serve *serve, gconstpointer data)
{
        CLEANUP_CALLER Caller caller;

        caller_init(&caller, serve, GPOINTER_TO_INT(data));
        start(&caller, "net", 0, 0);
        g_assert_true(LOOP_UNTIL(serve->n_held == 1));
        g_assert_cmpint(mqttrpc_call_cancel(caller.slot), ==, 0);
        g_assert_true(LOOP_UNTIL(caller.replies == 1));
        g_assert_cmpstr(caller.seen->str, ==, "-32006");
        g_assert_cmpint(serve_answer_held(serve, "1"), ==, -ECANCELED);
        g_assert_cmpuint(unmatched(&caller), ==, 0);
}

static const MqttRpcMember no_members[] = {MQTTRPC_END};

static void test_cancel_of_what_is_no_call(Serve *serve, gconstpointer unused)
{
        CLEANUP_CALLER Caller caller;
        MqttRpcSlot *slots[2];

        caller_init(&caller, serve, 5);
        g_assert_cmpint(mqttrpc_notify_ack(caller.bus, &slots[0], "fake", "-", "m", NULL, 0,
                                           on_reply, &caller, NULL),
                        ==, 0);
        g_assert_cmpint(mqttrpc_add_service(caller.bus, &slots[1], "void", no_members, NULL, NULL),
                        ==, 0);
        for (unsigned i = 0; i < G_N_ELEMENTS(slots); i++) {
                g_assert_cmpint(mqttrpc_call_cancel(slots[i]), ==, -EINVAL);
                mqttrpc_slot_unref(slots[i]);
        }
}

static void cancel_call(Caller *caller)
{
        g_assert_cmpint(mqttrpc_call_cancel(caller->slot), ==, 0);
}

/* A caller that has seen enough. */
static void test_cancel_in_the_handler(Serve *serve, gconstpointer unused)
{
        CLEANUP_CALLER Caller caller;

        caller_init(&caller, serve, 5);
        caller.in_handler = cancel_call;
        start(&caller, "net", 0, 0);
        g_assert_true(LOOP_UNTIL(serve->n_held == 1));
        g_assert_cmpint(mqttrpc_request_more(serve->held[0], "1", 1), ==, 0);
        g_assert_true(LOOP_UNTIL(caller.replies == 1));
        g_assert_cmpstr(caller.seen->str, ==, "1=1 -32006");
        g_assert_cmpint(mqttrpc_request_more(serve->held[0], "2", 1), ==, -ECANCELED);
}

/* ---- in the handler ---- */

static void drop_slot(Caller *caller)
{
        caller->slot = mqttrpc_slot_unref(caller->slot);
}

static void close_bus(Caller *caller)
{
        mqttrpc_bus_close(caller->bus);
}

static void drop_bus(Caller *caller)
{
        loop_remove(caller->bus);
        mqttrpc_bus_unref(caller->bus);
        caller->bus = mqttrpc_bus_unref(caller->bus);
}

static const struct InHandler {
        const char *name;
        void (*function)(Caller *caller);
        const char *seen;
} in_handlers[] = {
        {"slot-is-dropped", drop_slot, "1=1 "},
        {"bus-is-closed", close_bus, "1=1 -32102"},
        {"bus-is-freed", drop_bus, "1=1 "},
};

static void test_in_the_handler(Serve *serve, gconstpointer data)
{
        const struct InHandler *row = data;
        CLEANUP_CALLER Caller caller;
        g_autoptr(Got) got = NULL;

        caller_init(&caller, serve, 5);
        caller.in_handler = row->function;
        start(&caller, "fake", 0, 0);
        got = receive_request(&caller);
        say(&caller, got, ITEM("ID", "1", "1"));
        say(&caller, got, ITEM("ID", "2", "2"));
        g_assert_true(LOOP_UNTIL(caller.items == 1));
        say(&caller, got, "{\"id\":ID,\"result\":\"end\"}");
        serve_assert_silence(serve);
        g_assert_cmpstr(caller.seen->str, ==, row->seen);
}

int main(int argc, char **argv)
{
        static const struct {
                const char *path;
                gconstpointer data;
                void (*function)(Serve *serve, gconstpointer data);
        } tests[] = {
                {"/call-more/end-to-end/mqtt-5", GINT_TO_POINTER(5), test_end_to_end},
                {"/call-more/end-to-end/mqtt-311", GINT_TO_POINTER(4), test_end_to_end},
                {"/call-more/order-and-gaps", NULL, test_order_and_gaps},
                {"/call-more/strange-items-are-dropped", NULL, test_strange_items_are_dropped},
                {"/call-more/items-of-another-call", NULL, test_items_of_another_call},
                {"/call-more/items-for-a-plain-call", NULL, test_items_for_a_plain_call},
                {"/call-more/cancelled/as-it-is-sent/mqtt-5", GINT_TO_POINTER(5),
                 test_cancel_as_it_is_sent},
                {"/call-more/cancelled/as-it-is-sent/mqtt-311", GINT_TO_POINTER(4),
                 test_cancel_as_it_is_sent},
                {"/call-more/cancelled/end-to-end/mqtt-5", GINT_TO_POINTER(5),
                 test_cancel_end_to_end},
                {"/call-more/cancelled/end-to-end/mqtt-311", GINT_TO_POINTER(4),
                 test_cancel_end_to_end},
                {"/call-more/cancelled/what-is-no-call", NULL, test_cancel_of_what_is_no_call},
                {"/call-more/cancelled/in-the-handler", NULL, test_cancel_in_the_handler},
                {"/call-more/idle-time", NULL, test_idle_time},
                {"/call-more/silent-from-the-start", NULL, test_silent_from_the_start},
                {"/call-more/deadline-stays", NULL, test_deadline_stays},
                {"/call-more/deadline-stays-with-more-idle-time", "idle", test_deadline_stays},
        };

        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(in_handlers); i++) {
                g_autofree char *path =
                        g_strdup_printf("/call-more/in-the-handler/%s", in_handlers[i].name);

                SERVE_TEST(path, &in_handlers[i], test_in_the_handler);
        }
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
                SERVE_TEST(tests[i].path, tests[i].data, tests[i].function);
        return g_test_run();
}
