/* SPDX-License-Identifier: MIT */
#pragma once

/* What the fuzz targets of the codec have in common: an input is a line that says a type, and
 * bytes that are to be a value of it. The line is a signature, with letters and a space in front
 * if it has options: "t" bytes as text, "y" bytes as array, "p" plain variants, "B" big endian. */

#include <stdbool.h>
#include <stdint.h>

#include "gateway/codec/type.h"

typedef struct CodecInput {
        CodecType *type; /* owned */
        CodecOptions options;
        bool big_endian;
        const uint8_t *rest;
        size_t rest_length;
} CodecInput;

/* False if the input says no type; nothing is to be freed then. */
bool codec_input_parse(const uint8_t *data, size_t size, CodecInput *ret_input);

/* Aborts with this text unless the condition holds. */
void codec_input_must(bool condition, const char *what);
