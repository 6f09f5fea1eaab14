/* SPDX-License-Identifier: MIT */

#include "common/json-scan.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

typedef struct Refusal {
        const char *name;
        const char *text;
        int code;
        size_t offset;
        const char *reason;
} Refusal;

/* What cJSON would have let through, and the rest of what is not JSON. */
static const Refusal refusals[] = {
        {"empty", "", -EBADMSG, 0, "expected a value"},
        {"trailing-bytes", "1 2", -EBADMSG, 2, "more text after the value"},
        {"leading-zero", "[01]", -EBADMSG, 2, "number with a leading zero"},
        {"bare-minus", "-", -EBADMSG, 1, "number without digits"},
        {"point-without-digits", "1.", -EBADMSG, 2, "number without digits after the point"},
        {"exponent-without-digits", "1e+", -EBADMSG, 3, "number without digits in the exponent"},
        {"plus-sign", "+1", -EBADMSG, 0, "expected a value"},
        {"nan-word", "NaN", -EBADMSG, 0, "expected a value"},
        {"capital-true", "True", -EBADMSG, 0, "expected a value"},
        {"cut-word", "tru", -EBADMSG, 0, "expected a value"},
        {"open-string", "\"abc", -EBADMSG, 4, "string without an end"},
        {"control-character", "\"a\nb\"", -EBADMSG, 2, "control character in string"},
        {"unknown-escape", "\"\\x41\"", -EBADMSG, 1, "unknown escape in string"},
        {"short-unicode-escape", "\"\\u12\"", -EBADMSG, 1, "\\u needs four hex digits"},
        {"lone-high-surrogate", "\"\\ud800\"", -EBADMSG, 1, "lone surrogate"},
        {"lone-low-surrogate", "\"\\udc00\"", -EBADMSG, 1, "lone surrogate"},
        {"overlong-utf8", "\"\xc0\xaf\"", -EBADMSG, 1, "not valid UTF-8"},
        {"surrogate-utf8", "\"\xed\xa0\x80\"", -EBADMSG, 1, "not valid UTF-8"},
        {"beyond-unicode-utf8", "\"\xf4\x90\x80\x80\"", -EBADMSG, 1, "not valid UTF-8"},
        {"cut-utf8", "\"\xe2\x82\"", -EBADMSG, 1, "not valid UTF-8"},
        {"trailing-comma", "[1,]", -EBADMSG, 3, "expected a value"},
        {"missing-comma", "[1 2]", -EBADMSG, 3, "expected ',' or ']'"},
        {"open-array", "[1", -EBADMSG, 2, "expected ',' or ']'"},
        {"key-without-quotes", "{a:1}", -EBADMSG, 1, "expected a key in quotes"},
        {"missing-colon", "{\"a\" 1}", -EBADMSG, 5, "expected ':'"},
        {"duplicate-key", "{\"a\":1,\"a\":2}", -EBADMSG, 7, "duplicate key"},
        {"duplicate-key-escaped", "{\"a\":1,\"\\u0061\":2}", -EBADMSG, 7, "duplicate key"},
        {"duplicate-long-key", "{\"a long key of many\":1,\"b\":2,\"a long key of many\":3}",
         -EBADMSG, 30, "duplicate key"},
        {"comment", "[1] // x", -EBADMSG, 4, "more text after the value"},
};

static void test_refuses(gconstpointer data)
{
        const Refusal *row = data;
        CLEANUP_JSON_DOC JsonDoc doc = {};

        g_assert_cmpint(json_scan(&doc, row->text, strlen(row->text), JSON_SCAN_STRICT), ==,
                        row->code);
        g_assert_cmpstr(doc.error_reason, ==, row->reason);
        g_assert_cmpuint(doc.error_offset, ==, row->offset);
        g_assert_cmpuint(doc.n_nodes, ==, 0);
}

static void test_indexes_nested_values(void)
{
        static const char text[] = " {\"a\":[1,\"x\",{}], \"b\" : null } ";
        CLEANUP_JSON_DOC JsonDoc doc = {};
        uint32_t a, b;
        size_t length;

        g_assert_cmpint(json_scan(&doc, text, strlen(text), JSON_SCAN_STRICT), ==, 0);
        g_assert_cmpint(json_type(&doc, 0), ==, JSON_OBJECT);
        g_assert_cmpuint(doc.nodes[0].count, ==, 2);
        a = json_find(&doc, 0, "a");
        b = json_find(&doc, 0, "b");
        g_assert_cmpuint(a, !=, 0);
        g_assert_cmpint(json_type(&doc, a), ==, JSON_ARRAY);
        g_assert_cmpuint(doc.nodes[a].count, ==, 3);
        g_assert_cmpint(json_type(&doc, b), ==, JSON_NULL);
        g_assert_cmpuint(json_find(&doc, 0, "c"), ==, 0);
        g_assert_cmpint(strncmp(json_raw(&doc, a, &length), "[1,\"x\",{}]", 10), ==, 0);
        g_assert_cmpuint(length, ==, 10);
}

static void test_limits_depth(void)
{
        g_autofree char *text = g_strnfill(33 * 2, '[');
        CLEANUP_JSON_DOC JsonDoc doc = {};

        memset(text + 33, ']', 33);
        g_assert_cmpint(json_scan(&doc, text, 66, JSON_SCAN_STRICT), ==, -E2BIG);
        g_assert_cmpstr(doc.error_reason, ==, "nested too deep");
        g_assert_cmpint(json_scan(&doc, text + 1, 64, JSON_SCAN_STRICT), ==, 0);
}

static void test_limits_nodes(void)
{
        g_autoptr(GString) text = g_string_new("[0");
        CLEANUP_JSON_DOC JsonDoc doc = {};

        for (unsigned i = 0; i < 300000; i++)
                g_string_append(text, ",0");
        g_string_append_c(text, ']');
        g_assert_cmpint(json_scan(&doc, text->str, text->len, JSON_SCAN_STRICT), ==, -EMSGSIZE);
        g_assert_cmpstr(doc.error_reason, ==, "too many values");
}

/* Same length, same beginning, same end. */
static void test_takes_keys_that_are_much_alike(void)
{
        static const char text[] = "{\"/a/path/of/one/object\":1,\"/a/path/of/two/object\":2,"
                                   "\"\\u0061b\":3,\"\\u0061c\":4}";
        CLEANUP_JSON_DOC JsonDoc doc = {};
        uint32_t node;
        int64_t value;

        g_assert_cmpint(json_scan(&doc, text, strlen(text), JSON_SCAN_STRICT), ==, 0);
        node = json_find(&doc, 0, "/a/path/of/two/object");
        g_assert_cmpint(json_int64(&doc, node, &value), ==, 0);
        g_assert_cmpint(value, ==, 2);
        node = json_find(&doc, 0, "ac");
        g_assert_cmpint(json_int64(&doc, node, &value), ==, 0);
        g_assert_cmpint(value, ==, 4);
        g_assert_cmpuint(json_find(&doc, 0, "a"), ==, 0);
}

static void test_finds_duplicates_among_many_keys(void)
{
        g_autoptr(GString) text = g_string_new("{");
        CLEANUP_JSON_DOC JsonDoc doc = {};

        for (unsigned i = 0; i < 5000; i++)
                g_string_append_printf(text, "\"key%u\":%u,", i, i);
        g_string_append(text, "\"last\":0}");
        g_assert_cmpint(json_scan(&doc, text->str, text->len, JSON_SCAN_STRICT), ==, 0);
        g_assert_cmpuint(doc.nodes[0].count, ==, 5001);
        g_string_truncate(text, text->len - 1);
        g_string_append(text, ",\"k\\u0065y77\":0}");
        g_assert_cmpint(json_scan(&doc, text->str, text->len, JSON_SCAN_STRICT), ==, -EBADMSG);
        g_assert_cmpstr(doc.error_reason, ==, "duplicate key");
        g_assert_cmpint(strncmp(text->str + doc.error_offset, "\"k\\u0065y77\"", 12), ==, 0);
}

static void test_skips_comments_in_files(void)
{
        static const char text[] = "// top\n{ /* in */ \"a\": 1 // end\n}\n";
        CLEANUP_JSON_DOC JsonDoc doc = {};

        g_assert_cmpint(json_scan(&doc, text, strlen(text), JSON_SCAN_COMMENTS), ==, 0);
        g_assert_cmpint(json_scan(&doc, "{/*", 3, JSON_SCAN_COMMENTS), ==, -EBADMSG);
        g_assert_cmpstr(doc.error_reason, ==, "comment without an end");
}

static void test_is_reusable(void)
{
        CLEANUP_JSON_DOC JsonDoc doc = {};

        g_assert_cmpint(json_scan(&doc, "[1,2,3]", 7, JSON_SCAN_STRICT), ==, 0);
        g_assert_cmpuint(doc.n_nodes, ==, 4);
        g_assert_cmpint(json_scan(&doc, "[", 1, JSON_SCAN_STRICT), ==, -EBADMSG);
        g_assert_cmpint(json_scan(&doc, "7", 1, JSON_SCAN_STRICT), ==, 0);
        g_assert_cmpuint(doc.n_nodes, ==, 1);
}

/* Plain bytes are skipped eight at a time: whatever is not plain must be seen at each of them. */
static void test_sees_special_bytes_anywhere(void)
{
        CLEANUP_JSON_DOC JsonDoc doc = {};

        for (unsigned length = 1; length <= 20; length++)
                for (unsigned at = 1; at <= length; at++)
                        for (unsigned c = 1; c < 256; c++) {
                                g_autofree char *text = g_strnfill(length + 2, 'x');
                                bool ok = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';

                                text[0] = text[length + 1] = '"';
                                text[at] = (char)c;
                                g_assert_cmpint(json_scan(&doc, text, length + 2, JSON_SCAN_STRICT),
                                                ==, ok ? 0 : -EBADMSG);
                        }
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++) {
                g_autofree char *path = g_strconcat("/json-scan/refuses/", refusals[i].name, NULL);

                g_test_add_data_func(path, &refusals[i], test_refuses);
        }
        g_test_add_func("/json-scan/indexes-nested-values", test_indexes_nested_values);
        g_test_add_func("/json-scan/limits-depth", test_limits_depth);
        g_test_add_func("/json-scan/limits-nodes", test_limits_nodes);
        g_test_add_func("/json-scan/takes-keys-that-are-much-alike",
                        test_takes_keys_that_are_much_alike);
        g_test_add_func("/json-scan/finds-duplicates-among-many-keys",
                        test_finds_duplicates_among_many_keys);
        g_test_add_func("/json-scan/skips-comments-in-files", test_skips_comments_in_files);
        g_test_add_func("/json-scan/sees-special-bytes-anywhere", test_sees_special_bytes_anywhere);
        g_test_add_func("/json-scan/is-reusable", test_is_reusable);
        return g_test_run();
}
