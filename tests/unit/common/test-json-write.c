/* SPDX-License-Identifier: MIT */

#include "common/json-write.h"

#include <errno.h>
#include <glib.h>
#include <math.h>
#include <string.h>

static void test_integers(void)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);

        json_write_int64(&buffer, INT64_MIN);
        buffer_append_char(&buffer, ' ');
        json_write_uint64(&buffer, UINT64_MAX);
        buffer_append_char(&buffer, ' ');
        json_write_int64(&buffer, 0);
        g_assert_cmpstr(buffer_text(&buffer), ==, "-9223372036854775808 18446744073709551615 0");
}

static void test_big_integers_become_strings(void)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);

        json_write_int64_safe(&buffer, JSON_SAFE_INTEGER);
        json_write_int64_safe(&buffer, -JSON_SAFE_INTEGER);
        json_write_int64_safe(&buffer, JSON_SAFE_INTEGER + 1);
        json_write_int64_safe(&buffer, -JSON_SAFE_INTEGER - 1);
        json_write_uint64_safe(&buffer, UINT64_MAX);
        g_assert_cmpstr(buffer_text(&buffer), ==,
                        "9007199254740991-9007199254740991\"9007199254740992\""
                        "\"-9007199254740992\"\"18446744073709551615\"");
}

static void test_doubles_read_back_the_same(void)
{
        static const double values[] = {0.0,     -0.0,      1.0,      0.1,
                                        1.0 / 3, 1e15,      1e16,     5e-324,
                                        1.5e300, 123456.75, -2.5e-10, 999999999999999.0};

        for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
                CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
                double back;

                json_write_double(&buffer, values[i]);
                back = strtod(buffer_text(&buffer), NULL);
                g_assert_cmpint(memcmp(&back, &values[i], sizeof(back)), ==, 0);
        }
}

/* Fifteen digits where they suffice, else one or two more. */
static void assert_shortest(double value)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        char text[64];

        for (int precision = 15; precision <= 17; precision++) {
                g_snprintf(text, sizeof(text), "%.*g", precision, value);
                if (g_ascii_strtod(text, NULL) == value)
                        break;
        }
        g_assert_cmpint(json_write_double(&buffer, value), ==, 0);
        g_assert_cmpstr(buffer.data, ==, text);
}

/* Values that were measured, their neighbours, and any others, of which there are many more. */
static void test_fractions_are_short(void)
{
        g_autoptr(GRand) random = g_rand_new_with_seed(7);
        double scale = 1;

        for (unsigned decimals = 1; decimals <= 9; decimals++) {
                scale *= 10;
                for (unsigned i = 0; i < 2000; i++) {
                        double value = (g_rand_int(random) | 1) / scale;

                        assert_shortest(value);
                        assert_shortest(-value);
                        assert_shortest(nextafter(value, 0));
                        assert_shortest(nextafter(value, 1e300));
                        assert_shortest(g_rand_double_range(random, -1e6, 1e6) / scale);
                }
        }
        assert_shortest(999999999.999999);
        assert_shortest(1000000000.5);
        assert_shortest(0.001);
        assert_shortest(0.0001);
}

static void test_non_finite_doubles_are_words(void)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);

        json_write_double(&buffer, (double)NAN);
        json_write_double(&buffer, (double)INFINITY);
        json_write_double(&buffer, -(double)INFINITY);
        g_assert_cmpstr(buffer_text(&buffer), ==, "\"NaN\"\"Infinity\"\"-Infinity\"");
}

static void test_strings_are_escaped(void)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);

        json_write_string(&buffer, "a\"b\\c\n\x01\x7f\0é", 11);
        g_assert_cmpstr(buffer_text(&buffer), ==, "\"a\\\"b\\\\c\\n\\u0001\\u007f\\u0000é\"");
}

static void test_special_bytes_are_escaped_anywhere(void)
{
        for (unsigned length = 1; length <= 20; length++)
                for (unsigned at = 0; at < length; at++)
                        for (unsigned c = 0; c < 256; c++) {
                                CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
                                g_autofree char *text = g_strnfill(length, 'x');
                                bool escaped = c < 0x20 || c == '"' || c == '\\' || c == 0x7f;

                                text[at] = (char)c;
                                g_assert_cmpint(json_write_string(&buffer, text, length), ==, 0);
                                g_assert_cmpuint(buffer.length > length + 2, ==, escaped);
                                g_assert_cmpint(buffer.data[at + 1], ==, escaped ? '\\' : (char)c);
                        }
}

static void test_bound_is_kept_and_sticky(void)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(8);

        g_assert_cmpint(json_write_string(&buffer, "123456", 6), ==, 0);
        g_assert_cmpint(json_write_int64(&buffer, 1), ==, -EMSGSIZE);
        g_assert_cmpint(buffer_append(&buffer, "", 0), ==, -EMSGSIZE);
        g_assert_cmpstr(buffer_text(&buffer), ==, "\"123456\"");
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/json-write/integers", test_integers);
        g_test_add_func("/json-write/big-integers-become-strings",
                        test_big_integers_become_strings);
        g_test_add_func("/json-write/doubles-read-back-the-same", test_doubles_read_back_the_same);
        g_test_add_func("/json-write/fractions-are-short", test_fractions_are_short);
        g_test_add_func("/json-write/non-finite-doubles-are-words",
                        test_non_finite_doubles_are_words);
        g_test_add_func("/json-write/strings-are-escaped", test_strings_are_escaped);
        g_test_add_func("/json-write/special-bytes-are-escaped-anywhere",
                        test_special_bytes_are_escaped_anywhere);
        g_test_add_func("/json-write/bound-is-kept-and-sticky", test_bound_is_kept_and_sticky);
        return g_test_run();
}
