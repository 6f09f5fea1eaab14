/* SPDX-License-Identifier: MIT */
#pragma once

/* Appends JSON values to a Buffer, straight and exact: integers from integers, doubles in the
 * shortest form that reads back the same, strings escaped. No commas, no nesting: the caller owns
 * the structure. All return 0, or the buffer's sticky failure. */

#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"

/* Largest magnitude of an integer that every JSON reader keeps exact: 2^53 - 1. */
#define JSON_SAFE_INTEGER INT64_C(9007199254740991)

int json_write_int64(Buffer *buffer, int64_t value);
int json_write_uint64(Buffer *buffer, uint64_t value);

/* Integers beyond ±(2^53-1) as decimal strings, others as numbers (protocol section 9, x and t). */
int json_write_int64_safe(Buffer *buffer, int64_t value);
int json_write_uint64_safe(Buffer *buffer, uint64_t value);

/* Non-finite values become the strings "NaN", "Infinity", "-Infinity". A finite double always has
 * a number form that strtod() reads back bit for bit; -0.0 is written as -0.0. */
int json_write_double(Buffer *buffer, double value);

/* `text` must be valid UTF-8; control characters, '"' and '\\' are escaped, all else is verbatim.
 */
int json_write_string(Buffer *buffer, const char *text, size_t length);
