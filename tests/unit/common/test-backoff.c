/* SPDX-License-Identifier: MIT */

#include "common/backoff.h"

#include <glib.h>

#define MSEC UINT64_C(1000)
#define SEC  UINT64_C(1000000)

static void test_ceiling_doubles_up_to_the_maximum(void)
{
        static const uint64_t expected[] = {250 * MSEC, 500 * MSEC, SEC,      2 * SEC,
                                            4 * SEC,    8 * SEC,    10 * SEC, 10 * SEC};
        Backoff backoff = {};

        for (unsigned i = 0; i < G_N_ELEMENTS(expected); i++)
                g_assert_cmpuint(backoff_next(&backoff, UINT32_MAX, 10 * SEC), ==, expected[i]);
        for (unsigned i = 0; i < 10000; i++)
                g_assert_cmpuint(backoff_next(&backoff, UINT32_MAX, 10 * SEC), ==, 10 * SEC);
        backoff_reset(&backoff);
        g_assert_cmpuint(backoff_next(&backoff, UINT32_MAX, 10 * SEC), ==, 250 * MSEC);
}

static void test_jitter_is_full(void)
{
        Backoff backoff = {};

        g_assert_cmpuint(backoff_next(&backoff, 0, 10 * SEC), ==, 20 * MSEC);
        g_assert_cmpuint(backoff_next(&backoff, UINT32_MAX / 2, 10 * SEC), <=, 250 * MSEC);
        g_assert_cmpuint(backoff_next(&backoff, UINT32_MAX / 2, 10 * SEC), >, 400 * MSEC);
}

static void test_small_maximum_is_kept(void)
{
        Backoff backoff = {};

        g_assert_cmpuint(backoff_next(&backoff, UINT32_MAX, 5 * MSEC), ==, 5 * MSEC);
        g_assert_cmpuint(backoff_next(&backoff, 0, 1), ==, 1);
}

static void test_huge_maximum_does_not_overflow(void)
{
        Backoff backoff = {.failures = UINT32_MAX - 1};

        g_assert_cmpuint(backoff_next(&backoff, UINT32_MAX, UINT64_C(86400) * SEC), ==,
                         UINT64_C(86400) * SEC);
        g_assert_cmpuint(backoff_next(&backoff, 1, UINT64_MAX / 4), >=, 20 * MSEC);
}

static void test_long_pause_is_the_upper_half(void)
{
        g_assert_cmpuint(backoff_long(0, 30 * SEC), ==, 15 * SEC);
        g_assert_cmpuint(backoff_long(UINT32_MAX, 30 * SEC), ==, 30 * SEC);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/backoff/ceiling-doubles-up-to-the-maximum",
                        test_ceiling_doubles_up_to_the_maximum);
        g_test_add_func("/backoff/jitter-is-full", test_jitter_is_full);
        g_test_add_func("/backoff/small-maximum-is-kept", test_small_maximum_is_kept);
        g_test_add_func("/backoff/huge-maximum-does-not-overflow",
                        test_huge_maximum_does_not_overflow);
        g_test_add_func("/backoff/long-pause-is-the-upper-half", test_long_pause_is_the_upper_half);
        return g_test_run();
}
