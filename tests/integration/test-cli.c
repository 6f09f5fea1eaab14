/* SPDX-License-Identifier: MIT */

/* mqttrpc as a program: wrong command lines, its other verbs, how it is ended, what it says of
 * itself. */

#include "tests/integration/cli-fixture.h"

#include <signal.h>
#include <string.h>

/* ---- command lines ---- */

static const struct {
        const char *arguments[CLI_ARGUMENTS];
        const char *text;
        const char *verb;
} wrong_lines[] = {
        {{NULL}, "no verb is given", ""},
        {{"cal"}, "unknown verb 'cal'; did you mean 'call'?", ""},
        {{"frobnicate", "x"}, "unknown verb 'frobnicate'", ""},
        {{"--timout", "5", "call"}, "unknown option '--timout'; did you mean '--timeout'?", ""},
        {{"call"}, "call: SERVICE is missing", "call "},
        {{"call", "echo", "-"}, "call: METHOD is missing", "call "},
        {{"ping", "echo", "x"}, "ping: 'x' is one argument too many", "ping "},
        {{"ping", "echo", "--conut", "3"},
         "unknown option '--conut'; did you mean '--count'?",
         "ping "},
        {{"call", "echo", "-", "Echo", "-t", "5x"},
         "--timeout: '5x' is not a duration: write 500ms, 2s, 1.5m or 1h (no unit: "
         "seconds)",
         "call "},
        {{"call", "a/b", "-", "Echo"},
         "'a/b' is not a valid service name: use letters, digits, '_', '.' and '-'",
         "call "},
        {{"call", "hostname", "/org/freedesktop/hostname1", "Describe"},
         "'/org/freedesktop/hostname1' is a D-Bus path: the root object of a service is "
         "'-', and .../x/y below it is 'x.y'",
         "call "},
        {{"notify", "echo", "-", "Echo\033[2J"},
         "'Echo?[2J' is not a valid method name: use letters, digits, '_', '.' and '-'",
         "notify "},
        {{"call", "echo", "-", "Add", "a=1", "2"},
         "'a=1' is an argument by name, '2' one by position: give all in the same way (a "
         "string with a '=' goes by position as '\"a=b\"')",
         "call "},
        {{
                 "call",
                 "echo",
                 "-",
                 "Add",
                 "--params",
                 "[1",
         },
         "--params: not JSON: expected ',' or ']' at character 3",
         "call "},
        {{"call", "echo", "-", "Add", "--params", "[1]", "2"},
         "'2': with --params there are no other arguments",
         "call "},
        {{"-b", "localhost", "ping", "echo"},
         "--broker: not a broker address: expected mqtt://host[:port], "
         "mqtts://host[:port] or unix:///path/of/socket",
         "ping "},
        {{"-r", "a//b", "ping", "echo"},
         "--root: 'a//b' is not a topic prefix: use levels of letters, digits, '_', '.' "
         "and '-', separated by '/'",
         "ping "},
        {{"--caller", "a/b", "ping", "echo"},
         "--caller: 'a/b' is not a name: use letters, digits, '_', '.' and '-'",
         "ping "},
        {{"--password-file", "/nonexistent", "ping", "echo"},
         "--password-file: cannot open /nonexistent: No such file or directory",
         "ping "},
        {{"--password-file", "/dev/null", "ping", "echo"},
         "--password-file: no password in the first line of /dev/null",
         "ping "},
        {{"--ca", "@ca", "ping", "echo"},
         "--ca, --cert and --key are for mqtts:// brokers, this one is not",
         "ping "},
        {{"--key", "@ca", "ping", "echo"}, "--cert and --key go together", "ping "},
};

static void test_refuses_wrong_command_lines(CliFixture *fixture, gconstpointer unused)
{
        for (unsigned i = 0; i < G_N_ELEMENTS(wrong_lines); i++) {
                g_autofree char *errors = g_strdup_printf("mqttrpc: %s\nhint: see 'mqttrpc "
                                                          "%s--help'\n",
                                                          wrong_lines[i].text, wrong_lines[i].verb);
                CliRow row = {wrong_lines[i].text, {NULL}, 2, NULL, errors};

                memcpy(row.arguments, wrong_lines[i].arguments, sizeof(row.arguments));
                cli_assert_row(fixture, &row);
        }
}

static void test_password_file_needs_a_user(CliFixture *fixture, gconstpointer unused)
{
        static const char *const nobody[] = {"MQTTRPC_USER", NULL};
        static const CliRow row = {"no-user",
                                   {"--password-file", "@alice", "call", "echo", "-", "Echo"},
                                   2,
                                   NULL,
                                   "mqttrpc: --password-file is given without a user: add --user\n"
                                   "hint: see 'mqttrpc call --help'\n"};
        CLEANUP_PROCESS Process *process = cli_start(fixture, row.arguments, NULL, nobody);

        cli_assert_ends(fixture, process, &row);
}

static void test_refuses_what_is_too_large(CliFixture *fixture, gconstpointer unused)
{
        g_autofree char *large = g_strnfill((1 << 20) + 10, 'x');
        g_autofree char *fits = g_strnfill(1 << 19, 'x');
        g_autofree char *large_params = g_strdup_printf("[\"%s\"]", large);
        g_autofree char *fitting_params = g_strdup_printf("[\"%s\"]", fits);
        g_autofree char *echoed = g_strdup_printf("\"%s\"\n", fits);
        const CliRow too_large = {
                "too-large",
                {"call", "echo", "-", "Echo", "--params", "-"},
                2,
                NULL,
                "mqttrpc: --params: the arguments are too large: a request has at "
                "most 1048576 bytes\nhint: see 'mqttrpc call --help'\n"};
        const CliRow large_enough = {
                "large", {"call", "echo", "-", "Echo", "--params", "-"}, 0, echoed, NULL};
        CLEANUP_PROCESS Process *first =
                cli_start(fixture, too_large.arguments, large_params, NULL);
        CLEANUP_PROCESS Process *second = NULL;

        cli_assert_ends(fixture, first, &too_large);
        second = cli_start(fixture, large_enough.arguments, fitting_params, NULL);
        cli_assert_ends(fixture, second, &large_enough);
}

/* ---- notify, ping ---- */

static void test_notifies(CliFixture *fixture, gconstpointer unused)
{
        g_autofree char *text = g_strnfill(1 << 19, 'x');
        g_autofree char *params = g_strdup_printf("[\"%s\"]", text);
        g_autofree char *noted = g_strdup_printf("\"%s\"\n", text);
        static const CliRow rows[] = {
                {"notify", {"notify", "echo", "-", "Note", "hello"}, 0, NULL, NULL},
                {"noted", {"call", "echo", "-", "Noted"}, 0, "\"hello\"\n", NULL},
                {"error-is-not-seen", {"notify", "echo", "-", "Nothing"}, 0, NULL, NULL},
                {"qos-0", {"--qos", "0", "notify", "echo", "-", "Note", "text=hi"}, 0, NULL, NULL},
                {"noted-again", {"call", "echo", "-", "Noted"}, 0, "\"hi\"\n", NULL},
                {"nobody-is-there",
                 {"notify", "nobody", "-", "Note", "x"},
                 4,
                 NULL,
                 "mqttrpc: nobody serves 'nobody'\n"
                 "hint: is it spelled right and running? A D-Bus service needs dbus-mqtt-gateway "
                 "running, with a mapping for it loaded\n"},
                {"not-granted",
                 {"-u", "bob", "--password-file", "@bob", "notify", "echo", "-", "Note", "x"},
                 5,
                 NULL,
                 "mqttrpc: access denied: 'bob' may not call Note of 'echo', object '-'\n"
                 "hint: the broker has no grant for the topic mb1/echo/-/call/Note/bob\n"
                 "hint: an administrator grants it with: mqttrpc-adduser --call echo/-/Note "
                 "bob\n"},
                {"refusal-is-not-told-by-old-mqtt",
                 {"--mqtt", "3.1.1", "notify", "nobody", "-", "Note", "x"},
                 0,
                 NULL,
                 NULL},
                {"refusal-is-not-told-at-qos-0",
                 {"--qos", "0", "notify", "nobody", "-", "Note", "x"},
                 0,
                 NULL,
                 NULL},
                {"no-broker",
                 {"-b", "unix:///nonexistent/b", "notify", "echo", "-", "Note", "x"},
                 3,
                 NULL,
                 "mqttrpc: no connection to broker /nonexistent/b: No such file or directory\n"
                 "hint: is the broker running, and does it listen on this socket? Another broker "
                 "is named with --broker or MQTTRPC_BROKER\n"},
        };
        static const CliRow large = {"large",
                                     {"-b", "@tcp", "notify", "echo", "-", "Note", "--params", "-"},
                                     0,
                                     NULL,
                                     NULL};
        const CliRow noted_large = {"large-noted", {"call", "echo", "-", "Noted"}, 0, noted, NULL};
        CLEANUP_PROCESS Process *process = NULL;

        cli_assert_rows(fixture, rows, G_N_ELEMENTS(rows));
        process = cli_start(fixture, large.arguments, params, NULL);
        cli_assert_ends(fixture, process, &large);
        cli_assert_row(fixture, &noted_large);
}

static char *run(CliFixture *fixture, const char *const *arguments, int status)
{
        CLEANUP_PROCESS Process *process = cli_start(fixture, arguments, NULL, NULL);

        g_assert_cmpint(process_wait_exit(process, WAIT_MSEC), ==, status);
        return process_dup_output(process, PROCESS_STDOUT);
}

static void test_pings(CliFixture *fixture, gconstpointer unused)
{
        static const char *const three[] = {"ping", "echo", "-c", "3", "-i", "0", NULL};
        static const char *const by_default[] = {"ping", "echo", "-i", "1ms", NULL};
        static const char *const once[] = {"ping", "echo", "-c1", NULL};
        static const char *const json[] = {"ping", "echo", "-c2", "-i0", "--json", NULL};
        g_autofree char *output = run(fixture, three, 0);

        g_assert_true(g_regex_match_simple("^(echo: seq=[123] time=[0-9]+\\.[0-9]{3} ms\n){3}"
                                           "3 sent, 3 answered, min/avg/max "
                                           "([0-9.]+/){2}[0-9.]+ ms\n$",
                                           output, 0, 0));
        g_free(output);
        output = run(fixture, by_default, 0);
        g_assert_nonnull(strstr(output, "\n4 sent, 4 answered, "));
        g_free(output);
        output = run(fixture, once, 0);
        g_assert_true(g_regex_match_simple("^echo: seq=1 time=[0-9.]+ ms\n$", output, 0, 0));
        g_free(output);
        output = run(fixture, json, 0);
        g_assert_true(g_regex_match_simple("^{\"seq\":1,\"time_ms\":[0-9.]+}\n"
                                           "{\"seq\":2,\"time_ms\":[0-9.]+}\n"
                                           "{\"sent\":2,\"answered\":2,\"min_ms\":[0-9.]+,"
                                           "\"avg_ms\":[0-9.]+,\"max_ms\":[0-9.]+}\n$",
                                           output, 0, 0));
}

static void test_ping_fails(CliFixture *fixture, gconstpointer unused)
{
        static const CliRow rows[] = {
                {"nobody",
                 {"ping", "nobody"},
                 4,
                 NULL,
                 "mqttrpc: nobody serves 'nobody'\n"
                 "hint: is it spelled right and running? A D-Bus service needs dbus-mqtt-gateway "
                 "running, with a mapping for it loaded\n"},
                {"denied",
                 {"-u", "bob", "--password-file", "@bob", "ping", "echo"},
                 5,
                 NULL,
                 "mqttrpc: access denied: 'bob' may not call rpc.ping of 'echo', object '-'\n"
                 "hint: the broker has no grant for the topic mb1/echo/-/call/rpc.ping/bob\n"
                 "hint: an administrator grants it with: mqttrpc-adduser --call echo/-/rpc.ping "
                 "bob\n"},
                {"hangs",
                 {"ping", "gone", "-c", "2", "-i", "0", "-t", "200ms"},
                 6,
                 "gone: seq=1 no answer in time\ngone: seq=2 no answer in time\n"
                 "2 sent, 0 answered\n",
                 NULL},
                {"hangs-json",
                 {"ping", "gone", "-c", "1", "-t", "200ms", "-j"},
                 6,
                 "{\"seq\":1,\"error\":{\"code\":-32005,\"message\":\"no reply in time from "
                 "mb1/gone/-/call/rpc.ping/alice\",\"data\":{\"executed\":\"maybe\"}}}\n",
                 NULL},
        };
        CLEANUP_PROCESS Process *hung = cli_start_service(fixture, "gone");

        process_signal(hung, SIGSTOP);
        cli_assert_rows(fixture, rows, G_N_ELEMENTS(rows));
}

/* ---- being ended ---- */

static void test_is_interrupted(CliFixture *fixture, gconstpointer unused)
{
        static const char *const call[] = {"call", "echo", "-", "Sleep", "60000", "-v", NULL};
        static const char *const ping[] = {"ping", "echo", "-c", "0", "-i", "1ms", NULL};
        static const int signals[] = {SIGINT, SIGTERM};
        g_autofree char *output = NULL;

        for (unsigned i = 0; i < G_N_ELEMENTS(signals); i++) {
                CLEANUP_PROCESS Process *process = cli_start(fixture, call, NULL, NULL);

                g_assert_true(
                        process_wait_output(process, PROCESS_STDERR, "mosquitto_rr", WAIT_MSEC));
                process_signal(process, signals[i]);
                g_assert_true(process_wait_output(process, PROCESS_STDERR,
                                                  "mqttrpc: interrupted; the method may have been "
                                                  "executed\n",
                                                  WAIT_MSEC));
                g_assert_cmpint(process_wait_exit(process, WAIT_MSEC), ==, 128 + signals[i]);
        }
        {
                CLEANUP_PROCESS Process *process = cli_start(fixture, ping, NULL, NULL);

                g_assert_true(process_wait_output(process, PROCESS_STDOUT, "seq=5 ", WAIT_MSEC));
                process_signal(process, SIGINT);
                g_assert_cmpint(process_wait_exit(process, WAIT_MSEC), ==, 130);
                output = process_dup_output(process, PROCESS_STDOUT);
                g_assert_nonnull(strstr(output, " answered, min/avg/max "));
        }
}

static void test_survives_a_broken_pipe(CliFixture *fixture, gconstpointer unused)
{
        /* The fifo's reader is gone before anything is written. */
        g_autofree char *script = cli_fill_in(
                fixture, "exec 3>&1; { sleep 0; } | { exec \"$0\" -b @unix -u alice "
                         "--password-file @alice call echo - Echo 1; }; "
                         "{ \"$0\" -b @unix -u alice --password-file @alice "
                         "ping echo -c 0 -i 1ms; echo \"status $?\" >&3; } | head -n 1");
        const char *argv[] = {"sh", "-c", script, fixture->program, NULL};
        g_autofree char *output = NULL;
        g_autofree char *errors = NULL;

        g_assert_cmpint(process_run(fixture->dir, argv, NULL, WAIT_MSEC, &output, &errors), ==, 0);
        g_assert_nonnull(strstr(output, "echo: seq=1 time="));
        g_assert_nonnull(strstr(output, "status 9\n"));
        g_assert_cmpstr(errors, ==, "");
}

static void test_says_that_output_is_lost(CliFixture *fixture, gconstpointer unused)
{
        g_autofree char *script =
                cli_fill_in(fixture, "exec \"$0\" -b @unix -u alice --password-file "
                                     "@alice call echo - Echo 1 >/dev/full");
        const char *argv[] = {"sh", "-c", script, fixture->program, NULL};
        g_autofree char *errors = NULL;

        g_assert_cmpint(process_run(fixture->dir, argv, NULL, WAIT_MSEC, NULL, &errors), ==, 9);
        g_assert_true(g_str_has_prefix(errors, "mqttrpc: cannot write the output: "));
}

static void test_broker_is_lost_during_a_call(CliFixture *fixture, gconstpointer unused)
{
        static const char *const call[] = {"call", "echo", "-", "Sleep", "60000", NULL};
        CLEANUP_PROCESS Process *process = cli_start(fixture, call, NULL, NULL);
        g_autofree char *errors = NULL;

        g_assert_true(process_wait_output(fixture->service, PROCESS_STDOUT, "sleeping", WAIT_MSEC));
        broker_kill(fixture->broker);
        g_assert_cmpint(process_wait_exit(process, WAIT_MSEC), ==, 3);
        errors = process_dup_output(process, PROCESS_STDERR);
        g_assert_nonnull(strstr(errors, "mqttrpc: the connection to the broker was lost: broker "));
}

/* ---- the equivalent line ---- */

static void assert_line_works(CliFixture *fixture, const char *const *arguments,
                              const char *expected)
{
        CLEANUP_PROCESS Process *process = cli_start(fixture, arguments, NULL, NULL);
        g_autofree char *line = NULL;
        g_autofree char *output = NULL;
        const char *argv[] = {"sh", "-c", NULL, NULL};

        g_assert_cmpint(process_wait_exit(process, WAIT_MSEC), ==, 0);
        line = process_dup_output(process, PROCESS_STDERR);
        g_assert_null(strstr(line, "a:b"));
        argv[2] = line;
        g_assert_cmpint(process_run(fixture->dir, argv, NULL, WAIT_MSEC, &output, NULL), ==, 0);
        g_assert_cmpstr(output, ==, expected);
}

static void test_verbose_line_does_the_same(CliFixture *fixture, gconstpointer unused)
{
        static const char *const lines[][CLI_ARGUMENTS] = {
                {"-v", "call", "echo", "-", "Echo", "it's \"so\" $HOME"},
                {"-v", "-b", "@tcp", "call", "echo", "-", "Echo", "it's \"so\" $HOME"},
                {"-v", "-b", "@tls", "--ca", "@ca", "call", "echo", "-", "Echo",
                 "it's \"so\" $HOME"},
                {"-v", "--mqtt=3.1.1", "--qos=0", "call", "echo", "-", "Echo", "it's \"so\" $HOME"},
        };
        static const char *const notify[] = {"-v", "notify", "echo", "-", "Note", "x y", NULL};
        static const CliRow noted = {"noted", {"call", "echo", "-", "Noted"}, 0, "\"x y\"\n", NULL};
        static const CliRow clear = {"clear", {"notify", "echo", "-", "Note", "-"}, 0, NULL, NULL};

        for (unsigned i = 0; i < G_N_ELEMENTS(lines); i++)
                assert_line_works(
                        fixture, lines[i],
                        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"it's \\\"so\\\" $HOME\"}\n");
        cli_assert_row(fixture, &clear);
        assert_line_works(fixture, notify, "");
        cli_assert_row(fixture, &noted);
}

static void test_password_of_a_uri_is_not_shown(CliFixture *fixture, gconstpointer unused)
{
        static const char *const arguments[] = {
                "-vb", "mqtt://bob:bb@127.0.0.1:@port", "call", "echo", "-", "Echo", NULL};
        CLEANUP_PROCESS Process *process = cli_start(fixture, arguments, NULL, NULL);
        g_autofree char *errors = NULL;

        g_assert_cmpint(process_wait_exit(process, WAIT_MSEC), ==, 5);
        errors = process_dup_output(process, PROCESS_STDERR);
        g_assert_nonnull(strstr(errors, " -u bob -P PASSWORD "));
        g_assert_null(strstr(errors, "bb"));
}

#define ADD(path, function) \
        g_test_add("/cli/" path, CliFixture, NULL, cli_set_up, function, cli_tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD("broker-is-lost-during-a-call", test_broker_is_lost_during_a_call);
        ADD("refuses/wrong-command-lines", test_refuses_wrong_command_lines);
        ADD("refuses/password-file-without-user", test_password_file_needs_a_user);
        ADD("refuses/what-is-too-large", test_refuses_what_is_too_large);
        ADD("notify", test_notifies);
        ADD("ping/answers", test_pings);
        ADD("ping/failures", test_ping_fails);
        ADD("is-interrupted", test_is_interrupted);
        ADD("survives-a-broken-pipe", test_survives_a_broken_pipe);
        ADD("says-that-output-is-lost", test_says_that_output_is_lost);
        ADD("verbose/line-does-the-same", test_verbose_line_does_the_same);
        ADD("verbose/password-of-a-uri-is-not-shown", test_password_of_a_uri_is_not_shown);
        return g_test_run();
}
