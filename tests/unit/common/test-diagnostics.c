/* SPDX-License-Identifier: MIT */

#include "common/diagnostics.h"

#include <glib.h>

#include "common/limits.h"

static void test_keeps_order_and_counts_levels(void)
{
        CLEANUP_DIAGNOSTICS Diagnostics list = {};

        diagnostics_add(&list, DIAGNOSTIC_WARNING, "odd %d", 1);
        diagnostics_add(&list, DIAGNOSTIC_ERROR, "bad %s", "thing");
        g_assert_cmpuint(list.count, ==, 2);
        g_assert_cmpuint(list.n_errors, ==, 1);
        g_assert_cmpuint(list.n_warnings, ==, 1);
        g_assert_cmpint(list.items[0].level, ==, DIAGNOSTIC_WARNING);
        g_assert_cmpstr(list.items[0].text, ==, "odd 1");
        g_assert_cmpint(list.items[1].level, ==, DIAGNOSTIC_ERROR);
        g_assert_cmpstr(list.items[1].text, ==, "bad thing");
        g_assert_cmpuint(diagnostics_dropped(&list), ==, 0);
}

static void test_counts_what_it_does_not_keep(void)
{
        CLEANUP_DIAGNOSTICS Diagnostics list = {};

        for (unsigned i = 0; i < LIMIT_DIAGNOSTICS + 7; i++)
                diagnostics_add(&list, DIAGNOSTIC_WARNING, "warning %u", i);
        diagnostics_add(&list, DIAGNOSTIC_ERROR, "an error is kept all the same");
        g_assert_cmpuint(list.count, ==, LIMIT_DIAGNOSTICS + 1);
        g_assert_cmpuint(list.n_warnings, ==, LIMIT_DIAGNOSTICS + 7);
        g_assert_cmpuint(diagnostics_dropped(&list), ==, 7);
}

static void test_accepts_nobody(void)
{
        diagnostics_add(NULL, DIAGNOSTIC_ERROR, "nobody listens");
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/diagnostics/keeps-order-and-counts-levels",
                        test_keeps_order_and_counts_levels);
        g_test_add_func("/diagnostics/counts-what-it-does-not-keep",
                        test_counts_what_it_does_not_keep);
        g_test_add_func("/diagnostics/accepts-nobody", test_accepts_nobody);
        return g_test_run();
}
