/* SPDX-License-Identifier: MIT */

/* The programs of docs/examples work together, each as its comment says, with the packaged broker
 * configuration and the rights that the comments ask for. */

#include "tests/support/broker.h"
#include "tests/support/wait.h"

#include <string.h>

typedef struct Fixture {
        TempDir *dir;
        Broker *broker;
        Process *monitor;
        Process *thermostat;
} Fixture;

static char *example(const char *name)
{
        return g_build_filename(MQTTRPC_EXAMPLES, name, NULL);
}

static Process *start(Fixture *fixture, const char *name, const char *user)
{
        g_autofree char *program = example(name);
        const char *argv[] = {program, broker_get_uri(fixture->broker), user, "secret", NULL};

        return process_start(fixture->dir, name, argv, NULL);
}

static void wait_monitor(Fixture *fixture, const char *text)
{
        if (!process_wait_output(fixture->monitor, PROCESS_STDOUT, text, WAIT_MSEC)) {
                g_autofree char *output = process_dup_output(fixture->monitor, PROCESS_STDOUT);

                g_error("the monitor does not say '%s', but: %s", text, output);
        }
}

static void set_up(Fixture *fixture, gconstpointer unused)
{
        fixture->dir = temp_dir_new();
        fixture->broker = broker_new(fixture->dir);
        broker_add_user(fixture->broker, "heater", "secret",
                        (const char *[]){"--service", "thermostat", NULL});
        broker_add_user(fixture->broker, "alice", "secret",
                        (const char *[]){"--call", "thermostat", NULL});
        broker_add_user(fixture->broker, "watcher", "secret", NULL);
        broker_start(fixture->broker);
        fixture->monitor = start(fixture, "monitor", "watcher");
        fixture->thermostat = start(fixture, "thermostat", "heater");
        wait_monitor(fixture, "service thermostat: ready\n");
}

static void tear_down(Fixture *fixture, gconstpointer unused)
{
        process_free(fixture->thermostat);
        process_free(fixture->monitor);
        broker_free(fixture->broker);
        temp_dir_free(fixture->dir);
}

static int run_client(Fixture *fixture, const char *name, const char *degrees, char **ret_stdout,
                      char **ret_stderr)
{
        g_autofree char *program = example(name);
        const char *argv[] = {program, broker_get_uri(fixture->broker), "alice", "secret", degrees,
                              NULL};

        return process_run(fixture->dir, argv, NULL, WAIT_MSEC, ret_stdout, ret_stderr);
}

static void test_one_call_after_the_other(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *output = NULL;

        g_assert_cmpint(run_client(fixture, "client-sync", "21.5", &output, NULL), ==, 0);
        g_assert_cmpstr(output, ==, "wanted 21.5 degrees, got 21.5\n");
}

static void test_refused_value_is_explained(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *errors = NULL;

        g_assert_cmpint(run_client(fixture, "client-sync", "99", NULL, &errors), ==, 1);
        g_assert_cmpstr(errors, ==, "error -32602: degrees are from 5 to 30\n");
}

static void test_calls_at_a_time(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *output = NULL;

        g_assert_cmpint(run_client(fixture, "client-async", "18.5", &output, NULL), ==, 0);
        g_assert_cmpstr(output, ==,
                        "prop.set.Target[18.5]: null\n"
                        "prop.get[\"Target\"]: 18.5\n"
                        "WaitTarget[]: 18.5\n");
}

static void test_calls_without_service_fail(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *output = NULL, *errors = NULL;

        fixture->thermostat = process_free(fixture->thermostat);
        wait_monitor(fixture, "service thermostat: lost\n");
        g_assert_cmpint(run_client(fixture, "client-async", "18.5", &output, &errors), ==, 1);
        g_assert_null(strstr(output, "null"));
}

static void test_monitor_sees_all(Fixture *fixture, gconstpointer unused)
{
        wait_monitor(fixture, "property thermostat/-/Temperature: 20\n");
        g_assert_cmpint(run_client(fixture, "client-sync", "21.5", NULL, NULL), ==, 0);
        wait_monitor(fixture, "property thermostat/-/Target: 21.5\n");
        wait_monitor(fixture, "property thermostat/-/Temperature: 21.5\n");
        wait_monitor(fixture, "signal thermostat/-/TargetReached[21.5]\n");
        process_kill(fixture->thermostat);
        wait_monitor(fixture, "service thermostat: lost\n");
        wait_monitor(fixture, "property thermostat/-/Target: 21.5 (stale)\n");
}

int main(int argc, char **argv)
{
        static const struct {
                const char *path;
                void (*function)(Fixture *fixture, gconstpointer unused);
        } tests[] = {
                {"/examples/one-call-after-the-other", test_one_call_after_the_other},
                {"/examples/refused-value-is-explained", test_refused_value_is_explained},
                {"/examples/calls-at-a-time", test_calls_at_a_time},
                {"/examples/calls-without-service-fail", test_calls_without_service_fail},
                {"/examples/monitor-sees-all", test_monitor_sees_all},
        };

        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
                g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].function, tear_down);
        return g_test_run();
}
