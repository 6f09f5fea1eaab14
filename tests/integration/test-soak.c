/* SPDX-License-Identifier: MIT */

/* All that a service and its users do, over and over, with losses of the connection in between:
 * nothing grows. In an ordinary run it lasts a few seconds; MQTTRPC_SOAK_SECONDS=600 makes it as
 * many operations as a busy device does in a working day. And the caps: many calls of one caller,
 * many callers of one service. */

#include "tests/integration/home.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <unistd.h>

enum {
        ROUNDS_PER_RESTART = 400,
        WARM_UP_RESTARTS = 2,
        GROWTH_KIB = 1024,
        MANY_CALLS = 1000,
        MANY_CALLERS = 100,
        CALLS_EACH = 20,
};

static long resident_kib(void)
{
        g_autofree char *text = NULL;
        g_auto(GStrv) fields = NULL;

        malloc_trim(0);
        g_assert_true(g_file_get_contents("/proc/self/statm", &text, NULL, NULL));
        fields = g_strsplit(text, " ", 3);
        return strtol(fields[1], NULL, 10) * (sysconf(_SC_PAGESIZE) / 1024);
}

static void on_signal(const MqttRpcSignal *signal, void *userdata)
{
        ++*(unsigned *)userdata;
}

static void on_property(const MqttRpcPropertyEvent *event, void *userdata)
{
        ++*(unsigned *)userdata;
}

/* One of everything. */
static void run_round(Home *home, unsigned round)
{
        g_autofree char *name = g_strdup_printf("room.%u", round % 7);
        MqttRpcSlot *object = NULL, *match = NULL, *watch = NULL, *call = NULL;
        unsigned seen = 0;

        g_assert_cmpint(
                mqttrpc_add_object(home->home, &object, "thermo", name, home_vtable, home, NULL),
                ==, 0);
        g_assert_cmpint(mqttrpc_match_signal(home->user, &match, "thermo", NULL, NULL, on_signal,
                                             &seen, NULL),
                        ==, 0);
        g_assert_cmpint(mqttrpc_watch_property(home->user, &watch, "thermo", name, NULL,
                                               on_property, &seen, NULL),
                        ==, 0);
        g_assert_nonnull(home_call(home, "-", "Heat", NULL));
        g_assert_null(home_call(home, "-", "NoSuch", "[1]"));
        g_assert_nonnull(home_call(home, "-", "prop.set", "[\"Label\",\"hall\"]"));
        g_assert_nonnull(home_call(home, name, "prop.getall", NULL));
        g_assert_nonnull(home_call(home, "-", "rpc.discover", NULL));
        /* One that nobody waits for, and is answered too late. */
        g_assert_cmpint(mqttrpc_call_async(home->user, &call, "thermo", "-", "Hold", NULL, 0, 0,
                                           NULL, NULL, NULL),
                        ==, 0);
        g_assert_true(LOOP_UNTIL(home->held != NULL));
        mqttrpc_slot_unref(call);
        g_assert_cmpint(mqttrpc_request_reply(home->held, NULL, 0), ==, 0);
        home->held = mqttrpc_request_unref(home->held);
        g_assert_cmpuint(seen, >, 0);
        mqttrpc_slot_unref(match);
        mqttrpc_slot_unref(watch);
        mqttrpc_slot_unref(object);
}

static void restart(Home *home)
{
        broker_kill(home->broker);
        g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_state(home->home) == MQTTRPC_STATE_WAITING));
        g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_state(home->user) == MQTTRPC_STATE_WAITING));
        broker_start(home->broker);
        g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_state(home->user) == MQTTRPC_STATE_CONNECTED));
        g_assert_true(home_sees(home, "thermo", MQTTRPC_SERVICE_READY));
}

static void test_nothing_grows(Home *home, gconstpointer unused)
{
        const char *seconds = g_getenv("MQTTRPC_SOAK_SECONDS");
        gint64 end = g_get_monotonic_time() + (seconds ? atoi(seconds) : 3) * G_USEC_PER_SEC;
        unsigned rounds = 0, restarts = 0;
        long before = 0, after;

        raw_client_free(g_steal_pointer(&home->client));
        home_start(home);
        while (restarts <= WARM_UP_RESTARTS || g_get_monotonic_time() < end) {
                run_round(home, rounds++);
                if (rounds % ROUNDS_PER_RESTART == 0) {
                        restart(home);
                        if (restarts++ == WARM_UP_RESTARTS)
                                before = resident_kib();
                }
        }
        after = resident_kib();
        g_test_message("%u rounds, %u restarts, %ld KiB, then %ld KiB", rounds, restarts, before,
                       after);
        g_assert_cmpint(after, <, before + GROWTH_KIB);
}

/* ---- many at once ---- */

static int on_counted(MqttRpcReply *reply, void *userdata)
{
        const MqttRpcError *error = mqttrpc_reply_get_error(reply);
        unsigned *counts = userdata; /* results, refusals for a cap */

        g_assert_true(!error || mqttrpc_error_get_code(error) == MQTTRPC_ERROR_BUSY);
        counts[error != NULL]++;
        return 0;
}

static void test_many_calls_of_one_caller(Home *home, gconstpointer unused)
{
        unsigned counts[2] = {};

        home_start(home);
        for (unsigned i = 0; i < MANY_CALLS; i++)
                g_assert_cmpint(mqttrpc_call_async(home->user, NULL, "thermo", "-", "Heat", NULL, 0,
                                                   0, on_counted, counts, NULL),
                                ==, 0);
        g_assert_true(LOOP_UNTIL(counts[0] + counts[1] == MANY_CALLS));
        g_assert_cmpuint(counts[0], ==, MANY_CALLS);
        g_assert_cmpfloat(home->degrees, ==, 20.5 + MANY_CALLS);
}

static void test_many_callers_of_one_service(Home *home, gconstpointer unused)
{
        MqttRpcBus *callers[MANY_CALLERS];
        unsigned counts[2] = {};

        home_start(home);
        for (unsigned i = 0; i < MANY_CALLERS; i++) {
                g_autofree char *name = g_strdup_printf("caller%u", i);

                callers[i] = home_new_bus(home, name);
                home_open(callers[i]);
        }
        for (unsigned i = 0; i < MANY_CALLERS * CALLS_EACH; i++)
                g_assert_cmpint(mqttrpc_call_async(callers[i % MANY_CALLERS], NULL, "thermo", "-",
                                                   "Heat", NULL, 0, 0, on_counted, counts, NULL),
                                ==, 0);
        g_assert_true(LOOP_UNTIL(counts[0] + counts[1] == MANY_CALLERS * CALLS_EACH));
        g_assert_cmpuint(counts[0], ==, MANY_CALLERS * CALLS_EACH);
        for (unsigned i = 0; i < MANY_CALLERS; i++)
                loop_drop_bus(callers[i]);
}

/* A caller has no more in a service's hands than its share; the rest is refused, and said so. */
static void test_caps_are_respected(Home *home, gconstpointer unused)
{
        unsigned counts[2] = {};

        g_assert_cmpint(mqttrpc_bus_set_limit(home->home, MQTTRPC_LIMIT_CALLER_INFLIGHT, 1), ==, 0);
        home_start(home);
        for (unsigned i = 0; i < 10; i++)
                g_assert_cmpint(mqttrpc_call_async(home->user, NULL, "thermo", "-", "Hold", NULL, 0,
                                                   0, on_counted, counts, NULL),
                                ==, 0);
        g_assert_true(LOOP_UNTIL(counts[1] == 9));
        g_assert_cmpint(mqttrpc_request_reply(home->held, NULL, 0), ==, 0);
        g_assert_true(LOOP_UNTIL(counts[0] == 1));
        g_assert_cmpuint(mqttrpc_bus_get_counter(home->home, MQTTRPC_COUNT_BUSY), ==, 9);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        HOME_TEST("/soak/nothing-grows", test_nothing_grows);
        HOME_TEST("/soak/many-calls-of-one-caller", test_many_calls_of_one_caller);
        HOME_TEST("/soak/many-callers-of-one-service", test_many_callers_of_one_service);
        HOME_TEST("/soak/caps-are-respected", test_caps_are_respected);
        return g_test_run();
}
