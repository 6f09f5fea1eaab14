/* SPDX-License-Identifier: MIT */

#include "cli/json-print.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

typedef struct Row {
        const char *name;
        const char *text;
        const char *compact;
        const char *indented;
} Row;

static const Row rows[] = {
        {"number", " 5 ", "5", "5"},
        {"digits-stay", "12345678901234567890123.4500", "12345678901234567890123.4500",
         "12345678901234567890123.4500"},
        {"exponent-stays", "[1e999,-0.0]", "[1e999,-0.0]", "[\n  1e999,\n  -0.0\n]"},
        {"words", "[ null , true,false ]", "[null,true,false]", "[\n  null,\n  true,\n  false\n]"},
        {"empty-containers", "{ \"a\" : [ ] , \"b\":{ } }", "{\"a\":[],\"b\":{}}",
         "{\n  \"a\": [],\n  \"b\": {}\n}"},
        {"nested", "{\"a\":[1,{\"b\":2}]}", "{\"a\":[1,{\"b\":2}]}",
         "{\n  \"a\": [\n    1,\n    {\n      \"b\": 2\n    }\n  ]\n}"},
        {"escapes-stay", "\"\\u00e9\\/\\n \u00e9\"", "\"\\u00e9\\/\\n \u00e9\"",
         "\"\\u00e9\\/\\n \u00e9\""},
        {"punctuation-in-strings", "{\"a,:{\":\"[ ] , :\"}", "{\"a,:{\":\"[ ] , :\"}",
         "{\n  \"a,:{\": \"[ ] , :\"\n}"},
        {"terminal-controls", "\"\177 \302\233 \302\240\"", "\"\\u007f \\u009b \302\240\"",
         "\"\\u007f \\u009b \302\240\""},
        {"terminal-controls-in-keys", "{\"\302\200\":1}", "{\"\\u0080\":1}",
         "{\n  \"\\u0080\": 1\n}"},
};

static void test_row(gconstpointer data)
{
        const Row *row = data;
        CLEANUP_BUFFER Buffer compact = BUFFER_INIT(0), indented = BUFFER_INIT(0);

        g_assert_cmpint(json_print_text(&compact, row->text, strlen(row->text), JSON_COMPACT), ==,
                        0);
        g_assert_cmpstr(buffer_text(&compact), ==, row->compact);
        g_assert_cmpint(json_print_text(&indented, row->text, strlen(row->text), JSON_INDENTED), ==,
                        0);
        g_assert_cmpstr(buffer_text(&indented), ==, row->indented);
}

static void test_refuses_what_is_not_json(void)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);

        g_assert_cmpint(json_print_text(&buffer, "[1", 2, JSON_COMPACT), ==, -EBADMSG);
        g_assert_cmpuint(buffer.length, ==, 0);
}

static void test_reports_a_full_buffer(void)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(4);

        g_assert_cmpint(json_print_text(&buffer, "[1,2,3]", 7, JSON_COMPACT), ==, -EMSGSIZE);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *path = g_strdup_printf("/cli-json-print/%s", rows[i].name);

                g_test_add_data_func(path, &rows[i], test_row);
        }
        g_test_add_func("/cli-json-print/refuses-what-is-not-json", test_refuses_what_is_not_json);
        g_test_add_func("/cli-json-print/reports-a-full-buffer", test_reports_a_full_buffer);
        return g_test_run();
}
