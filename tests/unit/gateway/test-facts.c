/* SPDX-License-Identifier: MIT */

#include "gateway/facts.h"

#include <glib.h>

typedef struct Case {
        const char *name;
        const char *left[8]; /* place, what, … */
        const char *right[8];
        const char *differences;
} Case;

static const Case cases[] = {
        {"nothing", {NULL}, {NULL}, ""},
        {"order-does-not-matter", {"a", "1", "b", "2"}, {"b", "2", "a", "1"}, ""},
        {"another-value", {"a", "1"}, {"a", "2"}, "a: 1 | 2\n"},
        {"only-left", {"a", "1", "b", "2"}, {"b", "2"}, "a: 1 | -\n"},
        {"only-right", {"a", "1"}, {"b", "2", "a", "1"}, "b: - | 2\n"},
        {"last-of-left", {"a", "1", "z", "2"}, {"a", "1"}, "z: 2 | -\n"},
        {"several-of-one-place", {"a", "1", "a", "2"}, {"a", "2", "a", "1"}, ""},
        {"one-of-several-is-missing", {"a", "1", "a", "2"}, {"a", "2"}, "a: 1 | -\n"},
        {"how-often-counts", {"a", "1", "a", "1"}, {"a", "1"}, "a: 1 | -\n"},
        {"what-remains-is-set-side-by-side",
         {"a", "1", "a", "3"},
         {"a", "3", "a", "4"},
         "a: 1 | 4\n"},
};

static void fill(Facts *facts, const char *const *words)
{
        for (; *words; words += 2)
                g_assert_cmpint(facts_add(facts, words[0], words[1]), ==, 0);
}

static void on_difference(const char *where, const char *left, const char *right, void *userdata)
{
        g_string_append_printf(userdata, "%s: %s | %s\n", where, left ? left : "-",
                               right ? right : "-");
}

static void test_compare(gconstpointer data)
{
        const Case *c = data;
        CLEANUP_FACTS Facts left = {}, right = {};
        g_autoptr(GString) log = g_string_new(NULL);
        size_t n, n_lines = 0;

        fill(&left, c->left);
        fill(&right, c->right);
        n = facts_compare(&left, &right, on_difference, log);
        g_assert_cmpstr(log->str, ==, c->differences);
        for (const char *p = log->str; *p; p++)
                n_lines += *p == '\n';
        g_assert_cmpuint(n, ==, n_lines);
        g_assert_cmpuint(facts_compare(&left, &right, NULL, NULL), ==, n);
}

static void test_holds_many(void)
{
        CLEANUP_FACTS Facts left = {}, right = {};

        for (int i = 0; i < 1000; i++) {
                g_autofree char *where = g_strdup_printf("%d", i);
                g_autofree char *other = g_strdup_printf("%d", 999 - i);

                g_assert_cmpint(facts_add(&left, where, "x"), ==, 0);
                g_assert_cmpint(facts_add(&right, other, "x"), ==, 0);
        }
        g_assert_cmpuint(facts_compare(&left, &right, NULL, NULL), ==, 0);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                g_autofree char *path = g_strdup_printf("/facts/compare/%s", cases[i].name);

                g_test_add_data_func(path, &cases[i], test_compare);
        }
        g_test_add_func("/facts/holds-many", test_holds_many);
        return g_test_run();
}
