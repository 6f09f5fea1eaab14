/* SPDX-License-Identifier: MIT */

#include "cli/template.h"

#include <glib.h>

static void test_fills_in(void)
{
        static const TemplateValue values[] = {
                {"a", "1"}, {"name", "two"}, {"bad", "\033[2J\n\302\233x\t\177"}, {"no", NULL}, {}};
        static const struct {
                const char *text;
                const char *expected;
        } rows[] = {
                {"", ""},
                {"plain", "plain"},
                {"{a}", "1"},
                {"x {a}{name} y", "x 1two y"},
                {"{unknown} {a", "{unknown} {a"},
                {"{} {{a}}", "{} {1}"},
                {"<{no}>", "<>"},
                {"{bad}", "?[2J ?x ?"},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);

                g_assert_cmpint(template_write(&buffer, rows[i].text, values), ==, 0);
                g_assert_cmpstr(buffer_text(&buffer), ==, rows[i].expected);
        }
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/cli-template/fills-in", test_fills_in);
        return g_test_run();
}
