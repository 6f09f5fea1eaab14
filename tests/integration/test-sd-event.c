/* SPDX-License-Identifier: MIT */

/* mqttrpc/sd-event.h: a bus on an sd-event loop, over losses and new connections. */

#include "tests/support/broker.h"
#include "tests/support/wait.h"

#include <mqttrpc/sd-event.h>
#include <signal.h>
#include <sys/eventfd.h>

enum { FOREIGN = 16 }; /* enough to have all numbers that are free just then */

typedef struct Fixture {
        TempDir *dir;
        Broker *broker;
        MqttRpcBus *bus;
        sd_event *event;
        MqttRpcSdEvent glue;
        unsigned replies;
        int code;
        int foreign_fds[FOREIGN];
        unsigned foreign_seen;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer unused)
{
        fixture->dir = temp_dir_new();
        fixture->broker = broker_new_with_config(fixture->dir, "allow_anonymous true\n");
        broker_start(fixture->broker);
        g_assert_cmpint(sd_event_new(&fixture->event), >=, 0);
        g_assert_cmpint(mqttrpc_bus_new(&fixture->bus), ==, 0);
        g_assert_cmpint(mqttrpc_bus_set_uri(fixture->bus, broker_get_uri(fixture->broker), NULL),
                        ==, 0);
        g_assert_cmpint(mqttrpc_bus_set_limit(fixture->bus, MQTTRPC_LIMIT_RECONNECT_USEC, 50000),
                        ==, 0);
        g_assert_cmpint(mqttrpc_sd_event_attach(&fixture->glue, fixture->bus, fixture->event, 0),
                        ==, 0);
        g_assert_cmpint(mqttrpc_bus_open(fixture->bus, NULL), ==, 0);
}

static void tear_down(Fixture *fixture, gconstpointer unused)
{
        mqttrpc_sd_event_detach(&fixture->glue);
        mqttrpc_bus_unref(fixture->bus);
        sd_event_unref(fixture->event);
        broker_free(fixture->broker);
        temp_dir_free(fixture->dir);
        for (unsigned i = 0; i < FOREIGN; i++)
                if (fixture->foreign_fds[i] > 0)
                        close(fixture->foreign_fds[i]);
}

#define RUN_UNTIL(fixture, condition)                                                             \
        do {                                                                                      \
                gint64 deadline = wait_deadline(WAIT_MSEC);                                       \
                while (!(condition)) {                                                            \
                        g_assert_cmpint(wait_left(deadline), >, 0);                               \
                        g_assert_cmpint(sd_event_run((fixture)->event, WAIT_MSEC * 1000), >=, 0); \
                }                                                                                 \
        } while (0)

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
        g_assert_cmpint(mqttrpc_add_fallback(fixture->bus, NULL, "self", on_request, NULL, NULL),
                        ==, 0);
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
        g_assert_cmpint(mqttrpc_add_fallback(fixture->bus, NULL, "self", on_request, NULL, NULL),
                        ==, 0);
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

/* The loop sees the same number and must see another connection: its copy of the dead one would be
 * readable for ever. */
static void test_reconnected_behind_the_loop(Fixture *fixture, gconstpointer unused)
{
        unsigned rounds = 0;
        int fd;

        g_assert_cmpint(mqttrpc_add_fallback(fixture->bus, NULL, "self", on_request, NULL, NULL),
                        ==, 0);
        assert_works(fixture);
        restart_behind_the_loop(fixture); /* takes the lowest number that is free */
        assert_works(fixture);
        fd = mqttrpc_bus_get_fd(fixture->bus);
        restart_behind_the_loop(fixture);
        g_assert_cmpint(mqttrpc_bus_get_fd(fixture->bus), ==, fd);
        assert_works(fixture);
        while (rounds < 100 && sd_event_run(fixture->event, 300000) > 0)
                rounds++;
        g_assert_cmpuint(rounds, <, 10);
}

/* The timer was armed for a call's deadline; once it has fired there is nothing more to do. */
static void test_rests_when_closed(Fixture *fixture, gconstpointer unused)
{
        unsigned rounds = 0;

        RUN_UNTIL(fixture, is_in(fixture, MQTTRPC_STATE_CONNECTED));
        call(fixture, on_reply, 20000);
        g_assert_cmpint(sd_event_run(fixture->event, 0), >=, 0);
        mqttrpc_bus_close(fixture->bus);
        while (sd_event_run(fixture->event, 100000) > 0)
                g_assert_cmpuint(rounds++, <, 10);
}

static int on_foreign(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
        ((Fixture *)userdata)->foreign_seen++;
        return sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

static int on_reply_open_others(MqttRpcReply *reply, void *userdata)
{
        Fixture *fixture = userdata;

        for (unsigned i = 0; i < FOREIGN; i++) {
                fixture->foreign_fds[i] = eventfd(0, EFD_CLOEXEC);
                g_assert_cmpint(fixture->foreign_fds[i], >, 0);
                g_assert_cmpint(sd_event_add_io(fixture->event, NULL, fixture->foreign_fds[i],
                                                EPOLLIN, on_foreign, fixture),
                                >=, 0);
        }
        return on_reply(reply, userdata);
}

/* What a callback opens while the connection is lost may have the number of the lost one. */
static void test_foreign_descriptor_is_left_alone(Fixture *fixture, gconstpointer unused)
{
        RUN_UNTIL(fixture, is_in(fixture, MQTTRPC_STATE_CONNECTED));
        process_signal(broker_get_process(fixture->broker), SIGSTOP);
        call(fixture, on_reply_open_others, 0);
        broker_kill(fixture->broker);
        RUN_UNTIL(fixture, fixture->replies == 1);
        for (unsigned i = 0; i < 3; i++)
                g_assert_cmpint(sd_event_run(fixture->event, 60000), >=, 0);
        for (unsigned i = 0; i < FOREIGN; i++)
                g_assert_cmpint(eventfd_write(fixture->foreign_fds[i], 1), ==, 0);
        RUN_UNTIL(fixture, fixture->foreign_seen == FOREIGN);
}

int main(int argc, char **argv)
{
        static const struct {
                const char *path;
                void (*function)(Fixture *fixture, gconstpointer unused);
        } tests[] = {
                {"/sd-event/survives-restarts", test_survives_restarts},
                {"/sd-event/closed-and-opened-at-once", test_closed_and_opened_at_once},
                {"/sd-event/reconnected-behind-the-loop", test_reconnected_behind_the_loop},
                {"/sd-event/rests-when-closed", test_rests_when_closed},
                {"/sd-event/foreign-descriptor-is-left-alone",
                 test_foreign_descriptor_is_left_alone},
        };

        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
                g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].function, tear_down);
        return g_test_run();
}
