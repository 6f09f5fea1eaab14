/* SPDX-License-Identifier: MIT */

/* Completion: what `mqttrpc complete` says, and that bash and zsh make something of it. */

#include "tests/integration/cli-fixture.h"

#include <string.h>

#define WORDS(index) "complete", "--index", index, "--", "mqttrpc"

static const CliRow rows[] = {
        {"verbs",
         {WORDS("1"), ""},
         0,
         "list\ntree\nintrospect\ncall\nnotify\nget\nset\nmonitor\nwait\nping\nstats\ndiscover\n",
         NULL},
        {"verb", {WORDS("1"), "in"}, 0, "introspect\n", NULL},
        {"options-of-a-verb", {WORDS("2"), "list", "--a"}, 0, "--all\n", NULL},
        {"options-of-all", {WORDS("1"), "--ver"}, 0, "--verbose\n--version\n", NULL},
        {"values", {WORDS("3"), "monitor", "--color", "a"}, 0, "auto\nalways\n", NULL},
        {"services", {WORDS("2"), "call", ""}, 0, "echo\n", NULL},
        {"objects", {WORDS("3"), "call", "echo", "z"}, 0, "zones.hall\nzones.kitchen\n", NULL},
        {"methods", {WORDS("4"), "call", "echo", "-", "No"}, 0, "Note\nNoted\n", NULL},
        {"methods-by-the-interface",
         {WORDS("4"), "call", "echo", "zones.kitchen", ""},
         0,
         "Heat\n",
         NULL},
        {"arguments", {WORDS("5"), "call", "echo", "-", "Add"}, 0, "a=\nb=\n", NULL},
        {"further-arguments",
         {WORDS("6"), "call", "echo", "-", "Add", "a=1", "b"},
         0,
         "b=\n",
         NULL},
        {"properties", {WORDS("4"), "get", "echo", "-", "L"}, 0, "LastNote\nLevel\n", NULL},
        {"options-before", {WORDS("4"), "-t", "5", "ping", ""}, 0, "echo\n", NULL},
        {"too-many", {WORDS("3"), "ping", "echo", ""}, 0, NULL, NULL},
        {"unknown-verb", {WORDS("2"), "pong", ""}, 0, NULL, NULL},
        {"no-broker", {WORDS("4"), "-b", "unix:///nonexistent/b", "ping", ""}, 0, NULL, NULL},
        {"no-words", {"complete"}, 0, NULL, NULL},
        {"bad-index", {WORDS("9"), "call"}, 0, NULL, NULL},
};

static void test_completes(CliFixture *fixture, gconstpointer unused)
{
        cli_assert_rows(fixture, rows, G_N_ELEMENTS(rows));
}

/* What the completion function of bash leaves in COMPREPLY. */
static char *complete_in_bash(CliFixture *fixture, const char *words, const char *index)
{
        g_autofree char *file = process_source_path("packaging/completion/mqttrpc.bash");
        g_autofree char *script =
                g_strdup_printf("set -u; . %s; COMP_WORDS=(%s %s); COMP_CWORD=%s; "
                                "_mqttrpc; printf '%%s\\n' \"${COMPREPLY[@]}\"",
                                file, fixture->program, words, index);
        g_autofree char *broker = cli_fill_in(fixture, "MQTTRPC_BROKER=@unix");
        g_autofree char *password = cli_fill_in(fixture, "MQTTRPC_PASSWORD_FILE=@alice");
        const char *environment[] = {"MQTTRPC_CONFIG=", broker, "MQTTRPC_USER=alice", password,
                                     NULL};
        const ProcessOptions options = {.environment = environment};
        const char *argv[] = {"bash", "--norc", "-c", script, NULL};
        g_autofree char *errors = NULL;
        char *output;

        g_assert_cmpint(process_run(fixture->dir, argv, &options, WAIT_MSEC, &output, &errors), ==,
                        0);
        g_assert_cmpstr(errors, ==, "");
        return output;
}

static void test_bash(CliFixture *fixture, gconstpointer unused)
{
        static const struct {
                const char *words;
                const char *index;
                const char *expected;
        } lines[] = {
                {"mon", "1", "monitor\n"},
                {"call ''", "2", "echo\n"},
                {"call echo - E", "4", "Echo\n"},
                {"call echo - Add ''", "5", "a=\nb=\n"},
                {"call echo - Add a = ''", "6", "\n"},
                {"get echo - M", "4", "Model\n"},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(lines); i++) {
                g_autofree char *output = complete_in_bash(fixture, lines[i].words, lines[i].index);

                g_assert_cmpstr(output, ==, lines[i].expected);
        }
}

static void test_zsh_takes_the_file(CliFixture *fixture, gconstpointer unused)
{
        g_autofree char *file = process_source_path("packaging/completion/_mqttrpc");
        g_autofree char *zsh = g_find_program_in_path("zsh");
        const char *argv[] = {"zsh", "-n", file, NULL};

        if (!zsh) {
                g_test_skip("no zsh");
                return;
        }
        g_assert_cmpint(process_run(fixture->dir, argv, NULL, WAIT_MSEC, NULL, NULL), ==, 0);
}

#define ADD(path, function) \
        g_test_add("/cli-complete/" path, CliFixture, NULL, cli_set_up, function, cli_tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD("answers", test_completes);
        ADD("bash", test_bash);
        ADD("zsh", test_zsh_takes_the_file);
        return g_test_run();
}
