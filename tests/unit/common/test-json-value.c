/* SPDX-License-Identifier: MIT */

#include "common/json-scan.h"

#include <errno.h>
#include <glib.h>
#include <locale.h>
#include <math.h>
#include <string.h>

typedef struct IntegerRow {
        const char *text;
        int signed_code;
        int64_t signed_value;
        int unsigned_code;
        uint64_t unsigned_value;
} IntegerRow;

static const IntegerRow integers[] = {
        {"0", 0, 0, 0, 0},
        {"-0", 0, 0, 0, 0},
        {"9007199254740993", 0, 9007199254740993, 0, 9007199254740993},
        {"9223372036854775807", 0, INT64_MAX, 0, INT64_MAX},
        {"9223372036854775808", -ERANGE, 0, 0, UINT64_C(9223372036854775808)},
        {"-9223372036854775808", 0, INT64_MIN, -ERANGE, 0},
        {"-9223372036854775809", -ERANGE, 0, -ERANGE, 0},
        {"18446744073709551615", -ERANGE, 0, 0, UINT64_MAX},
        {"18446744073709551616", -ERANGE, 0, -ERANGE, 0},
        {"5.0", 0, 5, 0, 5},
        {"5.5", -EINVAL, 0, -EINVAL, 0},
        {"5.00000000000000000000001", -EINVAL, 0, -EINVAL, 0},
        {"1e3", -EINVAL, 0, -EINVAL, 0},
        {"1.2e+15", -EINVAL, 0, -EINVAL, 0},
        {"\"5\"", -EINVAL, 0, -EINVAL, 0},
        {"true", -EINVAL, 0, -EINVAL, 0},
};

/* traps 1 and 2: no integer goes through a double, none is cut or wrapped. */
static void test_integers_are_exact_or_refused(void)
{
        for (gsize i = 0; i < G_N_ELEMENTS(integers); i++) {
                const IntegerRow *row = &integers[i];
                CLEANUP_JSON_DOC JsonDoc doc = {};
                uint64_t u = 0;
                int64_t s = 0;

                g_test_message("%s", row->text);
                g_assert_cmpint(json_scan(&doc, row->text, strlen(row->text), 0), ==, 0);
                g_assert_cmpint(json_int64(&doc, 0, &s), ==, row->signed_code);
                g_assert_cmpint(s, ==, row->signed_value);
                g_assert_cmpint(json_uint64(&doc, 0, &u), ==, row->unsigned_code);
                g_assert_cmpuint(u, ==, row->unsigned_value);
        }
}

static void test_doubles_in_any_locale(void)
{
        CLEANUP_JSON_DOC JsonDoc doc = {};
        double value;

        setlocale(LC_ALL, "de_DE.UTF-8");
        g_assert_cmpint(json_scan(&doc, "[2.5,1e999,-1e-5]", 17, 0), ==, 0);
        g_assert_cmpint(json_double(&doc, 1, &value), ==, 0);
        g_assert_cmpfloat(value, ==, 2.5);
        g_assert_cmpint(json_double(&doc, 2, &value), ==, -ERANGE);
        g_assert_cmpint(json_double(&doc, 3, &value), ==, 0);
        g_assert_cmpfloat(value, ==, -1e-5);
        g_assert_cmpint(json_double(&doc, 0, &value), ==, -EINVAL);
        setlocale(LC_ALL, "C");
}

static void test_strings_are_unescaped(void)
{
        static const char text[] = "[\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20ac\\ud83d\\ude00z\","
                                   "\"plain\",\"nul\\u0000in\"]";
        CLEANUP_JSON_DOC JsonDoc doc = {};
        g_autofree char *first = NULL;
        char *second = NULL;

        g_assert_cmpint(json_scan(&doc, text, strlen(text), 0), ==, 0);
        g_assert_cmpint(json_string_dup(&doc, 1, &first), ==, 0);
        g_assert_cmpstr(first, ==, "a\"\\/\b\f\n\r\té€😀z");
        g_assert_true(json_string_is(&doc, 1, first));
        g_assert_true(json_string_is(&doc, 2, "plain"));
        g_assert_false(json_string_is(&doc, 2, "plai"));
        g_assert_false(json_string_is(&doc, 2, "plainer"));
        g_assert_cmpint(json_string_dup(&doc, 3, &second), ==, -EILSEQ);
        g_assert_false(json_string_is(&doc, 3, "nul"));
        g_assert_cmpint(json_string_dup(&doc, 0, &second), ==, -EINVAL);
        g_assert_null(second);
}

static void test_positions_count_from_one(void)
{
        unsigned line, column;

        json_position("ab\ncd", 0, &line, &column);
        g_assert_cmpuint(line, ==, 1);
        g_assert_cmpuint(column, ==, 1);
        json_position("ab\ncd", 4, &line, &column);
        g_assert_cmpuint(line, ==, 2);
        g_assert_cmpuint(column, ==, 2);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/json-value/integers-are-exact-or-refused",
                        test_integers_are_exact_or_refused);
        g_test_add_func("/json-value/doubles-in-any-locale", test_doubles_in_any_locale);
        g_test_add_func("/json-value/strings-are-unescaped", test_strings_are_unescaped);
        g_test_add_func("/json-value/positions-count-from-one", test_positions_count_from_one);
        return g_test_run();
}
