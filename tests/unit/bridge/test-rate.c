/* SPDX-License-Identifier: MIT */

#include "bridge/rate.h"

#include <glib.h>

#define SECOND G_USEC_PER_SEC

static void test_as_many_as_allowed(void)
{
        Bucket bucket = {};
        uint64_t wait = 0;

        for (int i = 0; i < 60; i++)
                g_assert_true(bucket_take(&bucket, 1, 60, 60 * SECOND, SECOND, &wait));
        g_assert_false(bucket_take(&bucket, 1, 60, 60 * SECOND, SECOND, &wait));
        g_assert_cmpuint(wait, >, SECOND / 2);
        g_assert_cmpuint(wait, <=, SECOND + 1);
        g_assert_true(bucket_take(&bucket, 1, 60, 60 * SECOND, SECOND + wait, &wait));
        g_assert_false(bucket_take(&bucket, 1, 60, 60 * SECOND, SECOND + wait, &wait));
}

/* What is larger than all that may be saved up must go some time. */
static void test_large_amounts_pass_when_full(void)
{
        Bucket bucket = {};
        uint64_t wait = 0;

        g_assert_true(bucket_take(&bucket, 5000, 1000, SECOND, 1, &wait));
        g_assert_false(bucket_take(&bucket, 1, 1000, SECOND, SECOND, &wait));
        g_assert_cmpuint(wait, >, 2 * SECOND);
}

static void test_messages_and_bytes(void)
{
        RateLimits limits = {.messages_per_s = 2, .kib_per_s = 1};
        Rate rate = {};

        g_assert_cmpuint(rate_take(&rate, &limits, 1000, 1), ==, 0);
        g_assert_cmpuint(rate_take(&rate, &limits, 1000, 1), >, 0);
        g_assert_cmpuint(rate_take(&rate, &limits, 10, 1), ==, 0);
        g_assert_cmpuint(rate_take(&rate, &limits, 1, 1), >, 0);
        g_assert_cmpuint(rate_take(&rate, &(RateLimits){}, 1000000, 1), ==, 0);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/rate/as-many-as-allowed", test_as_many_as_allowed);
        g_test_add_func("/rate/large-amounts-pass-when-full", test_large_amounts_pass_when_full);
        g_test_add_func("/rate/messages-and-bytes", test_messages_and_bytes);
        return g_test_run();
}
