/* SPDX-License-Identifier: MIT */

#include "common/base64.h"

#include <errno.h>
#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int digit_value(char c)
{
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        if (c == '+')
                return 62;
        return c == '/' ? 63 : -1;
}

void base64_encode(const void *data, size_t length, char *out)
{
        const uint8_t *in = data;

        for (; length >= 3; length -= 3, in += 3) {
                *out++ = alphabet[in[0] >> 2];
                *out++ = alphabet[(in[0] & 3) << 4 | in[1] >> 4];
                *out++ = alphabet[(in[1] & 15) << 2 | in[2] >> 6];
                *out++ = alphabet[in[2] & 63];
        }
        if (length == 0)
                return;
        *out++ = alphabet[in[0] >> 2];
        if (length == 1) {
                *out++ = alphabet[(in[0] & 3) << 4];
                *out++ = '=';
        } else {
                *out++ = alphabet[(in[0] & 3) << 4 | in[1] >> 4];
                *out++ = alphabet[(in[1] & 15) << 2];
        }
        *out = '=';
}

/* Number of '=' at the end, at most two. */
static size_t padding_of(const char *text, size_t length)
{
        if (length == 0 || text[length - 1] != '=')
                return 0;
        return text[length - 2] == '=' ? 2 : 1;
}

int base64_decoded_length(const char *text, size_t length, size_t *ret_length)
{
        if (length % 4 != 0)
                return -EINVAL;
        *ret_length = length / 4 * 3 - padding_of(text, length);
        return 0;
}

/* The 6 × `count` bits of up to four digits, -1 if one is foreign. */
static int32_t read_digits(const char *text, unsigned count)
{
        int32_t bits = 0;

        for (unsigned i = 0; i < count; i++) {
                int value = digit_value(text[i]);

                if (value < 0)
                        return -1;
                bits = bits << 6 | value;
        }
        return bits;
}

static int decode_tail(const char *text, size_t padding, uint8_t *out)
{
        int32_t bits = read_digits(text, (unsigned)(4 - padding));
        int32_t left_over = padding == 1 ? 3 : 15;

        if (bits < 0 || (bits & left_over) != 0)
                return -EINVAL;
        if (padding == 1) {
                out[0] = (uint8_t)(bits >> 10);
                out[1] = (uint8_t)(bits >> 2);
        } else {
                out[0] = (uint8_t)(bits >> 4);
        }
        return 0;
}

int base64_check(const char *text, size_t length)
{
        uint8_t unused[3];
        size_t padding;

        if (length % 4 != 0)
                return -EINVAL;
        padding = padding_of(text, length);
        if (padding > 0) {
                length -= 4;
                if (decode_tail(text + length, padding, unused) < 0)
                        return -EINVAL;
        }
        for (size_t i = 0; i < length; i++)
                if (digit_value(text[i]) < 0)
                        return -EINVAL;
        return 0;
}

int base64_decode(const char *text, size_t length, void *out)
{
        size_t padding = padding_of(text, length);
        const char *end = text + length - (padding > 0 ? 4 : 0);
        uint8_t *at = out;

        if (length % 4 != 0)
                return -EINVAL;
        for (; text < end; text += 4) {
                int32_t bits = read_digits(text, 4);

                if (bits < 0)
                        return -EINVAL;
                *at++ = (uint8_t)(bits >> 16);
                *at++ = (uint8_t)(bits >> 8);
                *at++ = (uint8_t)bits;
        }
        return padding > 0 ? decode_tail(text, padding, at) : 0;
}
