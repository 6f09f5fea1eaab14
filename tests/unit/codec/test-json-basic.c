/* SPDX-License-Identifier: MIT */

#include "gateway/codec/json-basic.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

typedef struct Row {
        const char *json;
        char code;
        int number; /* what codec_number_from_json() returns */
        int key;    /* what codec_key_from_json() returns for a string */
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
        CodecSource source = {.doc = &doc, .error = &as_number};
        CodecBasic value;

        g_assert_cmpint(json_scan(&doc, row->json, strlen(row->json), JSON_SCAN_STRICT), ==, 0);
        if (row->code != 'b')
                g_assert_cmpint(codec_number_from_json(&source, 0, row->code, &value), ==,
                                row->number);
        source.error = &as_key;
        if (*row->json == '"')
                g_assert_cmpint(codec_key_from_json(&source, 0, row->code, &value), ==, row->key);
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
        CodecSource source = {.doc = &doc};
        CodecBasic value;

        g_assert_cmpint(json_scan(&doc, json, strlen(json), JSON_SCAN_STRICT), ==, 0);
        g_assert_cmpint(codec_number_from_json(&source, 1, 'n', &value), ==, 0);
        g_assert_cmpint(value.n, ==, INT16_MIN);
        g_assert_cmpint(codec_number_from_json(&source, 2, 'q', &value), ==, 0);
        g_assert_cmpuint(value.q, ==, UINT16_MAX);
        g_assert_cmpint(codec_number_from_json(&source, 3, 'i', &value), ==, 0);
        g_assert_cmpint(value.i, ==, INT32_MIN);
        g_assert_cmpint(codec_number_from_json(&source, 4, 'u', &value), ==, 0);
        g_assert_cmpuint(value.u, ==, UINT32_MAX);
}

static void test_text_is_borrowed_where_possible(void)
{
        static const char json[] = "[\"plain\",\"\\u0041\\n\"]";
        CLEANUP_JSON_DOC JsonDoc doc = {};
        CodecSource source = {.doc = &doc};
        const char *text;
        size_t length;

        g_assert_cmpint(json_scan(&doc, json, strlen(json), JSON_SCAN_STRICT), ==, 0);
        g_assert_cmpint(codec_text_from_json(&source, 1, &text, &length), ==, 0);
        g_assert_true(text == json + 2);
        g_assert_cmpuint(length, ==, 5);
        g_assert_null(source.scratch.data);
        g_assert_cmpint(codec_text_from_json(&source, 2, &text, &length), ==, 0);
        g_assert_cmpstr(text, ==, "A\n");
        g_assert_cmpuint(length, ==, 2);
        buffer_done(&source.scratch);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/codec/json-basic/numbers-and-keys", test_numbers_and_keys);
        g_test_add_func("/codec/json-basic/narrow-types-keep-their-values",
                        test_narrow_types_keep_their_values);
        g_test_add_func("/codec/json-basic/text-is-borrowed-where-possible",
                        test_text_is_borrowed_where_possible);
        return g_test_run();
}
