/* SPDX-License-Identifier: MIT */
#pragma once

/* What makes keys differ, most of the time, in one number: so that looking for a duplicate among
 * few compares numbers, and hardly ever texts. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Of the length and the first and last eight bytes of a text. */
static inline uint64_t key_print(const char *text, size_t length)
{
        uint64_t first = 0, last = 0;

        if (length < sizeof(first)) {
                memcpy(&first, text, length);
                return first + length;
        }
        memcpy(&first, text, sizeof(first));
        memcpy(&last, text + length - sizeof(last), sizeof(last));
        return (first ^ (last << 1 | last >> 63)) + length;
}
