/* SPDX-License-Identifier: MIT */

#include "cli/suggest.h"

#include <glib.h>

static void test_finds_the_nearest(void)
{
        static const char *const candidates[] = {"call", "notify", "ping", "timeout", "set"};
        static const struct {
                const char *word;
                const char *best;
        } rows[] = {
                {"cal", "call"},
                {"clal", "call"},
                {"pong", "ping"},
                {"pnig", "ping"},
                {"notifi", "notify"},
                {"notfiy", "notify"},
                {"tiemout", "timeout"},
                {"time-out", "timeout"},
                {"Call", "call"},
                {"frobnicate", NULL},
                {"x", NULL},
                {"", NULL},
                {"se", "set"},
                {"pi", NULL},
                {"a-word-that-is-longer-than-any-of-them", NULL},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                Suggestion suggestion = SUGGESTION_INIT(rows[i].word);

                for (unsigned j = 0; j < G_N_ELEMENTS(candidates); j++)
                        suggestion_offer(&suggestion, candidates[j]);
                g_assert_cmpstr(suggestion.best, ==, rows[i].best);
        }
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/cli-suggest/finds-the-nearest", test_finds_the_nearest);
        return g_test_run();
}
