/* SPDX-License-Identifier: MIT */

#include "common/json-basic.h"

#include <errno.h>
#include <glib.h>
#include <math.h>
#include <string.h>

typedef struct Row {
        const char *json;
        char code;
        int number; /* what json_basic_number() returns */
        int key;    /* what json_basic_key() returns for a string */
} Row;

static const Row rows[] = {
        {"0", 'y', 0, 0},
        {"255", 'y', 0, 0},
        {"256", 'y', -ERANGE, 0},
        {"-128", 'n', 0, 0},
        {"1e2", 'i', -EINVAL, 0},
        {"\"1\"", 'i', -EINVAL, 0},
        {"\"1\"", 'x', 0, 0},
        {"\"-1\"", 't', -ERANGE, -ERANGE},
        {"\"01\"", 't', -EINVAL, -EINVAL},
        {"\"256\"", 'y', -EINVAL, -ERANGE},
        {"\"\\u0031\"", 'x', 0, 0},
        {"\"NaN\"", 'd', 0, 0},
        {"\"1.5\"", 'd', -EINVAL, 0},
        {"\"1.50\"", 'd', -EINVAL, -EINVAL},
        {"\"[1]\"", 'd', -EINVAL, -EINVAL},
        {"\"1e999\"", 'd', -EINVAL, -EINVAL},
        {"1e999", 'd', -ERANGE, 0},
        {"\"true\"", 'b', 0, 0},
        {"\"True\"", 'b', 0, -EINVAL},
};

static void check(const Row *row)
{
        CLEANUP_JSON_DOC JsonDoc doc = {};
        CLEANUP_ERROR Error *as_number = NULL, *as_key = NULL;
        JsonSource source = {.doc = &doc, .error = &as_number};
        JsonBasic value;

        g_assert_cmpint(json_scan(&doc, row->json, strlen(row->json), JSON_SCAN_STRICT), ==, 0);
        if (row->code != 'b')
                g_assert_cmpint(json_basic_number(&source, 0, row->code, &value), ==, row->number);
        source.error = &as_key;
        if (*row->json == '"')
                g_assert_cmpint(json_basic_key(&source, 0, row->code, &value), ==, row->key);
        g_assert_true(!as_number || as_number->text[0] == ':');
        g_assert_true(!as_key || as_key->text[0] == ':');
        buffer_done(&source.scratch);
}

static void test_numbers_and_keys(void)
{
        for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
                check(&rows[i]);
}

static void test_narrow_types_keep_their_values(void)
{
        static const char json[] = "[-32768,65535,-2147483648,4294967295]";
        CLEANUP_JSON_DOC JsonDoc doc = {};
        JsonSource source = {.doc = &doc};
        JsonBasic value;

        g_assert_cmpint(json_scan(&doc, json, strlen(json), JSON_SCAN_STRICT), ==, 0);
        g_assert_cmpint(json_basic_number(&source, 1, 'n', &value), ==, 0);
        g_assert_cmpint(value.n, ==, INT16_MIN);
        g_assert_cmpint(json_basic_number(&source, 2, 'q', &value), ==, 0);
        g_assert_cmpuint(value.q, ==, UINT16_MAX);
        g_assert_cmpint(json_basic_number(&source, 3, 'i', &value), ==, 0);
        g_assert_cmpint(value.i, ==, INT32_MIN);
        g_assert_cmpint(json_basic_number(&source, 4, 'u', &value), ==, 0);
        g_assert_cmpuint(value.u, ==, UINT32_MAX);
}

static void test_text_is_borrowed_where_possible(void)
{
        static const char json[] = "[\"plain\",\"\\u0041\\n\"]";
        CLEANUP_JSON_DOC JsonDoc doc = {};
        JsonSource source = {.doc = &doc};
        const char *text;
        size_t length;

        g_assert_cmpint(json_scan(&doc, json, strlen(json), JSON_SCAN_STRICT), ==, 0);
        g_assert_cmpint(json_basic_text(&source, 1, &text, &length), ==, 0);
        g_assert_true(text == json + 2);
        g_assert_cmpuint(length, ==, 5);
        g_assert_null(source.scratch.data);
        g_assert_cmpint(json_basic_text(&source, 2, &text, &length), ==, 0);
        g_assert_cmpstr(text, ==, "A\n");
        g_assert_cmpuint(length, ==, 2);
        buffer_done(&source.scratch);
}

static void test_strings_are_of_their_type(void)
{
        static const struct {
                const char *json;
                const char *text; /* NULL: refused */
                const char *why;
                char code;
        } strings[] = {
                {"\"\"", "", NULL, 's'},
                {"5", NULL, ": expected a string, got a number", 's'},
                {"\"a\\u0000\"", NULL, ": \\u0000 cannot be in a string", 's'},
                {"\"/a\\/b\"", "/a/b", NULL, 'o'},
                {"\"/a/\"", NULL, ": not a valid object path", 'o'},
                {"\"\"", NULL, ": not a valid object path", 'o'},
                {"\"a{sv}\"", "a{sv}", NULL, 'g'},
                {"\"\"", "", NULL, 'g'},
                {"\"ua\"", NULL,
                 ": not a valid signature, at character 2: array without an element type", 'g'},
                {"\"Zm8=\"", "Zm8=", NULL, 'a'},
                {"\"\\/\\/\\/\\/\"", "////", NULL, 'a'},
                {"\"Zm8\"", NULL, ": not valid base64", 'a'},
                {"[1]", NULL, ": expected a base64 string, got an array", 'a'},
        };

        for (gsize i = 0; i < G_N_ELEMENTS(strings); i++) {
                CLEANUP_JSON_DOC JsonDoc doc = {};
                CLEANUP_ERROR Error *error = NULL;
                JsonSource source = {.doc = &doc, .error = &error};
                const char *text = "";
                size_t length = 0;
                int r;

                g_assert_cmpint(json_scan(&doc, strings[i].json, strlen(strings[i].json), 0), ==,
                                0);
                if (strings[i].code == 'a')
                        r = json_basic_base64(&source, 0, &text, &length);
                else
                        r = json_basic_string(&source, 0, strings[i].code, &text, &length);
                g_assert_cmpint(r, ==, strings[i].text ? 0 : -EINVAL);
                if (strings[i].text)
                        g_assert_cmpmem(text, length, strings[i].text, strlen(strings[i].text));
                else
                        g_assert_cmpstr(error_text(error), ==, strings[i].why);
                buffer_done(&source.scratch);
        }
}

static void test_booleans(void)
{
        CLEANUP_JSON_DOC JsonDoc doc = {};
        JsonSource source = {.doc = &doc};
        int value = -1;

        g_assert_cmpint(json_scan(&doc, "[true,false,1]", 14, 0), ==, 0);
        g_assert_cmpint(json_basic_boolean(&source, 1, &value), ==, 0);
        g_assert_cmpint(value, ==, 1);
        g_assert_cmpint(json_basic_boolean(&source, 2, &value), ==, 0);
        g_assert_cmpint(value, ==, 0);
        g_assert_cmpint(json_basic_boolean(&source, 3, &value), ==, -EINVAL);
}

static void test_written(void)
{
        static const struct {
                const char *json;
                const char *key;
                JsonBasic value;
                char code;
        } written[] = {
                {"255", "\"255\"", {.y = 255}, 'y'},
                {"true", "\"true\"", {.b = 1}, 'b'},
                {"-1", "\"-1\"", {.n = -1}, 'n'},
                {"65535", "\"65535\"", {.q = 65535}, 'q'},
                {"-2147483648", "\"-2147483648\"", {.i = INT32_MIN}, 'i'},
                {"4294967295", "\"4294967295\"", {.u = UINT32_MAX}, 'u'},
                {"-5", "\"-5\"", {.x = -5}, 'x'},
                {"\"9007199254740993\"", "\"9007199254740993\"", {.x = 9007199254740993}, 'x'},
                {"\"18446744073709551615\"", "\"18446744073709551615\"", {.t = UINT64_MAX}, 't'},
                {"1.5", "\"1.5\"", {.d = 1.5}, 'd'},
                {"\"Infinity\"", "\"Infinity\"", {.d = (double)INFINITY}, 'd'},
                {"\"a\\\"\"", "\"a\\\"\"", {.text = "a\""}, 's'},
                {"\"/a\"", "\"/a\"", {.text = "/a"}, 'o'},
                {"\"s\"", "\"s\"", {.text = "s"}, 'g'},
        };

        for (gsize i = 0; i < G_N_ELEMENTS(written); i++) {
                CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);

                g_assert_cmpint(json_write_basic(&buffer, written[i].code, &written[i].value), ==,
                                0);
                g_assert_cmpstr(buffer_text(&buffer), ==, written[i].json);
                buffer_clear(&buffer);
                g_assert_cmpint(json_write_basic_key(&buffer, written[i].code, &written[i].value),
                                ==, 0);
                g_assert_cmpstr(buffer_text(&buffer), ==, written[i].key);
        }
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/json-basic/numbers-and-keys", test_numbers_and_keys);
        g_test_add_func("/json-basic/narrow-types-keep-their-values",
                        test_narrow_types_keep_their_values);
        g_test_add_func("/json-basic/text-is-borrowed-where-possible",
                        test_text_is_borrowed_where_possible);
        g_test_add_func("/json-basic/strings-are-of-their-type", test_strings_are_of_their_type);
        g_test_add_func("/json-basic/booleans", test_booleans);
        g_test_add_func("/json-basic/written", test_written);
        return g_test_run();
}
