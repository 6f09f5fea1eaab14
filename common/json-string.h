/* SPDX-License-Identifier: MIT */
#pragma once

/* The inside of JSON strings, shared by the scanner and the readers of values. */

#include "common/json-scan.h"

/* The value of the four hex digits of a \uXXXX escape; -1 if they are not hex digits or missing. */
int32_t json_hex4(const char *text, const char *end);

static inline bool json_is_high_surrogate(int32_t c)
{
        return c >= 0xd800 && c <= 0xdbff;
}

static inline bool json_is_low_surrogate(int32_t c)
{
        return c >= 0xdc00 && c <= 0xdfff;
}

/* Yields the bytes of a string node one by one, unescaped. */
typedef struct JsonStringReader {
        const char *at;
        const char *end;
        unsigned char pending[4]; /* what is left of an escaped character, last byte first */
        unsigned n_pending;
} JsonStringReader;

void json_string_reader_init(JsonStringReader *reader, const JsonDoc *doc, uint32_t node);

/* The next byte, or -1 at the end. */
int json_string_reader_next(JsonStringReader *reader);
