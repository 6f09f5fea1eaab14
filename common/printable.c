/* SPDX-License-Identifier: MIT */

#include "common/printable.h"

int printable_write(Buffer *buffer, const char *text)
{
        for (const char *at = text; *at; at++) {
                unsigned char c = (unsigned char)*at;

                if (c == 0xc2 && (unsigned char)at[1] < 0xa0 && at[1] != '\0') {
                        buffer_append_char(buffer, '?'); /* U+0080 … U+009F */
                        at++;
                } else if (c == '\n' || c == '\t' || c == '\r') {
                        buffer_append_char(buffer, ' ');
                } else {
                        buffer_append_char(buffer, c < 0x20 || c == 0x7f ? '?' : *at);
                }
        }
        return buffer_status(buffer);
}
