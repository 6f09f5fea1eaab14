/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/json-build.h"

#include <errno.h>
#include <glib.h>
#include <math.h>
#include <string.h>

#include "common/limits.h"
#include "mqttrpc/mqttrpc.h"

#define assert_value(expected, ...)                                             \
        do {                                                                    \
                g_autofree char *text = NULL;                                   \
                                                                                \
                g_assert_cmpint(mqttrpc_json_value(&text, __VA_ARGS__), ==, 0); \
                g_assert_cmpstr(text, ==, (expected));                          \
        } while (0)

#define assert_refused(expected, ...)                                                    \
        do {                                                                             \
                char *text = (char *)"untouched";                                        \
                                                                                         \
                g_assert_cmpint(mqttrpc_json_value(&text, __VA_ARGS__), ==, (expected)); \
                g_assert_cmpstr(text, ==, "untouched");                                  \
        } while (0)

static void test_integers_are_exact(void)
{
        assert_value("0", "y", 0);
        assert_value("255", "y", (uint8_t)255);
        assert_value("-32768", "n", INT16_MIN);
        assert_value("65535", "q", UINT16_MAX);
        assert_value("-2147483648", "i", INT32_MIN);
        assert_value("4294967295", "u", UINT32_MAX);
        assert_value("9007199254740991", "x", INT64_C(9007199254740991));
        assert_value("-9007199254740991", "x", -INT64_C(9007199254740991));
        assert_value("\"9007199254740992\"", "x", INT64_C(9007199254740992));
        assert_value("\"-9223372036854775808\"", "x", INT64_MIN);
        assert_value("9007199254740991", "t", UINT64_C(9007199254740991));
        assert_value("\"18446744073709551615\"", "t", UINT64_MAX);
}

static void test_integers_are_not_cut(void)
{
        assert_refused(-ERANGE, "y", 256);
        assert_refused(-ERANGE, "y", -1);
        assert_refused(-ERANGE, "n", 32768);
        assert_refused(-ERANGE, "n", -32769);
        assert_refused(-ERANGE, "q", 65536);
        assert_refused(-ERANGE, "q", -1);
        assert_refused(-ERANGE, "a{yy}", 1U, 300, 0);
}

static void test_booleans_and_doubles(void)
{
        assert_value("true", "b", true);
        assert_value("false", "b", 0);
        assert_value("true", "b", 2);
        assert_value("0.1", "d", 0.1);
        assert_value("5", "d", 5.0);
        assert_value("-0.0", "d", -0.0);
        assert_value("\"NaN\"", "d", (double)NAN);
        assert_value("\"Infinity\"", "d", (double)INFINITY);
        assert_value("\"-Infinity\"", "d", -(double)INFINITY);
}

static void test_strings(void)
{
        assert_value("\"\"", "s", "");
        assert_value("\"a\\\"\\n\\u0001é\"", "s", "a\"\n\001é");
        assert_value("\"/a/b\"", "o", "/a/b");
        assert_value("\"a{sv}u\"", "g", "a{sv}u");
        assert_refused(-EINVAL, "s", (const char *)NULL);
        assert_refused(-EINVAL, "s", "\xff");
        assert_refused(-EINVAL, "s", "\xed\xa0\x80");
        assert_refused(-EINVAL, "o", "a");
        assert_refused(-EINVAL, "o", "");
        assert_refused(-EINVAL, "g", "a");
        assert_refused(-EINVAL, "g", "a{vs}");
}

static void test_bytes(void)
{
        assert_value("\"\"", "ay", 0U, (void *)NULL);
        assert_value("\"AP8=\"", "ay", 2U, "\0\xff");
        assert_value("[\"Zg==\",\"Zm9v\"]", "aay", 2U, 1U, "f", 3U, "foo");
        assert_refused(-EINVAL, "ay", 1U, (void *)NULL);
}

static void test_arrays_and_structs(void)
{
        assert_value("[]", "ai", 0U);
        assert_value("[1,-2,3]", "ai", 3U, 1, -2, 3);
        assert_value("[[],[1],[2,3]]", "aau", 3U, 0U, 1U, 1U, 2U, 2U, 3U);
        assert_value("[\"a\",[1,\"2\"],true]", "(s(us)b)", "a", 1U, "2", 1);
        assert_value("[[\"a\",1],[\"b\",2]]", "a(si)", 2U, "a", 1, "b", 2);
        assert_refused(-EINVAL, "as", 2U, "a", "\xc0\x80");
        assert_refused(-EINVAL, "(ss)", "a", (const char *)NULL);
}

static void test_dicts(void)
{
        assert_value("{}", "a{ss}", 0U);
        assert_value("{\"a\":1,\"b\":2}", "a{si}", 2U, "a", 1, "b", 2);
        assert_value("{\"/a\":[]}", "a{oas}", 1U, "/a", 0U);
        assert_value("{\"true\":1}", "a{bi}", 1U, 1, 1);
        assert_value("{\"-5\":1}", "a{ii}", 1U, -5, 1);
        assert_value("{\"9007199254740993\":\"9007199254740993\"}", "a{xx}", 1U,
                     INT64_C(9007199254740993), INT64_C(9007199254740993));
        assert_value("{\"1.5\":0,\"NaN\":1}", "a{di}", 2U, 1.5, 0, (double)NAN, 1);
        assert_value("{\"a\":{\"b\":null}}", "a{sa{sv}}", 1U, "a", 1U, "b", "null");
        assert_refused(-EINVAL, "a{si}", 2U, "a", 1, "a", 2);
        assert_refused(-EINVAL, "a{oi}", 1U, "a", 1);
        assert_refused(-EINVAL, "a{si}", 1U, "\xff", 1);
}

static void test_any_value(void)
{
        assert_value("{\"a\": [1, 2]}", "v", " {\"a\": [1, 2]}\n");
        assert_value("[12345678901234567890,null]", "av", 2U, "12345678901234567890", "null");
        assert_refused(-EINVAL, "v", (const char *)NULL);
        assert_refused(-EINVAL, "v", "");
        assert_refused(-EINVAL, "v", "1,2");
        assert_refused(-EINVAL, "v", "nul");
        assert_refused(-EINVAL, "v", "{\"a\":1,\"a\":2}");
        assert_refused(-EINVAL, "v", "\"\xff\"");
        assert_refused(-EINVAL, "v", "// comment\n1");
}

/* 28 levels are taken by everybody; receivers count what is in a variant too. */
static void test_depth(void)
{
        g_autofree char *open = g_strnfill(LIMIT_VALUE_DEPTH, '[');
        g_autofree char *close = g_strnfill(LIMIT_VALUE_DEPTH, ']');
        g_autofree char *deepest = g_strconcat(open, close, NULL);
        g_autofree char *beside = g_strdup_printf("[[],%s", deepest + 1);
        g_autofree char *too_deep = g_strdup_printf("[%s]", deepest);
        g_autofree char *types = g_strnfill(LIMIT_VALUE_DEPTH + 2, 'a');
        g_autofree char *nested = NULL;

        assert_value(deepest, "v", deepest);
        assert_refused(-E2BIG, "v", too_deep);
        assert_refused(-E2BIG, "av", 1U, deepest);
        assert_value(beside, "v", beside);
        types[LIMIT_VALUE_DEPTH] = 's';
        types[LIMIT_VALUE_DEPTH + 1] = '\0';
        g_assert_cmpint(mqttrpc_json_value(&nested, types, 1U, 1U, 1U, 1U, 1U, 1U, 1U, 1U, 1U, 1U,
                                           1U, 1U, 1U, 1U, 1U, 1U, 1U, 1U, 1U, 1U, 1U, 1U, 1U, 1U,
                                           1U, 1U, 1U, 0U),
                        ==, 0);
        g_assert_cmpstr(nested, ==, deepest);
        types[LIMIT_VALUE_DEPTH] = 'a';
        types[LIMIT_VALUE_DEPTH + 1] = 's';
        assert_refused(-E2BIG, types, 1U, 1U, 1U, 1U, 1U, 1U, 1U, 1U, 1U, 1U, 1U, 1U, 1U, 1U, 1U,
                       1U, 1U, 1U, 1U, 1U, 1U, 1U, 1U, 1U, 1U, 1U, 1U, 1U, 0U);
}

static void test_types_are_checked(void)
{
        assert_refused(-EINVAL, NULL);
        assert_refused(-EINVAL, "");
        assert_refused(-EINVAL, "ss", "a", "b");
        assert_refused(-EINVAL, "z", 1);
        assert_refused(-EINVAL, "a", 1U);
        assert_refused(-EINVAL, "h", 1);
        assert_refused(-EINVAL, "a{vs}", 0U);
        assert_refused(-EINVAL, "(s", "a");
}

static void test_params(void)
{
        static const struct {
                const char *types;
                const char *text;
        } rows[] = {{NULL, "[]"}, {"", "[]"}, {"s", "[\"a\"]"}, {"su", "[\"a\",5]"}};

        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *text = NULL;

                g_assert_cmpint(mqttrpc_json_params(&text, rows[i].types, "a", 5U), ==, 0);
                g_assert_cmpstr(text, ==, rows[i].text);
        }
}

/* ---- inside ---- */

static int append(Buffer *buffer, bool as_array, const char *types, ...)
{
        va_list args;
        int r;

        va_start(args, types);
        r = json_build_append(buffer, types, as_array, args);
        va_end(args);
        return r;
}

static void test_appends_to_what_is_there(void)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);

        buffer_append_text(&buffer, "{\"result\":");
        g_assert_cmpint(append(&buffer, false, "sas", "a", 1U, "\xff"), ==, -EINVAL);
        g_assert_cmpstr(buffer_text(&buffer), ==, "{\"result\":");
        g_assert_cmpint(append(&buffer, false, "a{ss}", 2U, "a", "b", "a", "b"), ==, -EINVAL);
        g_assert_cmpstr(buffer_text(&buffer), ==, "{\"result\":");
        g_assert_cmpint(append(&buffer, false, "a{ss}", 1U, "a", "b"), ==, 0);
        g_assert_cmpstr(buffer_text(&buffer), ==, "{\"result\":{\"a\":\"b\"}");
}

static void test_results(void)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);

        g_assert_cmpint(append(&buffer, false, ""), ==, 0);
        g_assert_cmpint(append(&buffer, false, "s", "a"), ==, 0);
        g_assert_cmpint(append(&buffer, false, "si", "a", 1), ==, 0);
        g_assert_cmpint(append(&buffer, true, "s", "a"), ==, 0);
        g_assert_cmpint(append(&buffer, true, ""), ==, 0);
        g_assert_cmpstr(buffer_text(&buffer), ==, "null\"a\"[\"a\",1][\"a\"][]");
}

static void test_the_buffers_maximum_holds(void)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(16);

        g_assert_cmpint(append(&buffer, true, "ss", "12345678", "12345678"), ==, -EMSGSIZE);
        g_assert_cmpuint(buffer.length, ==, 0);
        buffer_clear(&buffer);
        g_assert_cmpint(append(&buffer, true, "ay", 100U, buffer_text(&buffer)), ==, -EMSGSIZE);
        g_assert_cmpuint(buffer.length, ==, 0);
}

int main(int argc, char **argv)
{
        static const struct {
                const char *path;
                void (*function)(void);
        } tests[] = {
                {"/json-build/integers-are-exact", test_integers_are_exact},
                {"/json-build/integers-are-not-cut", test_integers_are_not_cut},
                {"/json-build/booleans-and-doubles", test_booleans_and_doubles},
                {"/json-build/strings", test_strings},
                {"/json-build/bytes", test_bytes},
                {"/json-build/arrays-and-structs", test_arrays_and_structs},
                {"/json-build/dicts", test_dicts},
                {"/json-build/any-value", test_any_value},
                {"/json-build/depth", test_depth},
                {"/json-build/types-are-checked", test_types_are_checked},
                {"/json-build/params", test_params},
                {"/json-build/appends-to-what-is-there", test_appends_to_what_is_there},
                {"/json-build/results", test_results},
                {"/json-build/the-buffers-maximum-holds", test_the_buffers_maximum_holds},
        };

        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
                g_test_add_func(tests[i].path, tests[i].function);
        return g_test_run();
}
