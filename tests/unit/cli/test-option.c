/* SPDX-License-Identifier: MIT */

#include "cli/settings.h"

#include <errno.h>
#include <glib.h>

enum { MOST = 8 };

/* Reads all of it, as after a verb; operands go into one text, separated by '|'. */
static int read_line(const char *const *arguments, Settings *settings, GString *operands,
                     Error **error)
{
        CommandLine line = {.argv = arguments};
        const char *operand;
        int r;

        while (arguments[line.argc])
                line.argc++;
        while ((r = option_read(&line, &settings_options, 1, settings, &operand, error)) > 0)
                g_string_append_printf(operands, "%s|", operand);
        return r;
}

static void test_operands(void)
{
        static const struct {
                const char *arguments[MOST];
                const char *operands;
        } rows[] = {
                {{}, ""},
                {{"a", "b"}, "a|b|"},
                {{"a", "-j", "b", "--json"}, "a|b|"},
                {{"-", "-5", "-0.5", "x"}, "-|-5|-0.5|x|"},
                {{"a", "--", "-j", "--", "--user"}, "a|-j|--|--user|"},
                {{"-u", "-", "--user", "--", "x"}, "x|"},
                {{"", "a"}, "|a|"},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autoptr(GString) operands = g_string_new(NULL);
                Settings settings = {};

                g_assert_cmpint(read_line(rows[i].arguments, &settings, operands, NULL), ==, 0);
                g_assert_cmpstr(operands->str, ==, rows[i].operands);
        }
}

static void test_forms(void)
{
        static const char *const lines[][MOST] = {
                {"--user", "bob", "--timeout", "2s", "--json", "--verbose"},
                {"--user=bob", "--timeout=2s", "--verbose", "--json"},
                {"-u", "bob", "-t", "2", "-j", "-v"},
                {"-ubob", "-t2s", "-jv"},
                {"-jvubob", "-t", "2000ms"},
                {"-vjt2", "-u", "alice", "-u", "bob"},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(lines); i++) {
                g_autoptr(GString) operands = g_string_new(NULL);
                Settings settings = {};

                g_assert_cmpint(read_line(lines[i], &settings, operands, NULL), ==, 0);
                g_assert_cmpstr(settings.user, ==, "bob");
                g_assert_cmpuint(settings.timeout_usec, ==, 2 * USEC_PER_SEC);
                g_assert_true(settings.json);
                g_assert_true(settings.verbose);
                g_assert_false(settings.help);
        }
}

static void test_refuses(void)
{
        static const struct {
                const char *arguments[MOST];
                const char *text;
        } rows[] = {
                {{"--timout", "5"}, "unknown option '--timout'; did you mean '--timeout'?"},
                {{"--frobnicate"}, "unknown option '--frobnicate'"},
                {{"--pass=x"}, "unknown option '--pass'"},
                {{"-x"}, "unknown option '-x'"},
                {{"-jx"}, "unknown option '-x'"},
                {{"--user"}, "--user needs a value: --user NAME"},
                {{"-u"}, "--user needs a value: --user NAME"},
                {{"-ju"}, "--user needs a value: --user NAME"},
                {{"--user="}, "--user: the value is empty"},
                {{"--json=yes"}, "--json takes no value"},
                {{"--timeout", "0"}, "--timeout: must be more than 0"},
                {{"-t", "5x"},
                 "--timeout: '5x' is not a duration: write 500ms, 2s, 1.5m or 1h (no unit: "
                 "seconds)"},
                {{"--mqtt", "4"}, "--mqtt: '4' is neither 5 nor 3.1.1"},
                {{"--qos", "2"}, "--qos: '2' is neither 0 nor 1"},
                {{"--password", "x"}, "unknown option '--password'"},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autoptr(GString) operands = g_string_new(NULL);
                CLEANUP_ERROR Error *error = NULL;
                Settings settings = {};

                g_assert_cmpint(read_line(rows[i].arguments, &settings, operands, &error), <, 0);
                g_assert_cmpstr(error_text(error), ==, rows[i].text);
        }
}

static void test_environment(void)
{
        CLEANUP_ERROR Error *error = NULL;
        Settings settings;

        g_setenv("MQTTRPC_BROKER", "mqtt://there", true);
        g_setenv("MQTTRPC_USER", "alice", true);
        g_setenv("MQTTRPC_QOS", "0", true);
        g_setenv("MQTTRPC_ROOT", "", true);
        g_assert_cmpint(settings_init(&settings, &error), ==, 0);
        g_assert_cmpstr(settings.broker, ==, "mqtt://there");
        g_assert_cmpstr(settings.root, ==, "mb1");
        g_assert_cmpuint(settings.qos, ==, 0);
        g_assert_cmpuint(settings.protocol, ==, 5);
        g_assert_null(settings.user);
        g_assert_cmpstr(settings.fallback_user, ==, "alice");
        g_setenv("MQTTRPC_MQTT", "6", true);
        g_assert_cmpint(settings_init(&settings, &error), ==, -EINVAL);
        g_assert_cmpstr(error_text(error), ==,
                        "MQTTRPC_MQTT in the environment: '6' is neither 5 nor 3.1.1");
}

static void test_table_is_unambiguous(void)
{
        for (size_t i = 0; i < settings_options.count; i++)
                for (size_t j = 0; j < i; j++) {
                        const Option *a = &settings_options.options[i];
                        const Option *b = &settings_options.options[j];

                        g_assert_cmpstr(a->name, !=, b->name);
                        g_assert_true(a->letter == 0 || a->letter != b->letter);
                }
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/cli-option/operands", test_operands);
        g_test_add_func("/cli-option/forms", test_forms);
        g_test_add_func("/cli-option/refuses", test_refuses);
        g_test_add_func("/cli-option/environment", test_environment);
        g_test_add_func("/cli-option/table-is-unambiguous", test_table_is_unambiguous);
        return g_test_run();
}
