/* SPDX-License-Identifier: MIT */

/* mqttrpc call: what is printed for results and for errors, and the exit status. */

#include "tests/integration/cli-fixture.h"

#include <signal.h>
#include <string.h>

/* ---- results ---- */

static void test_prints_results(CliFixture *fixture, gconstpointer unused)
{
        static const CliRow rows[] = {
                {"string", {"call", "echo", "-", "Echo", "lab"}, 0, "\"lab\"\n", NULL},
                {"number",
                 {"call", "echo", "-", "Echo", "12345678901234567890.50"},
                 0,
                 "12345678901234567890.50\n",
                 NULL},
                {"negative", {"call", "echo", "-", "Add", "-5", "-3"}, 0, "-8\n", NULL},
                {"object",
                 {"call", "echo", "-", "Echo", "{\"a\":[1,{}]}"},
                 0,
                 "{\n  \"a\": [\n    1,\n    {}\n  ]\n}\n",
                 NULL},
                {"nothing", {"call", "echo", "-", "Note", "x"}, 0, "null\n", NULL},
                {"by-name", {"call", "echo", "-", "Add", "b=3", "a=-5"}, 0, "-2\n", NULL},
                {"quoted-number", {"call", "echo", "-", "Echo", "\"5\""}, 0, "\"5\"\n", NULL},
                {"quoted-equals", {"call", "echo", "-", "Echo", "\"a=b\""}, 0, "\"a=b\"\n", NULL},
                {"option-like",
                 {"call", "--", "echo", "-", "Echo", "--json"},
                 0,
                 "\"--json\"\n",
                 NULL},
                {"params",
                 {"call", "echo", "-", "Add", "--params", "{\"a\":1,\"b\":2}"},
                 0,
                 "3\n",
                 NULL},
                {"json",
                 {"call", "echo", "-", "Echo", "[1, 2.0]", "--json"},
                 0,
                 "{\"result\":[1,2.0]}\n",
                 NULL},
                {"json-before-the-verb",
                 {"-j", "call", "echo", "-", "Noted"},
                 0,
                 "{\"result\":\"x\"}\n",
                 NULL},
        };

        cli_assert_rows(fixture, rows, G_N_ELEMENTS(rows));
}

static void test_reaches_the_broker_every_way(CliFixture *fixture, gconstpointer unused)
{
#define ECHO "call", "echo", "-", "Echo", "1"
        static const CliRow rows[] = {
                {"unix", {"-b", "@unix", ECHO}, 0, "1\n", NULL},
                {"tcp", {"-b", "@tcp", ECHO}, 0, "1\n", NULL},
                {"name", {"-b", "mqtt://localhost:@port", ECHO}, 0, "1\n", NULL},
                {"tls", {"-b", "@tls", "--ca", "@ca", ECHO}, 0, "1\n", NULL},
                {"old", {"--mqtt", "3.1.1", ECHO}, 0, "1\n", NULL},
                {"old-tcp", {"--mqtt", "3.1.1", "-b", "@tcp", ECHO}, 0, "1\n", NULL},
                {"qos-0", {"--qos", "0", ECHO}, 0, "1\n", NULL},
                {"old-qos-0", {"--mqtt=3.1.1", "--qos=0", ECHO}, 0, "1\n", NULL},
                {"uri-goes-before-the-environment",
                 {"-b", "mqtt://bob:bb@127.0.0.1:@port", ECHO},
                 5,
                 NULL,
                 "mqttrpc: access denied: 'bob' may not call Echo of 'echo', object '-'\n"
                 "hint: the broker has no grant for the topic mb1/echo/-/call/Echo/bob\n"
                 "hint: an administrator grants it with: mqttrpc-adduser --call echo/-/Echo "
                 "bob\n"},
                {"password-of-another",
                 {"-u", "bob", ECHO},
                 3,
                 NULL,
                 "mqttrpc: no connection to broker @socket: Not authorized\n"
                 "hint: the broker wants the password of 'bob': give --password-file\n"},
        };

        cli_assert_rows(fixture, rows, G_N_ELEMENTS(rows));
#undef ECHO
}

/* ---- errors ---- */

static const CliRow service_errors[] = {
        {"failed",
         {"call", "echo", "-", "Fail", "-32000", "bad luck", "org.x.Error.Luck", "0"},
         1,
         NULL,
         "mqttrpc: Fail failed: bad luck [org.x.Error.Luck]\n"},
        {"application",
         {"call", "echo", "-", "Fail", "42", "bad luck", "", "0"},
         1,
         NULL,
         "mqttrpc: Fail failed with code 42: bad luck\n"},
        {"busy",
         {"call", "echo", "-", "Fail", "-32004", "too much", "", "250"},
         8,
         NULL,
         "mqttrpc: 'echo' is busy: too much; the method was not executed\n"
         "hint: try again in 250 ms\n"},
        {"unavailable",
         {"call", "echo", "-", "Fail", "-32012", "gone", "", "0"},
         4,
         NULL,
         "mqttrpc: 'echo' is not available: gone\n"
         "hint: what serves it on MQTT is there, the D-Bus service behind it is not: is it "
         "installed, and does it start?\n"},
        {"wrong-argument",
         {"call", "echo", "-", "Fail", "1", "2", "x", "0"},
         7,
         NULL,
         "mqttrpc: wrong argument: argument 'message' (s): expected a string, got a "
         "number\n"
         "hint: what reads as JSON is sent as that; a string that looks like JSON needs "
         "quotes inside of quotes: '\"5\"'\n"},
        {"broken-json",
         {"call", "echo", "-", "Add", "[1", "2"},
         7,
         NULL,
         "mqttrpc: wrong argument: argument 'a' (x): the string is not a decimal integer\n"
         "hint: argument 1 went as a string, since it is not JSON: expected ',' or ']' at "
         "character 3 of [1\n"},
        {"no-method",
         {"call", "echo", "-", "Ecco"},
         7,
         NULL,
         "mqttrpc: no such method: echo/- has no method 'Ecco'\n"
         "hint: is 'Ecco' spelled right (upper and lower case count), and '-' the right "
         "object?\n"
         "hint: did you mean 'Echo'?\n"},
        {"no-object",
         {"call", "echo", "eth0", "Echo"},
         1,
         NULL,
         "mqttrpc: not found: echo has no object 'eth0'\n"},
        {"json",
         {"call", "echo", "-", "Fail", "-32004", "too \"much\"", "", "250", "--json"},
         8,
         "{\"error\":{\"code\":-32004,\"message\":\"too \\\"much\\\"\",\"data\":"
         "{\"executed\":\"no\",\"retry_after_ms\":250}}}\n",
         NULL},
};

static void test_explains_errors_of_services(CliFixture *fixture, gconstpointer unused)
{
        cli_assert_rows(fixture, service_errors, G_N_ELEMENTS(service_errors));
}

static const CliRow refusals[] = {
        {"no-service",
         {"call", "nobody", "-", "Echo"},
         4,
         NULL,
         "mqttrpc: nobody serves 'nobody'\n"
         "hint: is it spelled right and running? A D-Bus service needs dbus-mqtt-gateway "
         "running, with a mapping for it loaded\n"},
        {"no-service-json",
         {"-j", "call", "nobody", "-", "Echo"},
         4,
         "{\"error\":{\"code\":-32100,\"message\":\"there is no service "
         "'nobody'\",\"data\":{\"executed\":\"no\"}}}\n",
         NULL},
        {"denied",
         {"-u", "bob", "--password-file", "@bob", "call", "echo", "-", "Echo", "1"},
         5,
         NULL,
         "mqttrpc: access denied: 'bob' may not call Echo of 'echo', object '-'\n"
         "hint: the broker has no grant for the topic mb1/echo/-/call/Echo/bob\n"
         "hint: an administrator grants it with: mqttrpc-adduser --call echo/-/Echo "
         "bob\n"},
        {"denied-by-another-name",
         {"--caller", "bob", "call", "echo", "-", "Echo", "1"},
         5,
         NULL,
         "mqttrpc: access denied: 'bob' may not call Echo of 'echo', object '-'\n"
         "hint: the broker has no grant for the topic mb1/echo/-/call/Echo/bob\n"
         "hint: 'alice' normally may call only by that name: leave --caller out\n"
         "hint: an administrator grants it with: mqttrpc-adduser --call echo/-/Echo "
         "alice\n"},
        {"nobody-under-another-root",
         {"-r", "dev/mb1", "call", "echo", "-", "Echo", "1"},
         4,
         NULL,
         "mqttrpc: nobody serves 'echo'\n"
         "hint: is it spelled right and running? A D-Bus service needs dbus-mqtt-gateway running, "
         "with a mapping for it loaded\n"},
        {"wrong-password",
         {"-u", "alice", "--password-file", "@bob", "call", "echo", "-", "Echo"},
         3,
         NULL,
         "mqttrpc: no connection to broker @socket: Not authorized\n"
         "hint: no such user, or a wrong password; an administrator sets it with: "
         "mqttrpc-adduser --set-password alice\n"},
        {"wrong-password-old",
         {"-u", "alice", "--password-file", "@bob", "--mqtt", "3.1.1", "call", "echo", "-", "Echo"},
         3,
         NULL,
         "mqttrpc: no connection to broker @socket: Connection Refused: not authorised.\n"
         "hint: no such user, or a wrong password; an administrator sets it with: "
         "mqttrpc-adduser --set-password alice\n"},
        {"wrong-password-json",
         {"-j", "-u", "alice", "--password-file", "@bob", "call", "echo", "-", "Echo"},
         3,
         "{\"error\":{\"code\":-32102,\"message\":\"broker @socket: Not "
         "authorized\"}}\n",
         NULL},
};

static void test_explains_what_the_broker_refuses(CliFixture *fixture, gconstpointer unused)
{
        cli_assert_rows(fixture, refusals, G_N_ELEMENTS(refusals));
}

static void test_anonymous_users_are_told_to_log_in(CliFixture *fixture, gconstpointer unused)
{
        static const char *const nobody[] = {"MQTTRPC_USER", "MQTTRPC_PASSWORD_FILE", NULL};
        static const CliRow row = {
                "anonymous",
                {"call", "echo", "-", "Echo"},
                3,
                NULL,
                "mqttrpc: no connection to broker @socket: Not authorized\n"
                "hint: the broker wants to know who you are: give --user and --password-file\n"};
        CLEANUP_PROCESS Process *process = cli_start(fixture, row.arguments, NULL, nobody);

        cli_assert_ends(fixture, process, &row);
}

static void test_times_out(CliFixture *fixture, gconstpointer unused)
{
        static const CliRow rows[] = {
                {"slow",
                 {"call", "echo", "-", "Sleep", "60000", "--timeout", "200ms"},
                 6,
                 NULL,
                 "mqttrpc: timed out: no answer from 'echo' within 200 ms; the method may have "
                 "been executed\n"
                 "hint: allow it more time with --timeout, if it is slow\n"},
                {"slow-json",
                 {"call", "echo", "-", "Sleep", "60000", "-t", "0.2", "-j"},
                 6,
                 "{\"error\":{\"code\":-32005,\"message\":\"no reply in time from "
                 "mb1/echo/-/call/Sleep/alice\",\"data\":{\"executed\":\"maybe\"}}}\n",
                 NULL},
                {"old-without-service",
                 {"--mqtt", "3.1.1", "call", "nobody", "-", "Echo", "-t", "200ms"},
                 4,
                 NULL,
                 "mqttrpc: nobody serves 'nobody'\n"
                 "hint: is it spelled right and running? A D-Bus service needs dbus-mqtt-gateway "
                 "running, with a mapping for it loaded\n"},
                {"long-enough",
                 {"call", "echo", "-", "Sleep", "50", "-t", "20s"},
                 0,
                 "\"slept\"\n",
                 NULL},
        };

        cli_assert_rows(fixture, rows, G_N_ELEMENTS(rows));
}

static void test_explains_why_there_is_no_connection(CliFixture *fixture, gconstpointer unused)
{
        g_autofree char *uri = g_strdup_printf("mqtt://127.0.0.1:%u", wait_find_port());
        const CliRow rows[] = {
                {"no-socket",
                 {"-b", "unix:///nonexistent/broker.sock", "call", "echo", "-", "Echo"},
                 3,
                 NULL,
                 "mqttrpc: no connection to broker /nonexistent/broker.sock: No such file or "
                 "directory\n"
                 "hint: is the broker running, and does it listen on this socket? Another broker "
                 "is named with --broker or MQTTRPC_BROKER\n"},
                {"no-listener",
                 {"-b", uri, "call", "echo", "-", "Echo"},
                 3,
                 NULL,
                 "mqttrpc: no connection to broker 127.0.0.1: Connection refused\n"
                 "hint: nothing listens there: is the broker running, and is the port right?\n"},
                {"no-host",
                 {"-b", "mqtt://no-such-host.invalid", "call", "echo", "-", "Echo"},
                 3,
                 NULL,
                 "mqttrpc: no connection to broker no-such-host.invalid: host name not found\n"
                 "hint: is the name of the broker's host spelled right?\n"},
        };

        cli_assert_rows(fixture, rows, G_N_ELEMENTS(rows));
        broker_kill(fixture->broker);
        cli_assert_row(
                fixture,
                &(const CliRow){"dead-socket",
                                {"call", "echo", "-", "Echo"},
                                3,
                                NULL,
                                "mqttrpc: no connection to broker @socket: Connection refused\n"
                                "hint: the socket is there but no broker behind it: is it "
                                "running?\n"});
}

/* A certificate that is not trusted: the words are OpenSSL's, the hint is ours. */
static void test_explains_an_untrusted_certificate(CliFixture *fixture, gconstpointer unused)
{
        static const char *const arguments[] = {"-b", "@tls", "call", "echo", "-", "Echo", NULL};
        CLEANUP_PROCESS Process *process = cli_start(fixture, arguments, NULL, NULL);
        g_autofree char *errors = NULL;

        g_assert_cmpint(process_wait_exit(process, WAIT_MSEC), ==, 3);
        errors = process_dup_output(process, PROCESS_STDERR);
        g_assert_nonnull(strstr(errors, "hint: the broker's certificate must be signed by the "
                                        "authority given with --ca"));
}

static void test_gives_up_on_a_broker_that_is_silent(CliFixture *fixture, gconstpointer unused)
{
        static const CliRow row = {
                "silent",
                {"-t", "200ms", "call", "echo", "-", "Echo"},
                3,
                NULL,
                "mqttrpc: no connection to broker @socket: no answer in time, within 200 ms\n"
                "hint: something is there but does not answer as a broker does; more time is "
                "given with --timeout\n"};

        process_signal(broker_get_process(fixture->broker), SIGSTOP);
        cli_assert_row(fixture, &row);
        process_signal(broker_get_process(fixture->broker), SIGCONT);
}

#define ADD(path, function) \
        g_test_add("/cli/" path, CliFixture, NULL, cli_set_up, function, cli_tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD("prints-results", test_prints_results);
        ADD("reaches-the-broker-every-way", test_reaches_the_broker_every_way);
        ADD("explains/errors-of-services", test_explains_errors_of_services);
        ADD("explains/what-the-broker-refuses", test_explains_what_the_broker_refuses);
        ADD("explains/anonymous-users-are-told-to-log-in", test_anonymous_users_are_told_to_log_in);
        ADD("explains/why-there-is-no-connection", test_explains_why_there_is_no_connection);
        ADD("explains/an-untrusted-certificate", test_explains_an_untrusted_certificate);
        ADD("times-out", test_times_out);
        ADD("gives-up-on-a-broker-that-is-silent", test_gives_up_on_a_broker_that_is_silent);
        return g_test_run();
}
