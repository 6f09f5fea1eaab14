/* SPDX-License-Identifier: MIT */

/* The command line of dbus-mqtt-gateway: what it says, how it exits, and that the man page knows
 * all of it. */

#include "tests/support/gateway-stage.h"
#include "tests/support/rpc-reply.h"
#include "tests/support/wait.h"

#include <string.h>

/* Runs the gateway with arguments, in which "@" stands for the directory of the test. Returns its
 * exit status; the outputs are the caller's, "@" again standing for the directory. */
static int run(TempDir *dir, const char *const *arguments, char **ret_stdout, char **ret_stderr)
{
        g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
        char **outputs[] = {ret_stdout, ret_stderr};
        int status;

        g_ptr_array_add(argv, process_program_path("dbus-mqtt-gateway"));
        for (; *arguments; arguments++) {
                g_autoptr(GString) text = g_string_new(*arguments);

                g_string_replace(text, "@", temp_dir_get_path(dir), 0);
                g_ptr_array_add(argv, g_strdup(text->str));
        }
        g_ptr_array_add(argv, NULL);
        status = process_run(dir, (const char *const *)argv->pdata, NULL, WAIT_MSEC, ret_stdout,
                             ret_stderr);
        for (size_t i = 0; i < G_N_ELEMENTS(outputs); i++) {
                g_autofree char *raw = *outputs[i];
                GString *text = g_string_new(raw);

                g_string_replace(text, temp_dir_get_path(dir), "@", 0);
                *outputs[i] = g_string_free(text, FALSE);
        }
        return status;
}

/* ---- help, version, mistakes ---- */

static void test_help_and_version(void)
{
        static const char *const rows[][3] = {
                {"--help", NULL},
                {"-h", NULL},
                {"--version", NULL},
                {"check", "--help", NULL},
                {"generate", "--help", NULL},
                {"diff", "-h", NULL},
                {"emit", "--help", NULL},
                {"status", "--help", NULL},
                {"verify", "--help", NULL},
        };
        CLEANUP_TEMP_DIR TempDir *dir = temp_dir_new();

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *out = NULL;
                g_autofree char *err = NULL;

                g_assert_cmpint(run(dir, rows[i], &out, &err), ==, 0);
                g_assert_true(g_str_has_prefix(out, "dbus-mqtt-gateway "));
                g_assert_cmpstr(err, ==, "");
        }
}

static void test_mistake_is_named(void)
{
        static const struct {
                const char *arguments[7]; /* NULL-terminated */
                int status;
                const char *text; /* in standard error */
        } rows[] = {
                {{"--nope"}, 2, "unrecognized option '--nope'"},
                {{"--broker"}, 2, "option '--broker' requires an argument"},
                {{"frobnicate"}, 2, "unexpected argument 'frobnicate'"},
                {{"run", "now"}, 2, "unexpected argument 'now'"},
                {{"check"}, 2, "name the mapping files"},
                {{"check", "--loud"}, 2, "unrecognized option '--loud'"},
                {{"generate"}, 2, "generate: name the D-Bus service"},
                {{"generate", "x"}, 2, "'x' is not a well-known D-Bus name"},
                {{"generate", "org.x", "y"}, 2, "'y' is not a D-Bus object path"},
                {{"generate", "--bus", "x", "org.x"}, 2, "'x' is no bus"},
                {{"generate", "--service", "a/b", "org.x"}, 2, "'a/b' is not a name"},
                {{"generate", "--xml", "@/none.xml", "org.x"}, 1, "cannot open @/none.xml"},
                {{"generate", "--bus", "unix:path=@/none", "org.x"}, 1, "cannot connect to the"},
                {{"diff"}, 2, "diff: name the mapping file"},
                {{"diff", "a", "b"}, 2, "diff: name the mapping file"},
                {{"diff", "@/cut.json"}, 2, "error: @/cut.json:1:"},
                {{"emit"}, 2, "emit: name a kind of document"},
                {{"emit", "poem", "@"}, 2, "'poem' is nothing that can be emitted"},
                {{"emit", "markdown"}, 2, "emit: name the mapping files"},
                {{"emit", "markdown", "@/cut.json"}, 1, "error: the mappings cannot be used"},
                {{"emit", "markdown", "--grant", "x", "@"}, 2, "--grant: expected CLASS=USER"},
                {{"emit", "markdown", "--grant", "x=a/b", "@"}, 2, "'a/b' is not a name"},
                {{"status", "--nope"}, 2, "unrecognized option '--nope'"},
                {{"status", "a", "b"}, 2, "status: name one service at most"},
                {{"status", "a/b"}, 2, "status: 'a/b'"},
                {{"status", "--broker", "x"}, 2, "status: --broker: broker: 'x' is no broker"},
                {{"--broker", "http://x"}, 2, "--broker: broker: 'http://x' is no broker"},
                {{"--root", "a b"}, 2, "--root: root: 'a b' is not a topic prefix"},
                {{"--name", "a/b"}, 2, "--name: name: 'a/b'"},
                {{"--bus", "nowhere"}, 2, "--bus: bus: 'nowhere'"},
                {{"--log-level", "loud"}, 2, "expected one of: error, warning"},
                {{"--cert", "@/x"}, 1, "cert_file and key_file"},
                {{"--password-file", "@/x"}, 1, "password_file is of no use without user"},
                {{"--user", "x", "--password-file", "@/x", "--mappings", "@"},
                 1,
                 "error: cannot open @/x: No such file or directory\n"},
                {{"--config", "@/none.json"},
                 1,
                 "error: cannot open @/none.json: No such file or directory\n"},
                {{"--config", "@/bad.json"},
                 1,
                 "error: @/bad.json:1:3 /brokr: unknown key 'brokr', did you mean 'broker'?\n"
                 "error: @/bad.json:2:18 /keepalive_s: expected a number from 5 to 65535\n"},
                {{"--config", "@/cut.json"}, 1, "error: @/cut.json:1:"},
        };
        CLEANUP_TEMP_DIR TempDir *dir = temp_dir_new();

        g_free(temp_dir_write(dir, "bad.json",
                              "{ \"brokr\": \"mqtt://x\",\n  \"keepalive_s\": 1 }"));
        g_free(temp_dir_write(dir, "cut.json", "{ \"broker\""));
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *out = NULL;
                g_autofree char *err = NULL;
                int status = run(dir, rows[i].arguments, &out, &err);

                if (status != rows[i].status || !strstr(err, rows[i].text) || *out)
                        g_error("%s: status %d, '%s' and on standard output '%s'",
                                rows[i].arguments[0], status, err, out);
        }
}

/* ---- check ---- */

static void test_check_reports_all_that_is_wrong(void)
{
        static const char *const arguments[] = {"check",        "@/bad.json",  "@/good.json",
                                                "@/again.json", "@/none.json", NULL};
        static const char good[] =
                "{ \"service\": \"x\", \"dbus\": { \"name\": \"org.example.X\" },"
                " \"objects\": [{ \"path\": \"/\", \"interfaces\":"
                " { \"org.example.X\": \"*\" } }] }";
        CLEANUP_TEMP_DIR TempDir *dir = temp_dir_new();
        g_autofree char *out = NULL;
        g_autofree char *err = NULL;

        g_free(temp_dir_write(dir, "good.json", good));
        g_free(temp_dir_write(dir, "again.json", good));
        g_free(temp_dir_write(dir, "bad.json",
                              "{ \"service\": \"x\",\n"
                              "  \"dbus\": { \"name\": \"bad\" },\n"
                              "  \"objects\": [] }"));
        g_assert_cmpint(run(dir, arguments, &out, &err), ==, 1);
        g_assert_cmpstr(err, ==,
                        "error: @/bad.json:2:21 /dbus/name: 'bad' is not a well-known D-Bus name\n"
                        "error: @/bad.json:3:14 /objects: expected one object at least\n"
                        "error: @/again.json: the service 'x' is mapped by @/good.json already\n"
                        "error: cannot open @/none.json: No such file or directory\n"
                        "note: @/good.json:1:99 /objects/0/interfaces/org.example.X: \"*\": its "
                        "members are not known before the service has been introspected\n");
        g_assert_cmpstr(out, ==, "4 files: 4 errors, 0 warnings\n");
}

static void test_check_accepts_what_is_shipped(void)
{
        CLEANUP_TEMP_DIR TempDir *dir = temp_dir_new();
        g_autofree char *file = process_source_path("mappings/hostname1.json");
        const char *arguments[] = {"check", file, NULL};
        g_autofree char *out = NULL;
        g_autofree char *err = NULL;

        g_assert_cmpint(run(dir, arguments, &out, &err), ==, 0);
        g_assert_cmpstr(err, ==, "");
        g_assert_cmpstr(out, ==, "1 files: 0 errors, 0 warnings\n");
}

/* ---- mappings that are bad ---- */

#define OBJECTS                                                                              \
        "[{ \"path\": \"/\", \"object\": \"-\", \"interfaces\": { \"org.example.Test1\": { " \
        "\"methods\": {"                                                                     \
        " \"EchoTyped\": { \"in\": [\"n:i\"], \"out\": [\"n:i\"] } } } } }]"

static void test_bad_mapping_does_not_take_others_down(void)
{
        static const char *const expected[] = {
                "bad.json:1:3 /servic: unknown key 'servic', did you mean 'service'?",
                "'gateway' is the gateway's own service name",
                "other.{x}.json: either \"dbus\" or \"mqtt\" has to provide a family of names",
                "1 mapping files have errors and are left out",
        };
        CLEANUP_GATEWAY_STAGE GatewayStage *stage = gateway_stage_new();
        CLEANUP_PROCESS Process *service = NULL;
        g_autofree char *reply = NULL;
        g_autofree char *log = NULL;

        g_free(gateway_stage_write(stage, "bad.json", "{ \"servic\": 5 }"));
        gateway_stage_add_mapping(stage, "gateway", "org.example.Gateway", "", OBJECTS);
        gateway_stage_add_mapping(stage, "other.{x}", "org.example.Other.*",
                                  "\"provider\": \"auto\",", OBJECTS);
        gateway_stage_add_mapping(stage, "test", "org.example.Test", "", OBJECTS);
        gateway_stage_start(stage);
        service = gateway_stage_start_service(stage, "org.example.Test", NULL);
        reply = gateway_stage_call(stage, "test", "EchoTyped", "[5]");
        rpc_reply_assert_result(reply, "5");
        log = process_dup_output(gateway_process_get_process(stage->gateway), PROCESS_STDERR);
        for (size_t i = 0; i < G_N_ELEMENTS(expected); i++)
                if (!strstr(log, expected[i]))
                        g_error("no \"%s\" in the log:\n%s", expected[i], log);
}

static void test_folder_that_is_not_there_is_told(void)
{
        CLEANUP_GATEWAY_STAGE GatewayStage *stage = gateway_stage_new();
        g_autofree char *log = NULL;

        g_free(stage->mappings);
        stage->mappings = g_strdup("/nonexistent");
        gateway_stage_start(stage);
        log = process_dup_output(gateway_process_get_process(stage->gateway), PROCESS_STDERR);
        g_assert_nonnull(strstr(log, "cannot open the folder /nonexistent: No such file"));
        g_assert_nonnull(strstr(log, "no mapping is loaded"));
}

/* ---- the man page ---- */

/* The lines of a section of the man page, without roff's escapes. */
static char *dup_section(const char *title)
{
        g_autofree char *path = process_source_path("docs/man/dbus-mqtt-gateway.8");
        g_autofree char *mark = g_strdup_printf("\n.SH %s\n", title);
        g_autofree char *page = NULL;
        GString *text;
        char *start, *end;

        g_assert_true(g_file_get_contents(path, &page, NULL, NULL));
        start = strstr(page, mark);
        g_assert_nonnull(start);
        start += strlen(mark);
        end = strstr(start, "\n.SH ");
        text = g_string_new_len(start, end - start);
        g_string_replace(text, "\\-", "-", 0);
        return g_string_free(text, FALSE);
}

static int compare(gconstpointer a, gconstpointer b, gpointer unused)
{
        return strcmp(a, b);
}

/* All that the first group of the pattern finds, sorted, one in a line. */
static char *dup_matches(const char *text, const char *pattern)
{
        g_autoptr(GRegex) regex = g_regex_new(pattern, G_REGEX_MULTILINE, 0, NULL);
        g_autoptr(GTree) found = g_tree_new_full(compare, NULL, g_free, NULL);
        g_autoptr(GMatchInfo) match = NULL;
        GString *list = g_string_new(NULL);

        for (g_regex_match(regex, text, 0, &match); g_match_info_matches(match);
             g_match_info_next(match, NULL)) {
                char *word = g_match_info_fetch(match, 1);

                g_tree_insert(found, word, word);
        }
        for (GTreeNode *node = g_tree_node_first(found); node; node = g_tree_node_next(node))
                g_string_append_printf(list, "%s\n", (char *)g_tree_node_key(node));
        g_assert_cmpuint(list->len, >, 0);
        return g_string_free(list, FALSE);
}

static void test_man_page_has_all_options(void)
{
        static const struct {
                const char *section;
                const char *arguments[3];
        } rows[] = {
                {"OPTIONS", {"--help"}},
                {"OPTIONS OF CHECK", {"check", "--help"}},
                {"OPTIONS OF GENERATE", {"generate", "--help"}},
                {"OPTIONS OF DIFF", {"diff", "--help"}},
                {"OPTIONS OF EMIT", {"emit", "--help"}},
                {"OPTIONS OF STATUS", {"status", "--help"}},
                {"OPTIONS OF VERIFY", {"verify", "--help"}},
        };
        CLEANUP_TEMP_DIR TempDir *dir = temp_dir_new();

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *section = dup_section(rows[i].section);
                g_autofree char *documented = NULL;
                g_autofree char *offered = NULL;
                g_autofree char *help = NULL;
                g_autofree char *err = NULL;

                run(dir, rows[i].arguments, &help, &err);
                offered = dup_matches(help, "^ .*?(--[a-z-]+)");
                documented = dup_matches(section, "^\\.B[IR]? .*?(--[a-z-]+)");
                g_assert_cmpstr(documented, ==, offered);
        }
}

static void test_man_page_has_all_keys(void)
{
        g_autofree char *path = process_source_path("gateway/config.c");
        g_autofree char *section = dup_section("CONFIGURATION FILE");
        g_autofree char *source = NULL;
        g_autofree char *documented = NULL;
        g_autofree char *known = NULL;

        g_assert_true(g_file_get_contents(path, &source, NULL, NULL));
        known = dup_matches(source, "\\{\"([a-z_]+)\", JSON_FIELD_");
        documented = dup_matches(section, "^\\.BI ([a-z_]+) ");
        g_assert_cmpstr(documented, ==, known);
}

static const struct {
        const char *path;
        GTestFunc function;
} tests[] = {
        {"/gateway-cli/help-and-version-are-shown", test_help_and_version},
        {"/gateway-cli/mistake-is-named", test_mistake_is_named},
        {"/gateway-cli/check/reports-all-that-is-wrong", test_check_reports_all_that_is_wrong},
        {"/gateway-cli/check/accepts-what-is-shipped", test_check_accepts_what_is_shipped},
        {"/gateway-cli/mappings/bad-one-does-not-take-others-down",
         test_bad_mapping_does_not_take_others_down},
        {"/gateway-cli/mappings/folder-that-is-not-there-is-told",
         test_folder_that_is_not_there_is_told},
        {"/gateway-cli/man-page/has-all-options", test_man_page_has_all_options},
        {"/gateway-cli/man-page/has-all-keys", test_man_page_has_all_keys},
};

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
                g_test_add_func(tests[i].path, tests[i].function);
        return g_test_run();
}
