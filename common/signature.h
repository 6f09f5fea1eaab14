/* SPDX-License-Identifier: MIT */
#pragma once

/* D-Bus type signatures as text: checking them, and stepping through one that has been checked.
 * Pure. The limits are those of the D-Bus specification in the stricter reading of sd-bus: 32
 * arrays and 32 structs (dict entries included) around any one type, and 254 characters, though 255
 * are legal: sd-bus takes that length for damage, and a peer that meets it in the header of a
 * message closes its connection. */

#include <stdbool.h>
#include <stddef.h>

enum {
        SIGNATURE_MAX_LENGTH = 254,
        SIGNATURE_MAX_ARRAYS = 32,
        SIGNATURE_MAX_STRUCTS = 32,
};

/* Why and where a signature was refused. */
typedef struct SignatureError {
        size_t offset;      /* of the character at which it cannot go on */
        const char *reason; /* a constant */
} SignatureError;

/* Checks a row of complete types, which may be empty. Returns their number (>= 0), or -EINVAL with
 * `ret_error` (may be NULL) filled in. `text` may contain anything, NUL bytes included. */
int signature_check(const char *text, size_t length, SignatureError *ret_error);

/* As signature_check(), but accepts exactly one complete type. Returns 0 or -EINVAL. */
int signature_check_single(const char *text, size_t length, SignatureError *ret_error);

/* The length of the complete type at the start of `text`, which must be part of a signature that
 * has been checked, and not its end. */
size_t signature_type_length(const char *text);

/* True for types without content of their own: y b n q i u x t d s o g h. */
bool signature_is_basic(char code);

/* The name of a type code in D-Bus terms ("uint16", "object path"); "unknown" for any other. */
const char *signature_type_name(char code);
