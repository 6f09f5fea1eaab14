/* SPDX-License-Identifier: MIT */

#include "common/suggest.h"

#include <string.h>

#include "common/util.h"

/* Longer candidates are never suggested: one row of the distance table has to fit on the stack. */
enum { MAX_CANDIDATE = 63 };

/* Levenshtein distance, one row at a time. `candidate` has MAX_CANDIDATE characters at most. */
static size_t edit_distance(const char *text, size_t length, const char *candidate)
{
        size_t row[MAX_CANDIDATE + 1], n = strlen(candidate);

        for (size_t j = 0; j <= n; j++)
                row[j] = j;
        for (size_t i = 1; i <= length; i++) {
                size_t diagonal = row[0];

                row[0] = i;
                for (size_t j = 1; j <= n; j++) {
                        size_t above = row[j];
                        size_t replaced = diagonal + (text[i - 1] != candidate[j - 1]);

                        row[j] = MIN(MIN(above, row[j - 1]) + 1, replaced);
                        diagonal = above;
                }
        }
        return row[n];
}

const char *suggest(const char *text, SuggestNext next, const void *userdata)
{
        size_t length = strlen(text);
        size_t best_distance = length / 3 + 1;
        const char *best = NULL, *candidate;

        if (length > MAX_CANDIDATE)
                return NULL;
        best_distance = MIN(best_distance, (size_t)3) + 1;
        for (size_t i = 0; (candidate = next(i, userdata)); i++) {
                size_t n = strlen(candidate), distance;

                if (n > MAX_CANDIDATE)
                        continue;
                distance = edit_distance(text, length, candidate);
                if (distance < best_distance && distance < n) {
                        best_distance = distance;
                        best = candidate;
                }
        }
        return best;
}
