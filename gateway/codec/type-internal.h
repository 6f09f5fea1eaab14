/* SPDX-License-Identifier: MIT */
#pragma once

/* What the two converters know of a CodecType. They walk the signature itself: its parts are found
 * by signature_type_length() in a few nanoseconds, and the types inside variants, which arrive as
 * text with each message, are walked by the same code without compiling anything. */

#include "gateway/codec/type.h"

struct CodecType {
        char *signature;
        char **fields; /* owned; names of the members of `named` */
        size_t n_fields;
        const char *named; /* the '(' of the outermost struct in `signature`; NULL without fields */
        CodecBytes bytes;
        bool typed_variants;
        bool has_fd;
};

/* The names of the members if `at` is the struct that the options named, else NULL. */
static inline char *const *codec_type_fields(const CodecType *type, const char *at)
{
        return at == type->named ? type->fields : NULL;
}
