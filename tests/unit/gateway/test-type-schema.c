/* SPDX-License-Identifier: MIT */

#include "gateway/type-schema.h"

#include <glib.h>

typedef struct Row {
        const char *name;
        const char *type;
        CodecOptions options;
        const char *schema; /* without what is around it and x-dbus-type */
} Row;

static const char *const fields[] = {"w", "h\""};

static const Row rows[] = {
        {"boolean", "b", {}, "\"type\":\"boolean\""},
        {"byte", "y", {}, "\"type\":\"integer\",\"minimum\":0,\"maximum\":255"},
        {"int16", "n", {}, "\"type\":\"integer\",\"minimum\":-32768,\"maximum\":32767"},
        {"uint64-may-be-digits-in-quotes",
         "t",
         {},
         "\"type\":[\"integer\",\"string\"],\"minimum\":0,\"pattern\":\"^[0-9]+$\""},
        {"double-may-be-no-number",
         "d",
         {},
         "\"type\":[\"number\",\"string\"],\"pattern\":\"^(NaN|-?Infinity)$\""},
        {"descriptor-fits-nothing", "h", {}, "\"not\":{}"},
        {"bytes", "ay", {}, "\"type\":\"string\",\"contentEncoding\":\"base64\""},
        {"bytes-as-text", "ay", {.bytes = CODEC_BYTES_TEXT}, "\"type\":\"string\""},
        {"bytes-as-array",
         "ay",
         {.bytes = CODEC_BYTES_ARRAY},
         "\"type\":\"array\",\"items\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":255}"},
        {"array-of-bytes",
         "aay",
         {},
         "\"type\":\"array\",\"items\":{\"type\":\"string\",\"contentEncoding\":\"base64\"}"},
        {"dict", "a{sv}", {}, "\"type\":\"object\",\"additionalProperties\":{}"},
        {"typed-variant",
         "v",
         {.typed_variants = true},
         "\"type\":\"object\",\"properties\":{\"type\":{\"type\":\"string\"},\"data\":{}},"
         "\"required\":[\"type\",\"data\"]"},
        {"struct",
         "(sb)",
         {},
         "\"type\":\"array\",\"items\":[{\"type\":\"string\"},{\"type\":\"boolean\"}],"
         "\"minItems\":2,\"maxItems\":2"},
        {"struct-with-names",
         "a(bs)",
         {.fields = fields, .n_fields = 2},
         "\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"w\":{\"type\":"
         "\"boolean\"},\"h\\\"\":{\"type\":\"string\"}},\"required\":[\"w\",\"h\\\"\"],"
         "\"additionalProperties\":false}"},
        {"dict-of-structs",
         "a{u(as)}",
         {},
         "\"type\":\"object\",\"additionalProperties\":{\"type\":\"array\",\"items\":[{\"type\":"
         "\"array\",\"items\":{\"type\":\"string\"}}],\"minItems\":1,\"maxItems\":1}"},
};

static void test_schema(gconstpointer data)
{
        const Row *row = data;
        g_autofree char *expected =
                g_strdup_printf("{\"v\":{%s,\"x-dbus-type\":\"%s\"}}", row->schema, row->type);
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        EmitJson emit = EMIT_JSON(&buffer, false);
        CodecType *type = NULL;

        g_assert_cmpint(codec_type_new(row->type, &row->options, &type, NULL), ==, 0);
        emit_open(&emit, NULL, '{');
        type_schema_write(&emit, "v", type);
        emit_close(&emit, '}');
        g_assert_cmpstr(buffer_text(&buffer), ==, expected);
        codec_type_free(type);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *path = g_strconcat("/type-schema/", rows[i].name, NULL);

                g_test_add_data_func(path, &rows[i], test_schema);
        }
        return g_test_run();
}
