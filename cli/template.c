/* SPDX-License-Identifier: MIT */

#include "cli/template.h"

#include <string.h>

#include "common/printable.h"

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
                        printable_write(buffer, value->text);
                text += length + 2;
        }
        return buffer_status(buffer);
}
