/* SPDX-License-Identifier: MIT */

#include "cli/suggest.h"

#include <string.h>

#include "common/util.h"

enum { WORD_MAXIMUM = 32 }; /* longer words are nobody's slip of the finger */

/* Insertions, deletions, replacements and swaps of neighbours between a and b, each at most
 * WORD_MAXIMUM long. */
static unsigned distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
        unsigned cost[WORD_MAXIMUM + 1][WORD_MAXIMUM + 1];

        for (size_t i = 0; i <= a_length; i++)
                cost[i][0] = (unsigned)i;
        for (size_t j = 0; j <= b_length; j++)
                cost[0][j] = (unsigned)j;
        for (size_t i = 1; i <= a_length; i++)
                for (size_t j = 1; j <= b_length; j++) {
                        unsigned replaced = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
                        unsigned best = MIN(cost[i - 1][j], cost[i][j - 1]) + 1;

                        best = MIN(best, replaced);
                        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                                best = MIN(best, cost[i - 2][j - 2] + 1);
                        cost[i][j] = best;
                }
        return cost[a_length][b_length];
}

void suggestion_offer(Suggestion *suggestion, const char *candidate)
{
        size_t a = strlen(suggestion->word), b = strlen(candidate);
        unsigned d;

        if (a == 0 || a > WORD_MAXIMUM || b > WORD_MAXIMUM)
                return;
        d = distance(suggestion->word, a, candidate, b);
        /* One slip in three letters, and never all letters of a short word. */
        if (d > 1 + MIN(a, b) / 4 || d >= MIN(a, b))
                return;
        if (suggestion->best && d >= suggestion->distance)
                return;
        suggestion->best = candidate;
        suggestion->distance = d;
}
