/* SPDX-License-Identifier: MIT */
#pragma once

/* What is known of something as a list of facts, each a place and what is there, to be compared
 * with another such list. The order in which facts were added does not matter, how often one was
 * added does. Pure. */

#include <stdbool.h>
#include <stddef.h>

#include "common/util.h"

typedef struct Fact {
        char *where; /* owned */
        char *what;  /* owned */
        bool shared; /* the other list has it too; for facts_compare() */
} Fact;

typedef struct Facts {
        Fact *items; /* owned */
        size_t count;
        size_t capacity;
} Facts;

void facts_done(Facts *facts);
#define CLEANUP_FACTS CLEANUP(facts_done)

/* Both are copied. -ENOMEM. */
int facts_add(Facts *facts, const char *where, const char *what);

/* A place where they differ; NULL is what is not there. */
typedef void (*FactsHandler)(const char *where, const char *left, const char *right,
                             void *userdata);

/* Calls the handler, which may be NULL, for each difference, in the order of the places, and
 * returns how many there are. Sorts both. */
size_t facts_compare(Facts *left, Facts *right, FactsHandler handler, void *userdata);
void facts_sort(Facts *facts);
