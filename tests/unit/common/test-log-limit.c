/* SPDX-License-Identifier: MIT */

#include "common/log-limit.h"

#include <glib.h>

#include "common/limits.h"

static void test_silences_a_flood_and_counts_it(void)
{
        LogLimit limit = {};
        unsigned left_out = 99;

        for (unsigned i = 0; i < LIMIT_LOG_LINES; i++) {
                g_assert_true(log_limit_pass(&limit, 1000 + i, &left_out));
                g_assert_cmpuint(left_out, ==, 0);
        }
        for (unsigned i = 0; i < 7; i++)
                g_assert_false(log_limit_pass(&limit, 2000, &left_out));
        g_assert_true(log_limit_pass(&limit, 1000 + LIMIT_LOG_SPAN_USEC, &left_out));
        g_assert_cmpuint(left_out, ==, 7);
        g_assert_true(log_limit_pass(&limit, 1001 + LIMIT_LOG_SPAN_USEC, &left_out));
        g_assert_cmpuint(left_out, ==, 0);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/log-limit/silences-a-flood-and-counts-it",
                        test_silences_a_flood_and_counts_it);
        return g_test_run();
}
