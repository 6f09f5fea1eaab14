/* SPDX-License-Identifier: MIT */
#pragma once

/* A D-Bus type made ready for the codec: its signature, checked, with how a mapping wants its parts
 * to look in JSON. Made once when a mapping is loaded, immutable afterwards, shared by both
 * directions. Pure: knows neither messages nor JSON texts. */

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

typedef enum CodecBytes {
        CODEC_BYTES_BASE64, /* ay as a base64 string (default) */
        CODEC_BYTES_TEXT,   /* as text, cut at trailing NULs; must be UTF-8 */
        CODEC_BYTES_ARRAY,  /* as an array of numbers */
} CodecBytes;

typedef struct CodecOptions {
        CodecBytes bytes;          /* for every ay in the type, inside variants too */
        bool typed_variants;       /* {"type":"u","data":5} instead of the bare value, outwards */
        const char *const *fields; /* names for the members of the outermost struct; NULL: array */
        size_t n_fields;
} CodecOptions;

typedef struct CodecType CodecType;

/* Takes exactly one complete type. `options` may be NULL for the defaults; its field names are
 * copied. -EINVAL with a reason for a bad signature, for a wrong number of fields and for fields
 * without a name of their own; -ENOMEM. A type with `h` in it is taken; converting it is what is
 * refused (NOT_SUPPORTED). */
int codec_type_new(const char *signature, const CodecOptions *options, CodecType **ret_type,
                   Error **ret_error);
CodecType *codec_type_free(CodecType *type);
const char *codec_type_signature(const CodecType *type); /* borrowed */
/* True if `h` occurs in it (variants cannot be known before they arrive). */
bool codec_type_has_fd(const CodecType *type);

/* An argument list: what a method takes or returns, or a signal carries. */
typedef struct CodecArg {
        char *name; /* owned; "arg0", "arg1", … when none was given */
        CodecType *type;
        bool named; /* the name was given */
} CodecArg;

typedef struct CodecArgs {
        CodecArg *items; /* owned */
        size_t count;
        char *signature; /* owned; all types in a row, NULL when count is 0 */
} CodecArgs;

/* Adds one argument. `name` NULL or "": argN. -EEXIST for a second argument of that name, -EINVAL
 * also when all types in a row exceed 254 characters, else as codec_type_new(). The list is
 * unchanged on failure. */
int codec_args_add(CodecArgs *args, const char *name, const char *signature,
                   const CodecOptions *options, Error **ret_error);
void codec_args_done(CodecArgs *args);
