/* SPDX-License-Identifier: MIT */
#pragma once

/* The bytes of a string that need no look of their own, neither when it is read nor when it is
 * written: ASCII without control characters, '"' and '\\'. Eight of them are tested at a time,
 * since most strings consist of nothing else. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define JSON_PLAIN_EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* A mark, the high bit, in each of eight bytes that is not plain; marks above the lowest one may be
 * wrong. Subtracting borrows, and so sets a high bit, where a byte is smaller; `^` makes the byte
 * that is looked for the only one smaller than 1. */
static inline uint64_t json_plain_marks(uint64_t word)
{
        uint64_t found = word | (word - JSON_PLAIN_EACH(0x20)) |
                         ((word ^ JSON_PLAIN_EACH('"')) - JSON_PLAIN_EACH(1)) |
                         ((word ^ JSON_PLAIN_EACH('\\')) - JSON_PLAIN_EACH(1)) |
                         ((word ^ JSON_PLAIN_EACH(0x7f)) - JSON_PLAIN_EACH(1));

        return found & JSON_PLAIN_EACH(0x80);
}

static inline int json_plain_is(unsigned char c)
{
        return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* How many bytes at the start of `text` are plain. A borrow goes to the byte above, so the lowest
 * mark is right; it is the first byte's where the first byte is the lowest. */
static inline size_t json_plain_length(const char *text, size_t length)
{
        size_t at = 0;
        uint64_t word, marks;

        for (; length - at >= sizeof(word); at += sizeof(word)) {
                memcpy(&word, text + at, sizeof(word));
                marks = json_plain_marks(word);
                if (marks == 0)
                        continue;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
                return at + (size_t)__builtin_ctzll(marks) / 8;
#else
                break;
#endif
        }
        while (at < length && json_plain_is((unsigned char)text[at]))
                at++;
        return at;
}
