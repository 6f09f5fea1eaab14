/* SPDX-License-Identifier: MIT */
#pragma once

/* JSON to values of the basic types: strings, numbers, dict keys. The part of json-to-dbus that
 * knows no messages. Nothing is narrowed, rounded or guessed: what is not exactly of the type is
 * refused, -EINVAL or -ERANGE, with an error that starts with ": " for a path to go in front. */

#include "common/buffer.h"
#include "common/error.h"
#include "common/json-scan.h"
#include "gateway/codec/basic.h"

typedef struct CodecSource {
        const JsonDoc *doc;
        Buffer scratch; /* the string at hand if it has escapes; buffer_done() when finished */
        Error **error;
} CodecSource;

/* Sets ": expected WHAT, got …" and returns -EINVAL. */
int codec_expected(CodecSource *source, uint32_t node, const char *what);

/* The unescaped bytes of a string node, without NUL among them: borrowed from the JSON text where
 * possible, else from the scratch buffer until the next string is read. */
int codec_text_from_json(CodecSource *source, uint32_t node, const char **ret_text,
                         size_t *ret_length);

/* y n q i u x t d. Decimal strings are integers of 64 bits only; "NaN", "Infinity", "-Infinity"
 * are doubles. */
int codec_number_from_json(CodecSource *source, uint32_t node, char code, CodecBasic *ret_value);

/* b y n q i u x t d, from the key of an object. Each value has exactly one form as a key, so that
 * two keys of an object never become one in D-Bus. */
int codec_key_from_json(CodecSource *source, uint32_t node, char code, CodecBasic *ret_value);
