/* SPDX-License-Identifier: MIT */

#include "gateway/codec/key-list.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "common/key-print.h"
#include "common/util.h"

/* Up to this many keys, comparing each pair of them is faster than sorting. */
enum { PAIRWISE_KEYS = 32 };

void key_list_done(KeyList *list)
{
        free(list->items);
        *list = (KeyList){};
}

int key_list_add(KeyList *list, size_t offset, size_t length)
{
        if (list->count == list->capacity) {
                size_t capacity = MAX(list->capacity * 2, (size_t)32);
                KeySpan *items = reallocarray(list->items, capacity, sizeof(*items));

                if (!items)
                        return -ENOMEM;
                list->items = items;
                list->capacity = capacity;
        }
        list->items[list->count++] = (KeySpan){.offset = offset, .length = length};
        return 0;
}

static int compare(const void *a, const void *b, void *userdata)
{
        const char *text = userdata;
        const KeySpan *ka = a, *kb = b;
        int r = memcmp(text + ka->offset, text + kb->offset, MIN(ka->length, kb->length));

        return r != 0 ? r : (ka->length > kb->length) - (ka->length < kb->length);
}

/* Nearly all pairs differ in their prints. */
static const KeySpan *find_by_pairs(const KeySpan *keys, size_t count, const char *text)
{
        uint64_t prints[PAIRWISE_KEYS], seen = 0, bit;

        for (size_t i = 0; i < count; i++) {
                prints[i] = key_print(text + keys[i].offset, keys[i].length);
                bit = key_print_bit(prints[i]);
                for (size_t j = 0; j < i && (seen & bit); j++)
                        if (prints[i] == prints[j] && keys[i].length == keys[j].length &&
                            memcmp(text + keys[i].offset, text + keys[j].offset, keys[i].length) ==
                                    0)
                                return &keys[i];
                seen |= bit;
        }
        return NULL;
}

/* So that a hostile dict of 100,000 keys takes no longer than its conversion. */
static const KeySpan *find_by_sorting(KeySpan *keys, size_t count, const char *text)
{
        qsort_r(keys, count, sizeof(*keys), compare, (void *)(uintptr_t)text);
        for (size_t i = 1; i < count; i++)
                if (compare(&keys[i - 1], &keys[i], (void *)(uintptr_t)text) == 0)
                        return &keys[i];
        return NULL;
}

bool key_list_close(KeyList *list, size_t first, const char *text, KeySpan *ret_duplicate)
{
        size_t count = list->count - first;
        const KeySpan *duplicate = NULL;

        if (count > PAIRWISE_KEYS)
                duplicate = find_by_sorting(list->items + first, count, text);
        else if (count > 1)
                duplicate = find_by_pairs(list->items + first, count, text);
        list->count = first;
        if (duplicate)
                *ret_duplicate = *duplicate;
        return duplicate;
}
