/* SPDX-License-Identifier: MIT */

#include "cli/template.h"

#include <string.h>

int template_write_printable(Buffer *buffer, const char *text)
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

static const TemplateValue *find_value(const TemplateValue *values, const char *name, size_t length)
{
        for (; values->name; values++)
                if (!strncmp(values->name, name, length) && values->name[length] == '\0')
                        return values;
        return NULL;
}

int template_write(Buffer *buffer, const char *text, const TemplateValue *values)
{
        while (*text) {
                size_t plain = strcspn(text, "{"), length;
                const TemplateValue *value;

                buffer_append(buffer, text, plain);
                text += plain;
                if (*text == '\0')
                        break;
                length = strcspn(text + 1, "}");
                value = text[1 + length] == '}' ? find_value(values, text + 1, length) : NULL;
                if (!value) {
                        buffer_append_char(buffer, *text++);
                        continue;
                }
                if (value->text)
                        template_write_printable(buffer, value->text);
                text += length + 2;
        }
        return buffer_status(buffer);
}
