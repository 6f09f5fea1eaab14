/* SPDX-License-Identifier: MIT */
#pragma once

/* The bytes of a string that need no look of their own, neither when it is read nor when it is
 * written: ASCII without control characters, '"' and '\\'. Eight of them are tested at a time,
 * since most strings consist of nothing else. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define JSON_PLAIN_EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Whether any of eight bytes is not plain. Subtracting borrows, and so sets a high bit, where a
 * byte is smaller; `^` makes the byte that is looked for the only one smaller than 1. */
static inline int json_plain_ends_in(uint64_t word)
{
        uint64_t found = word | (word - JSON_PLAIN_EACH(0x20)) |
                         ((word ^ JSON_PLAIN_EACH('"')) - JSON_PLAIN_EACH(1)) |
                         ((word ^ JSON_PLAIN_EACH('\\')) - JSON_PLAIN_EACH(1)) |
                         ((word ^ JSON_PLAIN_EACH(0x7f)) - JSON_PLAIN_EACH(1));

        return (found & JSON_PLAIN_EACH(0x80)) != 0;
}

static inline int json_plain_is(unsigned char c)
{
        return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* How many bytes at the start of `text` are plain. */
static inline size_t json_plain_length(const char *text, size_t length)
{
        size_t at = 0;
        uint64_t word;

        for (; length - at >= sizeof(word); at += sizeof(word)) {
                memcpy(&word, text + at, sizeof(word));
                if (json_plain_ends_in(word))
                        break;
        }
        while (at < length && json_plain_is((unsigned char)text[at]))
                at++;
        return at;
}
