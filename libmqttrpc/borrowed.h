/* SPDX-License-Identifier: MIT */
#pragma once

/* What an object hands out for its user to borrow, made at that moment: unescaped strings, decoded
 * bytes. It lives as long as the object. */

#include <stddef.h>

typedef struct BorrowedList {
        void **items; /* owned, as each of them */
        size_t count;
} BorrowedList;

/* Takes `memory` over, also on failure. 0 or -ENOMEM. */
int borrowed_list_add(BorrowedList *list, void *memory);

/* Frees all but the first `count`: what a failed function has added. */
void borrowed_list_cut(BorrowedList *list, size_t count);
void borrowed_list_done(BorrowedList *list);
