/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/borrowed.h"

#include <errno.h>

#include "common/util.h"

int borrowed_list_add(BorrowedList *list, void *memory)
{
        void **items;

        items = reallocarray(list->items, list->count + 1, sizeof(*items));
        if (!items) {
                free(memory);
                return -ENOMEM;
        }
        list->items = items;
        items[list->count++] = memory;
        return 0;
}

void borrowed_list_cut(BorrowedList *list, size_t count)
{
        while (list->count > count)
                free(list->items[--list->count]);
}

void borrowed_list_done(BorrowedList *list)
{
        borrowed_list_cut(list, 0);
        free(list->items);
        *list = (BorrowedList){};
}
