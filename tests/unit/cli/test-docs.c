/* SPDX-License-Identifier: MIT */

/* --help, the man page and the packaged broker configuration say the same as the tables. */

#include "cli/exit-status.h"
#include "cli/help.h"
#include "tests/support/process.h"
#include "tests/support/wait.h"

#include <glib.h>
#include <string.h>

/* The man page with its dashes as on the screen. */
static char *load_page(void)
{
        g_autofree char *path = process_source_path("docs/man/mqttrpc.1");
        g_autofree char *text = NULL;
        g_autoptr(GString) page = NULL;

        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        page = g_string_new(text);
        g_string_replace(page, "\\-", "-", 0);
        return g_string_free(g_steal_pointer(&page), FALSE);
}

/* The help of the program and of all verbs, one after the other. */
static char *build_help(void)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);

        g_assert_cmpint(help_write(&buffer, NULL), ==, 0);
        for (size_t i = 0; i < n_verbs; i++)
                g_assert_cmpint(help_write(&buffer, &verbs[i]), ==, 0);
        return g_strdup(buffer_text(&buffer));
}

/* All different words of a text that match. */
static GHashTable *find_words(const char *text, const char *pattern)
{
        GHashTable *words = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        g_autoptr(GRegex) regex = g_regex_new(pattern, 0, 0, NULL);
        g_autoptr(GMatchInfo) match = NULL;

        for (g_regex_match(regex, text, 0, &match); g_match_info_matches(match);
             g_match_info_next(match, NULL))
                g_hash_table_add(words, g_match_info_fetch(match, 0));
        return words;
}

static void assert_all_in(GHashTable *words, GHashTable *others, const char *where)
{
        GHashTableIter iter;
        gpointer word;

        g_hash_table_iter_init(&iter, words);
        while (g_hash_table_iter_next(&iter, &word, NULL))
                if (!g_hash_table_contains(others, word))
                        g_error("%s is not in the %s", (char *)word, where);
}

/* Options with different names. */
static unsigned count_options(void)
{
        g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

        for (size_t v = 0; v <= n_verbs; v++) {
                const OptionList *list = v < n_verbs ? &verbs[v].options : &settings_options;

                for (size_t i = 0; i < list->count; i++)
                        g_hash_table_add(names, (char *)list->options[i].name);
        }
        return g_hash_table_size(names);
}

static void test_options(void)
{
        static const char pattern[] = "(?<![a-z-])--[a-z][a-z-]*";
        g_autofree char *page = load_page();
        g_autofree char *help = build_help();
        g_autoptr(GHashTable) of_page = find_words(page, pattern);
        g_autoptr(GHashTable) of_help = find_words(help, pattern);

        g_assert_cmpuint(g_hash_table_size(of_help), ==, count_options());
        assert_all_in(of_help, of_page, "man page");
        assert_all_in(of_page, of_help, "help");
}

static void test_short_options(void)
{
        g_autofree char *page = load_page();

        for (size_t v = 0; v <= n_verbs; v++) {
                const OptionList *list = v < n_verbs ? &verbs[v].options : &settings_options;

                for (size_t i = 0; i < list->count; i++) {
                        g_autofree char *line = NULL;

                        if (list->options[i].letter == 0)
                                continue;
                        line = g_strdup_printf("-%c \", \" --%s", list->options[i].letter,
                                               list->options[i].name);
                        if (!strstr(page, line))
                                g_error("the man page has no '%s'", line);
                }
        }
}

static void test_variables(void)
{
        g_autofree char *page = load_page();
        g_autoptr(GHashTable) of_page = find_words(page, "MQTTRPC_[A-Z_]+");
        g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

        for (size_t i = 0; i < settings_options.count; i++)
                if (settings_options.options[i].variable)
                        g_hash_table_add(known, g_strdup(settings_options.options[i].variable));
        g_hash_table_add(known, g_strdup("MQTTRPC_CONFIG")); /* which file to read is no option */
        assert_all_in(known, of_page, "man page");
        assert_all_in(of_page, known, "table of options");
}

/* Each key of the files, and where they are. */
static void test_files(void)
{
        g_autofree char *page = load_page();
        const char *section = strstr(page, ".SH FILES");

        g_assert_nonnull(section);
        g_assert_nonnull(strstr(section, SETTINGS_SYSTEM_FILE));
        for (size_t i = 0; i < settings_options.count; i++) {
                g_autofree char *key =
                        g_strdelimit(g_strdup(settings_options.options[i].name), "-", '_');
                g_autofree char *word = g_strdup_printf("\\b%s\\b", key);

                if (settings_options.options[i].variable &&
                    !g_regex_match_simple(word, section, 0, 0))
                        g_error("the man page has no key '%s' in FILES", key);
        }
}

static void test_readme_has_all_verbs(void)
{
        g_autofree char *path = process_source_path("README.md");
        g_autofree char *text = NULL;

        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        for (size_t i = 0; i < n_verbs; i++) {
                g_autofree char *cell = g_strdup_printf("\n| `%s", verbs[i].name);

                if (!verbs[i].hidden && !strstr(text, cell))
                        g_error("README.md has no line for the verb '%s'", verbs[i].name);
        }
}

static void test_verbs(void)
{
        g_autofree char *page = load_page();

        for (size_t i = 0; i < n_verbs; i++) {
                g_autofree char *item = g_strdup_printf("\n.TP\n.BI %s", verbs[i].name);
                g_autofree char *synopsis =
                        g_strdup_printf(".RI [ OPTION ...]\n.B %s\n", verbs[i].name);

                if (!strstr(page, item) || !strstr(page, synopsis))
                        g_error("the man page does not tell all of the verb '%s'", verbs[i].name);
        }
}

static void test_exit_status(void)
{
        g_autofree char *page = load_page();
        const char *section = strstr(page, ".SH \"EXIT STATUS\"");
        const char *end = section ? strstr(section, ".SH EXAMPLES") : NULL;

        g_assert_nonnull(end);
        for (int status = STATUS_OK; status <= STATUS_INTERNAL; status++) {
                g_autofree char *item = g_strdup_printf(".TP\n.B %d\n", status);
                const char *found = strstr(section, item);

                g_assert_true(found && found < end);
        }
}

static void test_default_broker(void)
{
        g_autofree char *path = process_source_path("packaging/mosquitto/mqttrpc.conf");
        g_autofree char *page = load_page();
        g_autofree char *config = NULL;
        g_autofree char *line = NULL;

        g_assert_true(g_str_has_prefix(DEFAULT_BROKER, "unix://"));
        g_assert_true(g_file_get_contents(path, &config, NULL, NULL));
        line = g_strdup_printf("\nlistener 0 %s\n", DEFAULT_BROKER + strlen("unix://"));
        g_assert_nonnull(strstr(config, line));
        g_assert_nonnull(strstr(page, ".BR " DEFAULT_BROKER " ,\n"));
}

static void test_help_fits_a_terminal(void)
{
        g_autofree char *help = build_help();
        g_auto(GStrv) lines = g_strsplit(help, "\n", -1);

        for (char **line = lines; *line; line++)
                if (strlen(*line) > 80)
                        g_error("more than 80 columns: %s", *line);
}

static void test_page_is_well_formed(void)
{
        CLEANUP_TEMP_DIR TempDir *dir = temp_dir_new();
        g_autofree char *path = process_source_path("docs/man/mqttrpc.1");
        g_autofree char *groff = g_find_program_in_path("groff");
        g_autofree char *complaints = NULL;
        const char *argv[] = {"groff", "-man", "-ww", "-z", "-Tutf8", path, NULL};

        if (!groff) {
                g_test_skip("no groff");
                return;
        }
        g_assert_cmpint(process_run(dir, argv, NULL, WAIT_MSEC, NULL, &complaints), ==, 0);
        g_assert_cmpstr(complaints, ==, "");
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/cli-docs/options", test_options);
        g_test_add_func("/cli-docs/short-options", test_short_options);
        g_test_add_func("/cli-docs/variables", test_variables);
        g_test_add_func("/cli-docs/verbs", test_verbs);
        g_test_add_func("/cli-docs/files", test_files);
        g_test_add_func("/cli-docs/readme-has-all-verbs", test_readme_has_all_verbs);
        g_test_add_func("/cli-docs/exit-status", test_exit_status);
        g_test_add_func("/cli-docs/default-broker", test_default_broker);
        g_test_add_func("/cli-docs/help-fits-a-terminal", test_help_fits_a_terminal);
        g_test_add_func("/cli-docs/page-is-well-formed", test_page_is_well_formed);
        return g_test_run();
}
