/* SPDX-License-Identifier: MIT */
#pragma once

/* What makes keys differ, most of the time, in one number: so that looking for a duplicate among
 * few compares numbers, and hardly ever texts. */

#include "common/hash.h"

/* Of the length and the first and last eight bytes of a text. */
static inline uint64_t key_print(const char *text, size_t length)
{
        uint64_t last;

        if (length < sizeof(last))
                return hash_tail(text, length) + length;
        last = hash_word(text + length - sizeof(last));
        return (hash_word(text) ^ (last << 1 | last >> 63)) + length;
}

/* One bit of 64: as long as it is new, so is the print. */
static inline uint64_t key_print_bit(uint64_t print)
{
        return UINT64_C(1) << (print * UINT64_C(0x9e3779b97f4a7c15) >> 58);
}
