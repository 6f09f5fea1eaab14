/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/signal-counters.h"

#include "common/limits.h"

#include <glib.h>

static void test_what_is_kept_is_taken_once(void)
{
        SignalCounters counters = {};

        g_assert_cmpuint(signal_counters_take(&counters, "room", "Heated"), ==, 0);
        signal_counters_keep(&counters, "room", "Heated", 7);
        signal_counters_keep(&counters, "room", "Ticked", 8);
        signal_counters_keep(&counters, "-", "Heated", 9);
        signal_counters_keep(&counters, "-", "Heated", 10);
        g_assert_cmpuint(signal_counters_take(&counters, "room", "Heated"), ==, 7);
        g_assert_cmpuint(signal_counters_take(&counters, "room", "Heated"), ==, 0);
        g_assert_cmpuint(signal_counters_take(&counters, "room", "Ticked"), ==, 8);
        g_assert_cmpuint(signal_counters_take(&counters, "-", "Heated"), ==, 10);
        g_assert_cmpuint(signal_counters_take(&counters, "-", "Heated"), ==, 0);
        signal_counters_done(&counters);
}

static void test_oldest_are_forgotten(void)
{
        SignalCounters counters = {};

        for (unsigned i = 0; i <= LIMIT_KEPT_COUNTERS; i++) {
                g_autofree char *object = g_strdup_printf("o%u", i);

                signal_counters_keep(&counters, object, "Heated", i + 1);
        }
        g_assert_cmpuint(signal_counters_take(&counters, "o0", "Heated"), ==, 0);
        g_assert_cmpuint(signal_counters_take(&counters, "o1", "Heated"), ==, 2);
        signal_counters_done(&counters);
        g_assert_cmpuint(signal_counters_take(&counters, "o2", "Heated"), ==, 0);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/signal-counters/what-is-kept-is-taken-once",
                        test_what_is_kept_is_taken_once);
        g_test_add_func("/signal-counters/oldest-are-forgotten", test_oldest_are_forgotten);
        return g_test_run();
}
