/* SPDX-License-Identifier: MIT */

/* mqttrpc/glib.h: a bus on a GLib main loop, over losses and new connections. */

#include "tests/support/broker.h"
#include "tests/support/wait.h"

#include <glib-unix.h>
#include <mqttrpc/glib.h>
#include <signal.h>
#include <sys/eventfd.h>

enum {
        FOREIGN = 16, /* enough to have all numbers that are free just then */
        FLOOD = 100,
        AT_REST = 100, /* turns in 300 ms, with all that is sent meanwhile; thousands if it spins */
};

typedef struct Fixture {
        TempDir *dir;
        Broker *broker;
        MqttRpcBus *bus;
        GMainContext *context;
        GSource *source;
        unsigned replies;
        int code;
        int foreign_fds[FOREIGN];
        unsigned foreign_seen;
        unsigned requests;
        unsigned seen_by_other; /* requests that had come at the other source's last turn */
        unsigned longest;       /* most requests between two of its turns */
} Fixture;

/* Wakes the loop up often enough for a test to see that its time is over. */
static gboolean on_tick(gpointer unused)
{
        return G_SOURCE_CONTINUE;
}

static void set_up(Fixture *fixture, gconstpointer unused)
{
        g_autoptr(GSource) tick = g_timeout_source_new_seconds(1);

        fixture->dir = temp_dir_new();
        fixture->broker = broker_new_with_config(fixture->dir,
                                                 "allow_anonymous true\nmax_inflight_messages 0\n");
        broker_start(fixture->broker);
        fixture->context = g_main_context_new();
        g_source_set_callback(tick, on_tick, NULL, NULL);
        g_source_attach(tick, fixture->context);
        g_assert_cmpint(mqttrpc_bus_new(&fixture->bus), ==, 0);
        g_assert_cmpint(mqttrpc_bus_set_uri(fixture->bus, broker_get_uri(fixture->broker), NULL),
                        ==, 0);
        g_assert_cmpint(mqttrpc_bus_set_limit(fixture->bus, MQTTRPC_LIMIT_RECONNECT_USEC, 50000),
                        ==, 0);
        fixture->source = mqttrpc_g_source_new(fixture->bus);
        g_source_attach(fixture->source, fixture->context);
        g_assert_cmpint(mqttrpc_bus_open(fixture->bus, NULL), ==, 0);
}

static void tear_down(Fixture *fixture, gconstpointer unused)
{
        if (fixture->source) {
                g_source_destroy(fixture->source);
                g_source_unref(fixture->source);
        }
        mqttrpc_bus_unref(fixture->bus);
        g_main_context_unref(fixture->context);
        broker_free(fixture->broker);
        temp_dir_free(fixture->dir);
        for (unsigned i = 0; i < FOREIGN; i++)
                if (fixture->foreign_fds[i] > 0)
                        close(fixture->foreign_fds[i]);
}

#define RUN_UNTIL(fixture, condition)                                       \
        do {                                                                \
                gint64 deadline = wait_deadline(WAIT_MSEC);                 \
                while (!(condition)) {                                      \
                        g_assert_cmpint(wait_left(deadline), >, 0);         \
                        g_main_context_iteration((fixture)->context, TRUE); \
                }                                                           \
        } while (0)

static gboolean on_end(gpointer userdata)
{
        *(bool *)userdata = true;
        return G_SOURCE_REMOVE;
}

/* How often the loop turns in the next 300 ms. */
static unsigned count_turns(Fixture *fixture)
{
        g_autoptr(GSource) end = g_timeout_source_new(300);
        bool ended = false;
        unsigned turns = 0;

        g_source_set_callback(end, on_end, &ended, NULL);
        g_source_attach(end, fixture->context);
        for (; !ended; turns++)
                g_main_context_iteration(fixture->context, TRUE);
        return turns;
}

static bool is_in(Fixture *fixture, MqttRpcState state)
{
        return mqttrpc_bus_get_state(fixture->bus) == state;
}

static int on_reply(MqttRpcReply *reply, void *userdata)
{
        const MqttRpcError *error = mqttrpc_reply_get_error(reply);
        Fixture *fixture = userdata;

        fixture->replies++;
        fixture->code = error ? mqttrpc_error_get_code(error) : 0;
        return 0;
}

static void call(Fixture *fixture, MqttRpcReplyHandler handler, uint64_t timeout)
{
        g_assert_cmpint(mqttrpc_call_async(fixture->bus, NULL, "self", "-", "rpc.ping", NULL,
                                           timeout, 0, handler, fixture, NULL),
                        ==, 0);
}

static int on_request(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        return mqttrpc_request_reply(request, NULL, 0);
}

static void serve(Fixture *fixture)
{
        g_assert_cmpint(mqttrpc_add_fallback(fixture->bus, NULL, "self", on_request, NULL, NULL),
                        ==, 0);
}

static void assert_works(Fixture *fixture)
{
        unsigned before = fixture->replies;

        RUN_UNTIL(fixture, is_in(fixture, MQTTRPC_STATE_CONNECTED));
        call(fixture, on_reply, 0);
        RUN_UNTIL(fixture, fixture->replies > before);
        g_assert_cmpint(fixture->code, ==, 0);
}

static void test_survives_restarts(Fixture *fixture, gconstpointer unused)
{
        serve(fixture);
        assert_works(fixture);
        for (unsigned i = 0; i < 3; i++) {
                broker_kill(fixture->broker);
                RUN_UNTIL(fixture, is_in(fixture, MQTTRPC_STATE_WAITING));
                broker_start(fixture->broker);
                assert_works(fixture);
        }
}

/* The next connection's descriptor has the number of the last one's. */
static void test_closed_and_opened_at_once(Fixture *fixture, gconstpointer unused)
{
        serve(fixture);
        for (unsigned i = 0; i < 5; i++) {
                assert_works(fixture);
                mqttrpc_bus_close(fixture->bus);
                g_assert_cmpint(mqttrpc_bus_open(fixture->bus, NULL), ==, 0);
        }
        assert_works(fixture);
}

/* The broker restarts, and the connection is lost and back without a look of the loop at it. */
static void restart_behind_the_loop(Fixture *fixture)
{
        broker_kill(fixture->broker);
        broker_start(fixture->broker);
        while (is_in(fixture, MQTTRPC_STATE_CONNECTED)) {
                g_assert_cmpint(mqttrpc_bus_wait(fixture->bus, WAIT_MSEC * 1000), >, 0);
                g_assert_cmpint(mqttrpc_bus_process(fixture->bus), >=, 0);
        }
        g_assert_cmpint(mqttrpc_bus_wait_connected(fixture->bus, WAIT_MSEC * 1000, NULL), ==, 0);
}

static void test_reconnected_behind_the_loop(Fixture *fixture, gconstpointer unused)
{
        serve(fixture);
        assert_works(fixture);
        restart_behind_the_loop(fixture);
        assert_works(fixture);
        restart_behind_the_loop(fixture);
        assert_works(fixture);
        g_assert_cmpuint(count_turns(fixture), <, AT_REST);
}

static void test_rests_when_idle_and_when_closed(Fixture *fixture, gconstpointer unused)
{
        serve(fixture);
        RUN_UNTIL(fixture, is_in(fixture, MQTTRPC_STATE_CONNECTED));
        g_assert_cmpuint(count_turns(fixture), <, AT_REST);
        call(fixture, on_reply, 20000);
        g_main_context_iteration(fixture->context, FALSE);
        mqttrpc_bus_close(fixture->bus);
        g_assert_cmpuint(count_turns(fixture), <, AT_REST);
}

/* Nothing arrives that could end the call: only the time does. */
static void test_deadline_is_kept(Fixture *fixture, gconstpointer unused)
{
        serve(fixture);
        RUN_UNTIL(fixture, is_in(fixture, MQTTRPC_STATE_CONNECTED));
        process_signal(broker_get_process(fixture->broker), SIGSTOP);
        call(fixture, on_reply, 50000);
        RUN_UNTIL(fixture, fixture->replies == 1);
        g_assert_cmpint(fixture->code, ==, MQTTRPC_ERROR_TIMEOUT);
}

/* ---- others on the same loop ---- */

static gboolean on_foreign(gint fd, GIOCondition condition, gpointer userdata)
{
        ((Fixture *)userdata)->foreign_seen++;
        return G_SOURCE_REMOVE;
}

static int on_reply_open_others(MqttRpcReply *reply, void *userdata)
{
        Fixture *fixture = userdata;

        for (unsigned i = 0; i < FOREIGN; i++) {
                g_autoptr(GSource) source = NULL;

                fixture->foreign_fds[i] = eventfd(0, EFD_CLOEXEC);
                g_assert_cmpint(fixture->foreign_fds[i], >, 0);
                source = g_unix_fd_source_new(fixture->foreign_fds[i], G_IO_IN);
                g_source_set_callback(source, G_SOURCE_FUNC(on_foreign), fixture, NULL);
                g_source_attach(source, fixture->context);
        }
        return on_reply(reply, userdata);
}

/* What a callback opens while the connection is lost may have the number of the lost one. */
static void test_foreign_descriptor_is_left_alone(Fixture *fixture, gconstpointer unused)
{
        serve(fixture);
        RUN_UNTIL(fixture, is_in(fixture, MQTTRPC_STATE_CONNECTED));
        process_signal(broker_get_process(fixture->broker), SIGSTOP);
        call(fixture, on_reply_open_others, 0);
        broker_kill(fixture->broker);
        RUN_UNTIL(fixture, fixture->replies == 1);
        g_assert_cmpuint(count_turns(fixture), <, AT_REST);
        for (unsigned i = 0; i < FOREIGN; i++)
                g_assert_cmpint(eventfd_write(fixture->foreign_fds[i], 1), ==, 0);
        RUN_UNTIL(fixture, fixture->foreign_seen == FOREIGN);
}

static gboolean on_turn(gpointer userdata)
{
        Fixture *fixture = userdata;

        fixture->longest = MAX(fixture->longest, fixture->requests - fixture->seen_by_other);
        fixture->seen_by_other = fixture->requests;
        return G_SOURCE_CONTINUE;
}

static int on_slow_request(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        gint64 end = g_get_monotonic_time() + MQTTRPC_G_SOURCE_TURN_USEC;

        while (g_get_monotonic_time() < end)
                continue;
        ((Fixture *)userdata)->requests++;
        return 0;
}

/* All messages are there at once, and each takes all of a turn. */
static void test_others_are_not_starved(Fixture *fixture, gconstpointer unused)
{
        g_autoptr(GSource) other = g_idle_source_new();

        g_assert_cmpint(
                mqttrpc_add_fallback(fixture->bus, NULL, "self", on_slow_request, fixture, NULL),
                ==, 0);
        RUN_UNTIL(fixture, is_in(fixture, MQTTRPC_STATE_CONNECTED));
        g_source_set_priority(other, G_PRIORITY_DEFAULT);
        g_source_set_callback(other, on_turn, fixture, NULL);
        g_source_attach(other, fixture->context);
        /* With messages unacknowledged, as many more are read at once. */
        g_assert_cmpint(mqttrpc_bus_flush(fixture->bus, WAIT_MSEC * 1000), ==, 0);
        for (unsigned i = 0; i < FLOOD; i++)
                g_assert_cmpint(mqttrpc_notify(fixture->bus, "self", "-", "Work", NULL,
                                               MQTTRPC_CALL_QOS0, NULL),
                                ==, 0);
        RUN_UNTIL(fixture, fixture->requests == FLOOD);
        g_assert_cmpuint(fixture->longest, ==, 1);
        g_source_destroy(other);
}

/* ---- ends ---- */

static int on_reply_end_all(MqttRpcReply *reply, void *userdata)
{
        Fixture *fixture = userdata;

        on_reply(reply, userdata);
        g_source_destroy(fixture->source);
        g_source_unref(fixture->source);
        fixture->source = NULL;
        fixture->bus = mqttrpc_bus_unref(fixture->bus);
        return 0;
}

static void test_ended_in_a_callback(Fixture *fixture, gconstpointer unused)
{
        unsigned replies;

        serve(fixture);
        assert_works(fixture);
        call(fixture, on_reply_end_all, 0);
        call(fixture, on_reply, 0);
        RUN_UNTIL(fixture, !fixture->source);
        replies = fixture->replies;
        g_assert_cmpuint(count_turns(fixture), <, AT_REST);
        g_assert_cmpuint(fixture->replies, ==, replies);
}

static int on_reply_run_loop(MqttRpcReply *reply, void *userdata)
{
        g_assert_cmpuint(count_turns(userdata), <, AT_REST);
        return on_reply(reply, userdata);
}

/* What waits for the bus does not make a loop inside its callback spin. */
static void test_loop_in_a_callback(Fixture *fixture, gconstpointer unused)
{
        serve(fixture);
        assert_works(fixture);
        call(fixture, on_reply_run_loop, 0);
        call(fixture, on_reply, 0);
        RUN_UNTIL(fixture, fixture->replies == 3);
        g_assert_cmpint(fixture->code, ==, 0);
}

static int on_request_run_loop(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        g_assert_cmpuint(count_turns(userdata), <, AT_REST);
        return mqttrpc_request_reply(request, NULL, 0);
}

/* The source itself is not inside a callback then, but the bus is. */
static void test_loop_in_a_callback_of_a_blocking_call(Fixture *fixture, gconstpointer unused)
{
        g_assert_cmpint(mqttrpc_add_fallback(fixture->bus, NULL, "self", on_request_run_loop,
                                             fixture, NULL),
                        ==, 0);
        RUN_UNTIL(fixture, is_in(fixture, MQTTRPC_STATE_CONNECTED));
        call(fixture, on_reply, 0);
        g_assert_cmpint(mqttrpc_call(fixture->bus, "self", "-", "Wait", NULL, WAIT_MSEC * 1000, 0,
                                     NULL, NULL),
                        ==, 0);
        assert_works(fixture);
}

int main(int argc, char **argv)
{
        static const struct {
                const char *path;
                void (*function)(Fixture *fixture, gconstpointer unused);
        } tests[] = {
                {"/glib/survives-restarts", test_survives_restarts},
                {"/glib/closed-and-opened-at-once", test_closed_and_opened_at_once},
                {"/glib/reconnected-behind-the-loop", test_reconnected_behind_the_loop},
                {"/glib/rests-when-idle-and-when-closed", test_rests_when_idle_and_when_closed},
                {"/glib/deadline-is-kept", test_deadline_is_kept},
                {"/glib/foreign-descriptor-is-left-alone", test_foreign_descriptor_is_left_alone},
                {"/glib/others-are-not-starved", test_others_are_not_starved},
                {"/glib/ended-in-a-callback", test_ended_in_a_callback},
                {"/glib/loop-in-a-callback", test_loop_in_a_callback},
                {"/glib/loop-in-a-callback-of-a-blocking-call",
                 test_loop_in_a_callback_of_a_blocking_call},
        };

        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
                g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].function, tear_down);
        return g_test_run();
}
