/* SPDX-License-Identifier: MIT */

#include "gateway/dbus-pump.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "tests/support/message.h"

#define LONG_USEC (UINT64_C(600) * G_USEC_PER_SEC)

/* A connection whose other end only takes, or goes. */
typedef struct Fixture {
        sd_event *event;
        TestBus test;
        DbusPump *pump;
        unsigned replies;   /* and failures of calls */
        unsigned last_code; /* errno of the last failure */
        bool disconnected;
} Fixture;

static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Fixture *fixture = userdata;

        fixture->disconnected = true;
        fixture->pump = dbus_pump_free(fixture->pump);
        return 0;
}

static void fixture_init(Fixture *fixture)
{
        *fixture = (Fixture){};
        test_bus_init(&fixture->test);
        g_assert_cmpint(sd_event_new(&fixture->event), >=, 0);
        g_assert_cmpint(sd_bus_match_signal_async(fixture->test.bus, NULL, NULL,
                                                  "/org/freedesktop/DBus/Local",
                                                  "org.freedesktop.DBus.Local", "Disconnected",
                                                  on_disconnected, NULL, fixture),
                        >=, 0);
        g_assert_cmpint(dbus_pump_new(fixture->event, fixture->test.bus, &fixture->pump), ==, 0);
}

static void fixture_done(Fixture *fixture)
{
        dbus_pump_free(fixture->pump);
        test_bus_done(&fixture->test);
        sd_event_unref(fixture->event);
}

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Fixture *fixture = userdata;

        fixture->replies++;
        fixture->last_code = (unsigned)sd_bus_message_get_errno(m);
        return 0;
}

static void call(Fixture *fixture, const char *text, uint64_t timeout_usec)
{
        sd_bus_message *m = test_message_new(&fixture->test);

        g_assert_cmpint(sd_bus_message_append(m, "s", text), >=, 0);
        g_assert_cmpint(
                sd_bus_call_async(fixture->test.bus, NULL, m, on_reply, fixture, timeout_usec), >=,
                0);
        sd_bus_message_unref(m);
}

static void run_turn(Fixture *fixture)
{
        g_assert_cmpint(sd_event_run(fixture->event, LONG_USEC), >=, 0);
}

/* The second is the earlier one, so the timer that waits for the first has to move. */
static void test_calls_time_out_in_their_order(void)
{
        Fixture fixture;

        fixture_init(&fixture);
        call(&fixture, "", LONG_USEC);
        call(&fixture, "", 20000);
        call(&fixture, "", 10000);
        while (fixture.replies < 2)
                run_turn(&fixture);
        g_assert_cmpuint(fixture.last_code, ==, ETIMEDOUT);
        g_assert_cmpuint(fixture.replies, ==, 2);
        fixture_done(&fixture);
}

/* More than the socket takes at once, so the rest has to wait for room. */
static void test_what_does_not_fit_is_sent_later(void)
{
        g_autofree char *text = g_strnfill(60000, 'x');
        uint64_t n_queued = 0;
        char taken[65536];
        Fixture fixture;

        fixture_init(&fixture);
        for (unsigned i = 0; i < 400; i++)
                call(&fixture, text, LONG_USEC);
        g_assert_cmpint(sd_bus_get_n_queued_write(fixture.test.bus, &n_queued), >=, 0);
        g_assert_cmpuint(n_queued, >, 1);
        while (n_queued > 0) {
                while (read(fixture.test.peer, taken, sizeof(taken)) > 0)
                        ;
                run_turn(&fixture);
                g_assert_cmpint(sd_bus_get_n_queued_write(fixture.test.bus, &n_queued), >=, 0);
        }
        fixture_done(&fixture);
}

/* Each call in flight ends with an error, and then the handler frees the pump from inside. */
static void test_a_lost_connection_ends_its_calls(void)
{
        Fixture fixture;

        fixture_init(&fixture);
        call(&fixture, "", LONG_USEC);
        call(&fixture, "", LONG_USEC);
        close(fixture.test.peer);
        while (!fixture.disconnected)
                run_turn(&fixture);
        g_assert_cmpuint(fixture.replies, ==, 2);
        g_assert_null(fixture.pump);
        fixture.test.peer = -1;
        fixture_done(&fixture);
}

/* sd-bus refuses it, and does not end the connection by itself. */
static void test_a_malformed_message_ends_the_connection(void)
{
        static const char bytes[] = "?\1\0\1\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
        Fixture fixture;

        fixture_init(&fixture);
        call(&fixture, "", LONG_USEC);
        g_assert_cmpint(write(fixture.test.peer, bytes, sizeof(bytes)), ==, sizeof(bytes));
        while (!fixture.disconnected)
                run_turn(&fixture);
        g_assert_cmpuint(fixture.replies, ==, 1);
        fixture_done(&fixture);
}

static void test_the_end_of_the_loop_closes(void)
{
        Fixture fixture;

        fixture_init(&fixture);
        g_assert_cmpint(sd_event_exit(fixture.event, 0), >=, 0);
        while (sd_event_get_state(fixture.event) != SD_EVENT_FINISHED)
                run_turn(&fixture);
        g_assert_cmpint(sd_bus_is_open(fixture.test.bus), ==, 0);
        fixture_done(&fixture);
}

/* One connection's timeouts are not held up, nor lost, when the other one goes. */
static void test_connections_share_a_loop(void)
{
        Fixture fixture;
        DbusPump *pump;
        TestBus other;

        fixture_init(&fixture);
        test_bus_init(&other);
        g_assert_cmpint(dbus_pump_new(fixture.event, other.bus, &pump), ==, 0);
        call(&fixture, "", 10000);
        dbus_pump_free(pump);
        test_bus_done(&other);
        while (fixture.replies < 1)
                run_turn(&fixture);
        g_assert_cmpuint(fixture.last_code, ==, ETIMEDOUT);
        fixture_done(&fixture);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/dbus-pump/calls-time-out-in-their-order",
                        test_calls_time_out_in_their_order);
        g_test_add_func("/dbus-pump/what-does-not-fit-is-sent-later",
                        test_what_does_not_fit_is_sent_later);
        g_test_add_func("/dbus-pump/a-lost-connection-ends-its-calls",
                        test_a_lost_connection_ends_its_calls);
        g_test_add_func("/dbus-pump/a-malformed-message-ends-the-connection",
                        test_a_malformed_message_ends_the_connection);
        g_test_add_func("/dbus-pump/the-end-of-the-loop-closes", test_the_end_of_the_loop_closes);
        g_test_add_func("/dbus-pump/connections-share-a-loop", test_connections_share_a_loop);
        return g_test_run();
}
