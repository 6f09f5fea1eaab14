/* SPDX-License-Identifier: MIT */
#pragma once

/* Base64 as in RFC 4648 section 4: the standard alphabet, with padding, without line breaks. The
 * decoder takes exactly what the encoder can produce, so that text → bytes → text is the identity.
 * Pure; both write into memory of the caller. */

#include <stddef.h>

static inline size_t base64_encoded_length(size_t length)
{
        return (length + 2) / 3 * 4;
}

/* Writes base64_encoded_length(length) characters, without a NUL. */
void base64_encode(const void *data, size_t length, char *out);

/* How many bytes `text` stands for; -EINVAL when its length or padding is wrong already. */
int base64_decoded_length(const char *text, size_t length, size_t *ret_length);

/* 0 if base64_decode() will take it, else -EINVAL. */
int base64_check(const char *text, size_t length);

/* Writes as many bytes as base64_decoded_length() said. -EINVAL for a foreign character, or when
 * the bits that padding leaves over are not zero. */
int base64_decode(const char *text, size_t length, void *out);
