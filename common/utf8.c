/* SPDX-License-Identifier: MIT */

#include "common/utf8.h"

#include <stdint.h>

size_t utf8_sequence_length(const char *text, size_t left)
{
        const unsigned char *s = (const unsigned char *)text;
        uint32_t c;
        size_t length;

        if (s[0] >= 0x01 && s[0] <= 0x7f)
                return 1;
        if (s[0] >= 0xc2 && s[0] <= 0xdf)
                length = 2;
        else if (s[0] >= 0xe0 && s[0] <= 0xef)
                length = 3;
        else if (s[0] >= 0xf0 && s[0] <= 0xf4)
                length = 4;
        else
                return 0;
        if (left < length)
                return 0;
        c = s[0] & (0x7fU >> length);
        for (size_t i = 1; i < length; i++) {
                if ((s[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (s[i] & 0x3f);
        }
        if ((length == 3 && (c < 0x800 || (c >= 0xd800 && c <= 0xdfff))) ||
            (length == 4 && (c < 0x10000 || c > 0x10ffff)))
                return 0;
        return length;
}

bool utf8_is_text(const char *text, size_t length)
{
        for (size_t i = 0; i < length;) {
                size_t n = utf8_sequence_length(text + i, length - i);

                if (n == 0)
                        return false;
                i += n;
        }
        return true;
}

bool utf8_has_noncharacter(const char *text, size_t length)
{
        const unsigned char *s = (const unsigned char *)text;

        for (size_t i = 0; i < length; i++) {
                if (s[i] == 0xef) {
                        if (s[i + 1] == 0xb7 && s[i + 2] >= 0x90 && s[i + 2] <= 0xaf)
                                return true;
                        if (s[i + 1] == 0xbf && s[i + 2] >= 0xbe)
                                return true;
                } else if (s[i] >= 0xf0) {
                        if ((s[i + 1] & 0x0f) == 0x0f && s[i + 2] == 0xbf && s[i + 3] >= 0xbe)
                                return true;
                }
        }
        return false;
}

size_t utf8_cut(const char *text, size_t length, size_t maximum)
{
        if (length <= maximum)
                return length;
        while (maximum > 0 && ((unsigned char)text[maximum] & 0xc0) == 0x80)
                maximum--;
        return maximum;
}
