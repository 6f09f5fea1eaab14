/* SPDX-License-Identifier: MIT */

/* mqttrpc monitor, as the owner of a service, who sees its calls, and as another user, who does
 * not. */

#include "tests/integration/cli-fixture.h"

#include <signal.h>
#include <string.h>

/* Started, and watching. */
static Process *start(CliFixture *fixture, const char *const *arguments,
                      const char *const *environment)
{
        Process *process = cli_start(fixture, arguments, NULL, environment);

        g_assert_true(
                process_wait_output(process, PROCESS_STDERR, "mqttrpc: watching\n", WAIT_MSEC));
        return process;
}

static void act(CliFixture *fixture)
{
        static const CliRow rows[] = {
                {"note", {"call", "echo", "-", "Note", "hi"}, 0, "null\n", NULL},
                {"heat", {"call", "echo", "zones.hall", "Heat", "2"}, 0, "20\n", NULL},
        };

        cli_assert_rows(fixture, rows, G_N_ELEMENTS(rows));
}

/* For one that ends by itself. */
static void assert_shows(Process *process, const char *pattern)
{
        g_autofree char *output = NULL;

        g_assert_cmpint(process_wait_exit(process, WAIT_MSEC), ==, 0);
        output = process_dup_output(process, PROCESS_STDOUT);
        if (!g_regex_match_simple(pattern, output, 0, 0))
                g_error("does not match %s:\n%s", pattern, output);
}

#define TIME    "[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3} "
#define UNIX    "{\"time\":[0-9]+\\.[0-9]{6},"
#define PAYLOAD "{\"jsonrpc\":\"2.0\",\"id\":\"[^\"]+\","

static void test_shows_all(CliFixture *fixture, gconstpointer unused)
{
        static const char *const text[] = {"monitor", "echo", "-", "-c4", NULL};
        static const char *const json[] = {"monitor", "echo", "zones.hall", "-jc4", NULL};
        g_autofree char *password = broker_get_password_file(fixture->broker, "echo");
        g_autofree char *variable = g_strdup_printf("MQTTRPC_PASSWORD_FILE=%s", password);
        const char *const as_owner[] = {"MQTTRPC_USER=echo", variable, NULL};
        CLEANUP_PROCESS Process *for_people = start(fixture, text, as_owner);
        CLEANUP_PROCESS Process *for_programs = start(fixture, json, as_owner);

        act(fixture);
        assert_shows(for_people, "^" TIME "CALL   echo/- Note by alice " PAYLOAD
                                 "\"method\":\"Note\",\"params\":\\[\"hi\"\\]}\n" TIME
                                 "PROP   echo/- LastNote \"hi\"\n" TIME
                                 "SIGNAL echo/- Remembered \\[\"hi\"\\]\n" TIME
                                 "REPLY  echo/- Note by alice " PAYLOAD "\"result\":null}\n$");
        assert_shows(for_programs,
                     "^" UNIX "\"type\":\"call\",\"service\":\"echo\",\"object\":\"zones.hall\","
                     "\"name\":\"Heat\",\"caller\":\"alice\",\"payload\":{.*}}\n" UNIX
                     "\"type\":\"property\",\"service\":\"echo\",\"object\":\"zones.hall\","
                     "\"name\":\"Degrees\",\"value\":20}\n" UNIX
                     "\"type\":\"signal\",.*\"name\":\"Heated\",\"params\":\\[20\\]}\n" UNIX
                     "\"type\":\"reply\",.*\"payload\":" PAYLOAD "\"result\":20}}\n$");
}

static void test_filters(CliFixture *fixture, gconstpointer unused)
{
        static const struct {
                const char *arguments[CLI_ARGUMENTS];
                const char *pattern;
        } rows[] = {
                {{"monitor", "--signals", "-c2"},
                 "^" TIME "SIGNAL echo/- Remembered .*\n" TIME
                 "SIGNAL echo/zones.hall Heated .*\n$"},
                {{"monitor", "--properties", "--signals", "--match", "Degrees", "-c1"},
                 "^" TIME "PROP   echo/zones.hall Degrees 20\n$"},
                {{"monitor", "echo", "zones.hall", "-c2"},
                 "^" TIME "PROP   echo/zones.hall Degrees 20\n" TIME
                 "SIGNAL echo/zones.hall Heated \\[20\\]\n$"},
                {{"monitor", "--signals", "-c1", "--color", "always"},
                 "^" TIME "\033\\[32mSIGNAL\033\\[0m echo/- Remembered .*\n$"},
        };
        Process *processes[G_N_ELEMENTS(rows)];

        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
                processes[i] = start(fixture, rows[i].arguments, NULL);
        act(fixture);
        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                assert_shows(processes[i], rows[i].pattern);
                process_free(processes[i]);
        }
}

static void test_shows_presence(CliFixture *fixture, gconstpointer unused)
{
        static const char *const arguments[] = {"monitor", "--presence", "gone", "-c", "2", NULL};
        static const char *const all[] = {"monitor", "--presence", "--all", "-c", "1", NULL};
        CLEANUP_PROCESS Process *monitor = start(fixture, arguments, NULL);
        CLEANUP_PROCESS Process *gone = cli_start_service(fixture, "gone");
        CLEANUP_PROCESS Process *once = NULL;

        process_kill(gone);
        assert_shows(monitor, "^" TIME "STATE  gone ready {.*}\n" TIME "STATE  gone lost {.*}\n$");
        once = cli_start(fixture, all, NULL, NULL);
        assert_shows(once, "^" TIME "STATE  (echo|gone) (ready|lost) {.*}\n$");
}

static void test_tells_lost_signals(CliFixture *fixture, gconstpointer unused)
{
        static const char *const arguments[] = {"monitor", "--signals", "gone", "-jc2", NULL};
        static const char *const numbers[] = {"0123abcd-1", "0123abcd-4"};
        CLEANUP_PROCESS Process *monitor = start(fixture, arguments, NULL);

        for (unsigned i = 0; i < G_N_ELEMENTS(numbers); i++) {
                const char *argv[] = {"mosquitto_pub",
                                      "--unix",
                                      broker_get_socket(fixture->broker),
                                      "-u",
                                      "echo",
                                      "-P",
                                      "e",
                                      "-V",
                                      "5",
                                      "-q",
                                      "1",
                                      "-D",
                                      "publish",
                                      "user-property",
                                      "seq",
                                      numbers[i],
                                      "-t",
                                      "mb1/gone/-/sig/Tick",
                                      "-m",
                                      "{\"method\":\"Tick\"}",
                                      NULL};

                g_assert_cmpint(process_run(fixture->dir, argv, NULL, WAIT_MSEC, NULL, NULL), ==,
                                0);
        }
        assert_shows(monitor, "^{[^{]*\"params\":\\[\\]}\n{[^{]*\"params\":\\[\\],\"lost\":2}\n$");
}

static void test_is_interrupted(CliFixture *fixture, gconstpointer unused)
{
        static const char *const arguments[] = {"monitor", NULL};
        CLEANUP_PROCESS Process *monitor = start(fixture, arguments, NULL);
        g_autofree char *output = NULL;

        process_signal(monitor, SIGINT);
        g_assert_cmpint(process_wait_exit(monitor, WAIT_MSEC), ==, 130);
        output = process_dup_output(monitor, PROCESS_STDOUT);
        g_assert_cmpstr(output, ==, "");
}

static void test_broker_is_lost(CliFixture *fixture, gconstpointer unused)
{
        static const char *const arguments[] = {"monitor", NULL};
        CLEANUP_PROCESS Process *monitor = start(fixture, arguments, NULL);

        broker_kill(fixture->broker);
        g_assert_cmpint(process_wait_exit(monitor, WAIT_MSEC), ==, 3);
}

#define ADD(path, function) \
        g_test_add("/cli-monitor/" path, CliFixture, NULL, cli_set_up, function, cli_tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD("shows-all-to-the-owner", test_shows_all);
        ADD("filters", test_filters);
        ADD("presence", test_shows_presence);
        ADD("tells-lost-signals", test_tells_lost_signals);
        ADD("is-interrupted", test_is_interrupted);
        ADD("broker-is-lost", test_broker_is_lost);
        return g_test_run();
}
