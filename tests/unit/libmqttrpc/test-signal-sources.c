/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/signal-sources.h"

#include <glib.h>

#include "common/limits.h"

static void test_counts(void)
{
        static const struct {
                const char *topic;
                const char *seq;
                bool is_new;
                uint64_t lost;
        } rows[] = {
                {"a", "0123abcd-1", true, 0},
                {"a", "0123abcd-2", true, 0},
                {"a", "0123abcd-2", false, 0}, /* twice */
                {"a", "0123abcd-1", false, 0}, /* out of date */
                {"a", "0123abcd-6", true, 3},
                {"b", "0123abcd-6", true, 0}, /* another signal */
                {"a", "ffffffff-1", true, 0}, /* another incarnation */
                {"a", "ffffffff-3", true, 1},
                {"a", NULL, true, 0}, /* who does not count */
                {"a", "", true, 0},
                {"a", "0123abcd", true, 0},
                {"a", "0123abcd-", true, 0},
                {"a", "0123abcd-x", true, 0},
                {"a", "0123abcde1", true, 0},
                {"a", "0123abcd-99999999999999999999999", true, 0},
                {"a", "ffffffff-4", true, 0}, /* unmoved by all that */
        };
        SignalSources sources = {};

        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                uint64_t lost = 77;

                g_test_message("%u: %s %s", i, rows[i].topic, rows[i].seq);
                g_assert_cmpint(signal_sources_note(&sources, rows[i].topic, rows[i].seq, &lost),
                                ==, rows[i].is_new);
                g_assert_cmpuint(lost, ==, rows[i].lost);
        }
        signal_sources_done(&sources);
}

static void test_forgets_the_oldest(void)
{
        SignalSources sources = {};
        uint64_t lost;

        for (unsigned i = 0; i <= LIMIT_SIGNAL_SOURCES; i++) {
                g_autofree char *topic = g_strdup_printf("t%u", i);

                g_assert_true(signal_sources_note(&sources, topic, "0123abcd-5", &lost));
        }
        g_assert_false(signal_sources_note(&sources, "t1", "0123abcd-5", &lost));
        g_assert_true(signal_sources_note(&sources, "t0", "0123abcd-5", &lost)); /* forgotten */
        signal_sources_done(&sources);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/signal-sources/counts", test_counts);
        g_test_add_func("/signal-sources/forgets-the-oldest", test_forgets_the_oldest);
        return g_test_run();
}
