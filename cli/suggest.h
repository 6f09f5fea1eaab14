/* SPDX-License-Identifier: MIT */
#pragma once

/* "Did you mean …?": finds the candidate that is nearest to a mistyped word. Pure. */

typedef struct Suggestion {
        const char *word;
        const char *best; /* NULL: nothing is near enough. Borrowed from a caller of offer */
        unsigned distance;
} Suggestion;

#define SUGGESTION_INIT(word_) ((Suggestion){.word = (word_)})

/* Considers one candidate. The first of equally near ones wins. */
void suggestion_offer(Suggestion *suggestion, const char *candidate);
