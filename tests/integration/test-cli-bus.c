/* SPDX-License-Identifier: MIT */

/* mqttrpc as a way to look at the bus: list, tree, introspect, discover, stats, get, set, wait; as
 * one who may call everything, and as one who may call nothing. */

#include "tests/integration/cli-fixture.h"

#include <string.h>

#define BOB "-u", "bob", "--password-file", "@bob"

static char *run_for(CliFixture *fixture, const char *const *arguments, int status)
{
        CLEANUP_PROCESS Process *process = cli_start(fixture, arguments, NULL, NULL);

        g_assert_cmpint(process_wait_exit(process, WAIT_MSEC), ==, status);
        return process_dup_output(process, PROCESS_STDOUT);
}

static void assert_matches(const char *output, const char *pattern)
{
        if (!g_regex_match_simple(pattern, output, 0, 0))
                g_error("does not match %s:\n%s", pattern, output);
}

/* ---- list, tree ---- */

static void test_lists_services(CliFixture *fixture, gconstpointer unused)
{
        static const char *const list[] = {"list", NULL};
        static const char *const as_bob[] = {BOB, "list", NULL};
        static const char *const all[] = {"list", "--all", NULL};
        static const char *const json[] = {"list", "-aj", NULL};
        static const CliRow waits = {
                "lost", {"wait", "gone", "--state", "lost"}, 0, "lost\n", NULL};
        CLEANUP_PROCESS Process *gone = cli_start_service(fixture, "gone");
        g_autofree char *output = run_for(fixture, list, 0);

        assert_matches(output,
                       "^SERVICE  STATE  VERSION  HOST  RUNNING  EPOCH             SUMMARY\n"
                       "echo     ready  1\\.2      -     yes      [0-9a-f]{16}  echoes\n"
                       "gone     ready  1\\.2      -     yes      [0-9a-f]{16}  echoes\n$");
        process_kill(gone);
        cli_assert_row(fixture, &waits);
        g_free(output);
        output = run_for(fixture, as_bob, 0);
        assert_matches(output, "^SERVICE .*\necho .*\n$");
        g_free(output);
        output = run_for(fixture, all, 0);
        assert_matches(output, "^SERVICE .*\necho .*\ngone     lost   1\\.2      -     no  .*\n$");
        g_free(output);
        output = run_for(fixture, json, 0);
        assert_matches(output,
                       "^{\"service\":\"echo\",\"state\":\"ready\",\"host\":\"\",\"epoch\":"
                       "\"[0-9a-f]{16}\",\"details\":{\"state\":\"ready\".*\"ver\":\"1.2\"}}\n"
                       "{\"service\":\"gone\",\"state\":\"lost\",.*}\n$");
}

static const CliRow tree_rows[] = {
        {"tree",
         {"tree"},
         0,
         "echo\n"
         "|- -\n"
         "`- zones\n"
         "   |- hall  [org.example.Zone]\n"
         "   `- kitchen  [org.example.Zone]\n",
         NULL},
        {"one-service-as-who-may-call-nothing",
         {BOB, "tree", "echo", "--json"},
         0,
         "{\"service\":\"echo\",\"objects\":{"
         "\"-\":{\"interfaces\":[],\"props\":[\"LastNote\",\"Level\",\"Model\"]},"
         "\"zones.hall\":{\"interfaces\":[\"org.example.Zone\"],\"props\":[\"Degrees\"]},"
         "\"zones.kitchen\":{\"interfaces\":[\"org.example.Zone\"],\"props\":[\"Degrees\"]}}}\n",
         NULL},
        {"unknown",
         {"tree", "ecko"},
         4,
         NULL,
         "mqttrpc: there is no service 'ecko'; did you mean 'echo'?\n"},
        {"unknown-json",
         {"tree", "zzz", "-j"},
         4,
         "{\"error\":{\"code\":-32100,\"message\":\"there is no service 'zzz'\","
         "\"data\":{\"executed\":\"no\"}}}\n",
         NULL},
        {"verbose",
         {"-v", "tree", "echo"},
         0,
         "echo\n"
         "|- -\n"
         "`- zones\n"
         "   |- hall  [org.example.Zone]\n"
         "   `- kitchen  [org.example.Zone]\n",
         "mosquitto_sub --unix @socket -u alice -P \"$(head -n 1 @alice)\" -V 5 -q 1 -v "
         "--retained-only -W 1 -t 'mb1/echo/$state' -t 'mb1/echo/+/$meta'\n"},
};

static void test_shows_the_tree(CliFixture *fixture, gconstpointer unused)
{
        cli_assert_rows(fixture, tree_rows, G_N_ELEMENTS(tree_rows));
}

static void test_verbose_line_of_a_watch_works(CliFixture *fixture, gconstpointer unused)
{
        static const char *const arguments[] = {"get",      "echo", "-", "Model",
                                                "--cached", "-v",   NULL};
        CLEANUP_PROCESS Process *process = cli_start(fixture, arguments, NULL, NULL);
        const char *argv[] = {"sh", "-c", NULL, NULL};
        g_autofree char *line = NULL;
        g_autofree char *output = NULL;

        g_assert_cmpint(process_wait_exit(process, WAIT_MSEC), ==, 0);
        line = process_dup_output(process, PROCESS_STDERR);
        argv[2] = line;
        /* mosquitto_sub says 27 when its -W is over. */
        g_assert_cmpint(process_run(fixture->dir, argv, NULL, WAIT_MSEC, &output, NULL), ==, 27);
        g_assert_cmpstr(output, ==, "mb1/echo/-/prop/Model \"E-1\"\n");
}

/* ---- introspect, discover, stats ---- */

#define ZONE_TABLE(degrees)                                               \
        "NAME              TYPE       SIGNATURE  RESULT/VALUE  FLAGS\n"   \
        "org.example.Zone  interface  -          -             -\n"       \
        "Heat              method     i          i             control\n" \
        "Heated            signal     i          -             -\n"       \
        "Degrees           property   i          " degrees "            emits-change\n"

static const CliRow introspect_rows[] = {
        {"described", {"introspect", "echo", "zones.hall"}, 0, ZONE_TABLE("18"), NULL},
        {"described-by-the-interface",
         {BOB, "introspect", "echo", "zones.kitchen"},
         0,
         ZONE_TABLE("21"),
         NULL},
        {"all",
         {"introspect", "echo"},
         0,
         "echo/-\n"
         "NAME        TYPE      SIGNATURE  RESULT/VALUE  FLAGS\n"
         "Echo        method    v          v             read\n"
         "Add         method    xx         x             read\n"
         "Fail        method    issu       -             admin\n"
         "Sleep       method    u          s             admin\n"
         "Note        method    s          -             admin\n"
         "Noted       method    -          s             read\n"
         "Remembered  signal    s          -             -\n"
         "LastNote    property  s          \"\"            emits-change\n"
         "Level       property  u          7             emits-change writable\n"
         "Model       property  s          \"E-1\"         const\n"
         "\necho/zones.hall\n" ZONE_TABLE("18") "\necho/zones.kitchen\n" ZONE_TABLE("21"),
         NULL},
        {"unknown-object",
         {"introspect", "echo", "zone.hall"},
         1,
         NULL,
         "mqttrpc: 'echo' has no object 'zone.hall'; did you mean 'zones.hall'?\n"},
};

static void test_introspects(CliFixture *fixture, gconstpointer unused)
{
        static const char *const json[] = {BOB, "introspect", "echo", "zones.hall", "-j", NULL};
        g_autofree char *output = NULL;

        cli_assert_rows(fixture, introspect_rows, G_N_ELEMENTS(introspect_rows));
        output = run_for(fixture, json, 0);
        assert_matches(output,
                       "^{\"service\":\"echo\",\"description\":{\"openrpc\":\".*},\"objects\":"
                       "{\"zones.hall\":{.*}},\"properties\":{\"zones.hall/Degrees\":18}}\n$");
}

/* What somebody publishes who describes nothing. */
static void test_introspects_what_is_not_described(CliFixture *fixture, gconstpointer unused)
{
        static const char *const topics[][2] = {
                {"mb1/gone/$state", "{\"state\":\"offline\",\"epoch\":\"0123456789abcdef\"}"},
                {"mb1/gone/a.b/$meta", "{\"interfaces\":[\"x.Y\"],\"props\":[\"Size\"]}"},
                {"mb1/gone/a.b/prop/Size", "12345678901234567890"},
                {"mb1/gone/-/$meta", "{}"},
                {"mb1/gone/.run.x/$meta", "{}"},
                {"mb1/gone/a-b/$meta", "{}"},
                {"mb1/gone/a/$meta", "{}"},
        };
        static const CliRow rows[] = {
                {"introspect",
                 {"introspect", "gone", "a.b"},
                 0,
                 "NAME  TYPE       SIGNATURE  RESULT/VALUE          FLAGS\n"
                 "x.Y   interface  -          -                     -\n"
                 "Size  property   -          12345678901234567890  stale\n",
                 NULL},
                {"tree",
                 {"tree", "gone"},
                 0,
                 "gone\n"
                 "|- .\n"
                 "|  `- run\n"
                 "|     `- x\n"
                 "|- -\n"
                 "|- a\n"
                 "|  `- b  [x.Y]\n"
                 "`- a-b\n",
                 NULL},
                {"get",
                 {"get", "gone", "a.b", "--cached"},
                 0,
                 "{\n  \"Size\": 12345678901234567890\n}\n",
                 "hint: 'gone' is not ready: this is how things were\n"},
                {"get-none", {"get", "gone", "-", "--cached", "-j"}, 0, "{\"result\":{}}\n", NULL},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(topics); i++) {
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
                                      "-r",
                                      "-t",
                                      topics[i][0],
                                      "-m",
                                      topics[i][1],
                                      NULL};

                g_assert_cmpint(process_run(fixture->dir, argv, NULL, WAIT_MSEC, NULL, NULL), ==,
                                0);
        }
        cli_assert_rows(fixture, rows, G_N_ELEMENTS(rows));
}

static void test_discovers_and_counts(CliFixture *fixture, gconstpointer unused)
{
        static const char *const discover[] = {"discover", "echo", NULL};
        static const char *const stats[] = {"stats", "echo", NULL};
        static const char *const json[] = {"stats", "echo", "-j", NULL};
        static const CliRow denied = {
                "denied",
                {BOB, "stats", "echo"},
                5,
                NULL,
                "mqttrpc: access denied: 'bob' may not call rpc.stats of 'echo', object '-'\n"
                "hint: the broker has no grant for the topic mb1/echo/-/call/rpc.stats/bob\n"
                "hint: an administrator grants it with: mqttrpc-adduser --call echo/-/rpc.stats "
                "bob\n"};
        g_autofree char *output = run_for(fixture, discover, 0);

        assert_matches(output, "^{\n  \"openrpc\": \"");
        g_free(output);
        output = run_for(fixture, stats, 0);
        assert_matches(output, "^NAME  +VALUE\nin_flight  +1\n");
        assert_matches(output, "\nobjects  +3\n");
        g_free(output);
        output = run_for(fixture, json, 0);
        assert_matches(output, "^{\"result\":{\"in_flight\":1,.*}}\n$");
        cli_assert_row(fixture, &denied);
}

/* ---- properties ---- */

static const CliRow property_rows[] = {
        {"one", {"get", "echo", "-", "Level"}, 0, "7\n", NULL},
        {"set", {"set", "echo", "-", "Level", "9"}, 0, NULL, NULL},
        {"set-json", {"set", "echo", "-", "Level", "10", "-j"}, 0, "{\"result\":null}\n", NULL},
        {"two",
         {"get", "echo", "-", "Level", "Model"},
         0,
         "{\n  \"Level\": 10,\n  \"Model\": \"E-1\"\n}\n",
         NULL},
        {"all",
         {"get", "echo", "-", "-j"},
         0,
         "{\"result\":{\"LastNote\":\"\",\"Level\":10,\"Model\":\"E-1\"}}\n",
         NULL},
        {"cached", {BOB, "get", "echo", "-", "Level", "--cached"}, 0, "10\n", NULL},
        {"cached-two",
         {"get", "echo", "-", "Model", "Level", "--cached", "-j"},
         0,
         "{\"result\":{\"Model\":\"E-1\",\"Level\":10}}\n",
         NULL},
        {"cached-none",
         {"get", "echo", "-", "Modell", "--cached"},
         1,
         NULL,
         "mqttrpc: the broker keeps no value of 'Modell' for echo/-; did you mean 'Model'?\n"},
        {"unknown",
         {"get", "echo", "-", "Levl"},
         1,
         NULL,
         "mqttrpc: not found: echo/- has no property 'Levl' "
         "[org.freedesktop.DBus.Error.UnknownProperty]\n"
         "hint: did you mean 'Level'?\n"},
        {"not-granted",
         {BOB, "set", "echo", "-", "Level", "1"},
         5,
         NULL,
         "mqttrpc: access denied: 'bob' may not call prop.set.Level of 'echo', object '-'\n"
         "hint: the broker has no grant for the topic mb1/echo/-/call/prop.set.Level/bob\n"
         "hint: an administrator grants it with: mqttrpc-adduser --call echo/-/prop.set.Level "
         "bob\n"},
        {"refused",
         {"set", "echo", "-", "Level", "101"},
         7,
         NULL,
         "mqttrpc: wrong argument: a level is at most 100\n"},
        {"no-value",
         {"set", "echo", "-", "Level"},
         2,
         NULL,
         "mqttrpc: set: VALUE is missing\nhint: see 'mqttrpc set --help'\n"},
        {"verbose",
         {"get", "echo", "-", "Level", "-v"},
         0,
         "10\n",
         "mosquitto_rr --unix @socket -u alice -P \"$(head -n 1 @alice)\" -V 5 -q 1 -W 25 -t "
         "mb1/echo/-/call/prop.get/alice -e mb1/echo/-/call/prop.get/alice/reply -m "
         "'{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"prop.get\",\"params\":[\"Level\"]}'\n"},
};

static void test_gets_and_sets(CliFixture *fixture, gconstpointer unused)
{
        cli_assert_rows(fixture, property_rows, G_N_ELEMENTS(property_rows));
}

/* ---- near misses ---- */

static const CliRow near_rows[] = {
        {"service",
         {"call", "ecko", "-", "Echo"},
         4,
         NULL,
         "mqttrpc: nobody serves 'ecko'\n"
         "hint: is it spelled right and running? A D-Bus service needs dbus-mqtt-gateway running, "
         "with a mapping for it loaded\n"
         "hint: did you mean 'echo'?\n"},
        {"dbus-name",
         {"call", "org.example.Gone1", "-", "Echo"},
         4,
         NULL,
         "mqttrpc: nobody serves 'org.example.Gone1'\n"
         "hint: is it spelled right and running? A D-Bus service needs dbus-mqtt-gateway running, "
         "with a mapping for it loaded\n"
         "hint: the D-Bus service org.example.Gone1 is 'gone' here\n"},
        {"object",
         {"call", "echo", "zones.hal", "Heat", "1"},
         1,
         NULL,
         "mqttrpc: not found: echo has no object 'zones.hal'\n"
         "hint: did you mean 'zones.hall'?\n"},
        {"all-arguments-in-one",
         {"call", "echo", "-", "Add", "[1,2]"},
         7,
         NULL,
         "mqttrpc: wrong argument: missing argument 'b' (x)\n"
         "hint: each ARG is one argument; to give all of them as one JSON array or object use "
         "--params\n"},
};

static void test_suggests_what_is_near(CliFixture *fixture, gconstpointer unused)
{
        static const char *const topics[][2] = {
                {"mb1/gone/$state", "{\"state\":\"ready\",\"epoch\":\"0123456789abcdef\"}"},
                {"mb1/gone/$api", "{\"x-dbus-name\":\"org.example.Gone1\"}"},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(topics); i++) {
                const char *argv[] = {"mosquitto_pub",
                                      "--unix",
                                      broker_get_socket(fixture->broker),
                                      "-u",
                                      "echo",
                                      "-P",
                                      "e",
                                      "-q",
                                      "1",
                                      "-r",
                                      "-t",
                                      topics[i][0],
                                      "-m",
                                      topics[i][1],
                                      NULL};

                g_assert_cmpint(process_run(fixture->dir, argv, NULL, WAIT_MSEC, NULL, NULL), ==,
                                0);
        }
        cli_assert_rows(fixture, near_rows, G_N_ELEMENTS(near_rows));
}

/* ---- wait ---- */

static const CliRow wait_rows[] = {
        {"ready", {"wait", "echo"}, 0, "ready\n", NULL},
        {"ready-json",
         {"wait", "echo", "-j"},
         0,
         "{\"service\":\"echo\",\"state\":\"ready\"}\n",
         NULL},
        {"value", {"wait", "echo", "-", "Level", "7"}, 0, "7\n", NULL},
        {"any-value-json",
         {"wait", "echo", "-", "Model", "-j"},
         0,
         "{\"service\":\"echo\",\"object\":\"-\",\"property\":\"Model\",\"value\":\"E-1\"}\n",
         NULL},
        {"timed-out",
         {"wait", "nobody", "-t", "200ms"},
         6,
         NULL,
         "mqttrpc: 'nobody' was not ready within 200 ms\n"},
        {"value-timed-out",
         {"wait", "echo", "-", "Level", "8", "-t", "200ms"},
         6,
         NULL,
         "mqttrpc: 'Level' of echo/- has not become that within 200 ms\n"},
        {"unchanged",
         {"wait", "echo", "-", "Level", "--changed", "-t", "200ms"},
         6,
         NULL,
         "mqttrpc: 'Level' of echo/- has not become that within 200 ms\n"},
        {"wrong-state",
         {"wait", "echo", "--state", "up"},
         2,
         NULL,
         "mqttrpc: --state: 'up' is none of init, claim, ready, offline, lost\n"
         "hint: see 'mqttrpc wait --help'\n"},
        {"no-property",
         {"wait", "echo", "-"},
         2,
         NULL,
         "mqttrpc: wait: PROPERTY is missing\nhint: see 'mqttrpc wait --help'\n"},
};

static void test_waits(CliFixture *fixture, gconstpointer unused)
{
        static const char *const service[] = {"wait", "gone", "-v", NULL};
        static const char *const changed[] = {"wait",      "echo", "-", "Level",
                                              "--changed", "-v",   NULL};
        static const CliRow set = {"set", {"set", "echo", "-", "Level", "42"}, 0, NULL, NULL};
        static const char *const down[] = {"wait", "gone", "--state", "lost", NULL};
        CLEANUP_PROCESS Process *gone = NULL;
        CLEANUP_PROCESS Process *waiting = cli_start(fixture, service, NULL, NULL);
        g_autofree char *output = NULL;

        cli_assert_rows(fixture, wait_rows, G_N_ELEMENTS(wait_rows));
        g_assert_true(process_is_running(waiting));
        gone = cli_start_service(fixture, "gone");
        g_assert_cmpint(process_wait_exit(waiting, WAIT_MSEC), ==, 0);
        process_kill(gone);
        output = run_for(fixture, down, 0);
        g_assert_cmpstr(output, ==, "lost\n");
        waiting = process_free(waiting);
        waiting = cli_start(fixture, changed, NULL, NULL);
        g_assert_true(
                process_wait_output(waiting, PROCESS_STDERR, "mqttrpc: waiting\n", WAIT_MSEC));
        cli_assert_row(fixture, &set);
        g_assert_cmpint(process_wait_exit(waiting, WAIT_MSEC), ==, 0);
        g_free(output);
        output = process_dup_output(waiting, PROCESS_STDOUT);
        g_assert_cmpstr(output, ==, "42\n");
}

#define ADD(path, function) \
        g_test_add("/cli-bus/" path, CliFixture, NULL, cli_set_up, function, cli_tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD("list", test_lists_services);
        ADD("tree", test_shows_the_tree);
        ADD("verbose-line-of-a-watch-works", test_verbose_line_of_a_watch_works);
        ADD("introspect/described", test_introspects);
        ADD("introspect/not-described", test_introspects_what_is_not_described);
        ADD("discover-and-stats", test_discovers_and_counts);
        ADD("get-and-set", test_gets_and_sets);
        ADD("suggests-what-is-near", test_suggests_what_is_near);
        ADD("wait", test_waits);
        return g_test_run();
}
