/* SPDX-License-Identifier: MIT */

#include "common/json-suggest.h"

#include "common/util.h"

/* An object with more members is no slip of anybody's, and would take long to go through. */
enum { MAX_MEMBERS = 64 };

typedef struct Absent {
        const JsonDoc *doc;
        uint32_t object;
        SuggestNext next;
        const void *userdata;
} Absent;

/* The `index`-th candidate that is no member. */
static const char *next_absent(size_t index, const void *userdata)
{
        const Absent *absent = userdata;
        const char *candidate;

        for (size_t i = 0; (candidate = absent->next(i, absent->userdata)); i++)
                if (json_find(absent->doc, absent->object, candidate) == 0 && index-- == 0)
                        break;
        return candidate;
}

const char *json_suggest(const JsonDoc *doc, uint32_t object, uint32_t key, SuggestNext next,
                         const void *userdata)
{
        Absent absent = {doc, object, next, userdata};
        CLEANUP_FREE char *text = NULL;

        if (doc->nodes[object].count > MAX_MEMBERS || json_string_dup(doc, key, &text) < 0)
                return NULL;
        return suggest(text, next_absent, &absent);
}
