/* SPDX-License-Identifier: MIT */
#pragma once

/* What the two converters know of a CodecType. They walk the signature itself: its parts are found
 * by signature_type_length() in a few nanoseconds, and the types inside variants, which arrive as
 * text with each message, are walked by the same code without compiling anything. */

#include <string.h>

#include "common/signature.h"
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

/* The contents of the container type at `type` as sd-bus wants them told: "sv" for "{sv}…", "as"
 * for "aas…". Returns its code in the terms of sd-bus: 'a', 'r' or 'e'. */
static inline char codec_type_contents(const char *type,
                                       char ret_contents[SIGNATURE_MAX_LENGTH + 1])
{
        size_t length = signature_type_length(type) - (*type == 'a' ? 1 : 2);

        memcpy(ret_contents, type + 1, length);
        ret_contents[length] = '\0';
        if (*type == 'a')
                return 'a';
        return *type == '(' ? 'r' : 'e';
}
