/* SPDX-License-Identifier: MIT */
#pragma once

/* JSON to values of the basic D-Bus types and back (protocol section 9): strings, numbers, dict
 * keys. The gateway and the library do it by the same code, so that both refuse the same. Nothing
 * is narrowed, rounded or guessed: what is not exactly of the type is refused, -EINVAL or -ERANGE,
 * with an error that starts with ": " for a place to go in front (json-place.h). Pure. */

#include "common/buffer.h"
#include "common/error.h"
#include "common/json-scan.h"

/* The value of a basic type, told by its code; laid out as sd-bus reads and writes it. */
typedef union JsonBasic {
        uint8_t y;
        int b; /* sd-bus has booleans as int */
        int16_t n;
        uint16_t q;
        int32_t i;
        uint32_t u;
        int64_t x;
        uint64_t t;
        double d;
        const char *text; /* s o g */
} JsonBasic;

typedef struct JsonSource {
        const JsonDoc *doc;
        Buffer scratch; /* the string at hand if it has escapes; buffer_done() when finished */
        Error **error;
} JsonSource;

/* Sets ": expected WHAT, got …" and returns -EINVAL. */
int json_expected(JsonSource *source, uint32_t node, const char *what);

/* The unescaped bytes of a string node, without NUL among them: borrowed from the JSON text where
 * possible, else from the scratch buffer until the next string is read. */
int json_basic_text(JsonSource *source, uint32_t node, const char **ret_text, size_t *ret_length);

/* s o g: the same from any node, with object paths and signatures checked. */
int json_basic_string(JsonSource *source, uint32_t node, char code, const char **ret_text,
                      size_t *ret_length);

/* The base64 text of an `ay` from any node, checked: base64_decode() cannot fail on it. */
int json_basic_base64(JsonSource *source, uint32_t node, const char **ret_text, size_t *ret_length);

int json_basic_boolean(JsonSource *source, uint32_t node, int *ret_value);

/* y n q i u x t d. Decimal strings are integers of 64 bits only; "NaN", "Infinity", "-Infinity"
 * are doubles. */
int json_basic_number(JsonSource *source, uint32_t node, char code, JsonBasic *ret_value);

/* b y n q i u x t d, from the key of an object. Each value has exactly one form as a key, so that
 * two keys of an object never become one in D-Bus. */
int json_basic_key(JsonSource *source, uint32_t node, char code, JsonBasic *ret_value);

/* All but h. 0, or the buffer's sticky failure. */
int json_write_basic(Buffer *buffer, char code, const JsonBasic *value);

/* The same as the key of an object: the JSON text, without quotes of its own, between quotes. */
int json_write_basic_key(Buffer *buffer, char code, const JsonBasic *value);
