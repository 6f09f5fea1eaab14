/* SPDX-License-Identifier: MIT */

#include "gateway/facts.h"

#include <errno.h>
#include <string.h>

void facts_done(Facts *facts)
{
        for (size_t i = 0; i < facts->count; i++) {
                free(facts->items[i].where);
                free(facts->items[i].what);
        }
        free(facts->items);
        *facts = (Facts){};
}

int facts_add(Facts *facts, const char *where, const char *what)
{
        Fact *items, fact;

        if (facts->count == facts->capacity) {
                size_t capacity = facts->capacity > 0 ? 2 * facts->capacity : 64;

                items = reallocarray(facts->items, capacity, sizeof(*items));
                if (!items)
                        return -ENOMEM;
                facts->items = items;
                facts->capacity = capacity;
        }
        fact = (Fact){.where = strdup(where), .what = strdup(what)};
        if (fact.where && fact.what) {
                facts->items[facts->count++] = fact;
                return 0;
        }
        free(fact.where);
        free(fact.what);
        return -ENOMEM;
}

static int compare_facts(const void *a, const void *b)
{
        const Fact *left = a, *right = b;
        int r = strcmp(left->where, right->where);

        return r != 0 ? r : strcmp(left->what, right->what);
}

void facts_sort(Facts *facts)
{
        if (facts->count > 0)
                qsort(facts->items, facts->count, sizeof(*facts->items), compare_facts);
}

/* Where the facts of the place of `index` end. */
static size_t end_of(const Facts *facts, size_t index)
{
        const char *where = facts->items[index].where;

        while (index < facts->count && !strcmp(facts->items[index].where, where))
                index++;
        return index;
}

/* Marks what both have of one place. */
static void match(Facts *left, size_t i, size_t i_end, Facts *right, size_t j, size_t j_end)
{
        for (size_t at = i; at < i_end; at++)
                left->items[at].shared = false;
        for (size_t at = j; at < j_end; at++)
                right->items[at].shared = false;
        while (i < i_end && j < j_end) {
                int r = strcmp(left->items[i].what, right->items[j].what);

                if (r == 0)
                        left->items[i].shared = right->items[j].shared = true;
                i += r <= 0;
                j += r >= 0;
        }
}

static const Fact *next_unshared(const Facts *facts, size_t *index, size_t end)
{
        while (*index < end && facts->items[*index].shared)
                (*index)++;
        return *index < end ? &facts->items[(*index)++] : NULL;
}

/* The facts of one place, [i, i_end) and [j, j_end): what is not shared, side by side. */
static size_t compare_place(Facts *left, size_t i, size_t i_end, Facts *right, size_t j,
                            size_t j_end, FactsHandler handler, void *userdata)
{
        const Fact *a, *b;
        size_t n = 0;

        match(left, i, i_end, right, j, j_end);
        while (a = next_unshared(left, &i, i_end), b = next_unshared(right, &j, j_end), a || b) {
                n++;
                if (handler)
                        handler(a ? a->where : b->where, a ? a->what : NULL, b ? b->what : NULL,
                                userdata);
        }
        return n;
}

size_t facts_compare(Facts *left, Facts *right, FactsHandler handler, void *userdata)
{
        size_t i = 0, j = 0, n = 0;

        facts_sort(left);
        facts_sort(right);
        while (i < left->count || j < right->count) {
                size_t i_end = i, j_end = j;
                int r;

                if (i == left->count)
                        r = 1;
                else if (j == right->count)
                        r = -1;
                else
                        r = strcmp(left->items[i].where, right->items[j].where);
                if (r <= 0)
                        i_end = end_of(left, i);
                if (r >= 0)
                        j_end = end_of(right, j);
                n += compare_place(left, i, i_end, right, j, j_end, handler, userdata);
                i = i_end;
                j = j_end;
        }
        return n;
}
