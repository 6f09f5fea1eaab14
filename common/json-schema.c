/* SPDX-License-Identifier: MIT */

#include "common/json-schema.h"

#include <stddef.h>

#include "common/signature.h"

static const struct {
        char code;
        const char *schema;
} basic_schemas[] = {
        {'b', "{\"type\":\"boolean\"}"},
        {'y', "{\"type\":\"integer\",\"minimum\":0,\"maximum\":255}"},
        {'n', "{\"type\":\"integer\",\"minimum\":-32768,\"maximum\":32767}"},
        {'q', "{\"type\":\"integer\",\"minimum\":0,\"maximum\":65535}"},
        {'i', "{\"type\":\"integer\",\"minimum\":-2147483648,\"maximum\":2147483647}"},
        {'u', "{\"type\":\"integer\",\"minimum\":0,\"maximum\":4294967295}"},
        {'x', "{\"type\":[\"integer\",\"string\"],\"pattern\":\"^-?[0-9]+$\"}"},
        {'t', "{\"type\":[\"integer\",\"string\"],\"minimum\":0,\"pattern\":\"^[0-9]+$\"}"},
        {'d', "{\"anyOf\":[{\"type\":\"number\"},"
              "{\"enum\":[\"NaN\",\"Infinity\",\"-Infinity\"]}]}"},
        {'s', "{\"type\":\"string\"}"},
        {'o', "{\"type\":\"string\",\"pattern\":\"^/\"}"},
        {'g', "{\"type\":\"string\"}"},
        {'v', "{}"},
};

static int write_struct(Buffer *buffer, const char *type)
{
        unsigned count = 0;

        buffer_append_text(buffer, "{\"type\":\"array\",\"prefixItems\":[");
        for (; *type != ')'; type += signature_type_length(type)) {
                if (count++ > 0)
                        buffer_append_char(buffer, ',');
                json_schema_write(buffer, type);
        }
        return buffer_printf(buffer, "],\"minItems\":%u,\"maxItems\":%u}", count, count);
}

static int write_container(Buffer *buffer, const char *type)
{
        if (type[0] == '(')
                return write_struct(buffer, type + 1);
        if (type[1] == 'y')
                return buffer_append_text(buffer,
                                          "{\"type\":\"string\",\"contentEncoding\":\"base64\"}");
        if (type[1] == '{') {
                buffer_append_text(buffer, "{\"type\":\"object\",\"additionalProperties\":");
                json_schema_write(buffer, type + 3);
        } else {
                buffer_append_text(buffer, "{\"type\":\"array\",\"items\":");
                json_schema_write(buffer, type + 1);
        }
        return buffer_append_char(buffer, '}');
}

int json_schema_write(Buffer *buffer, const char *type)
{
        for (size_t i = 0; i < ARRAY_SIZE(basic_schemas); i++)
                if (basic_schemas[i].code == *type)
                        return buffer_append_text(buffer, basic_schemas[i].schema);
        return write_container(buffer, type);
}
