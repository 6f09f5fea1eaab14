/* SPDX-License-Identifier: MIT */
#pragma once

/* The dict keys that one conversion has written so far, as spans of its output, so that a key that
 * comes twice is found. Dicts nest: the keys of the open ones lie one after the other, those of the
 * innermost last, and go when it is closed. */

#include <stdbool.h>
#include <stddef.h>

typedef struct KeySpan {
        size_t offset;
        size_t length;
} KeySpan;

typedef struct KeyList {
        KeySpan *items; /* owned */
        size_t count;
        size_t capacity;
} KeyList;

void key_list_done(KeyList *list);

/* 0 or -ENOMEM. */
int key_list_add(KeyList *list, size_t offset, size_t length);

/* Removes the keys from the `first`-th on. True if two of them read the same in `text`; one of the
 * two is then told. */
bool key_list_close(KeyList *list, size_t first, const char *text, KeySpan *ret_duplicate);
