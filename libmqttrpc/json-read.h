/* SPDX-License-Identifier: MIT */
#pragma once

/* JSON to typed C values, the mirror image of json-build.h for the basic types, ay and v. Pure. */

#include <stdarg.h>

#include "common/json-scan.h"
#include "libmqttrpc/borrowed.h"

/* Reads `types` (a row of D-Bus signatures; NULL is "") from the value at `node`, which has to be
 * of exactly these: with `as_array` an array of them; else a result: null without types, with one
 * its value, with several an array. mqttrpc_reply_read() in mqttrpc.h says which pointers it takes
 * from `args` for a type. What it hands out lives in `borrowed`. -EINVAL: the types cannot be read,
 * or the value is of others; -ERANGE: a number does not fit; -ENOMEM. On failure nothing has been
 * written. */
int json_read_values(const JsonDoc *doc, uint32_t node, const char *types, bool as_array,
                     BorrowedList *borrowed, va_list args);

/* What an object needs whose JSON text may be read so. */
typedef struct JsonReading {
        JsonDoc doc; /* of the text, at the first use */
        BorrowedList borrowed;
} JsonReading;

/* Reads from a text, which is valid JSON and always the same. */
int json_reading_values(JsonReading *reading, const char *text, size_t length, const char *types,
                        bool as_array, va_list args);
void json_reading_done(JsonReading *reading);
