/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/json-read.h"

#include <errno.h>
#include <glib.h>
#include <math.h>
#include <string.h>

#include "libmqttrpc/reply.h"

static MqttRpcReply *new_reply(const char *result)
{
        return reply_new_result(result, strlen(result));
}

#define READ(result, ...)                                       \
        __extension__({                                         \
                MqttRpcReply *reply = new_reply(result);        \
                int r = mqttrpc_reply_read(reply, __VA_ARGS__); \
                                                                \
                mqttrpc_reply_unref(reply);                     \
                r;                                              \
        })

static void test_every_type_has_its_pointer(void)
{
        MqttRpcReply *reply = new_reply("[255,true,-32768,65535,-2147483648,4294967295,"
                                        "\"-9223372036854775808\",\"18446744073709551615\",1.5,"
                                        "\"a\\n\",\"/a\",\"as\",\"AP8=\",{\"a\": [1]}]");
        const char *s, *o, *g, *v;
        const void *bytes;
        size_t length;
        uint8_t y;
        bool b;
        int16_t n;
        uint16_t q;
        int32_t i;
        uint32_t u;
        int64_t x;
        uint64_t t;
        double d;

        g_assert_cmpint(mqttrpc_reply_read(reply, "ybnqiuxtdsogayv", &y, &b, &n, &q, &i, &u, &x, &t,
                                           &d, &s, &o, &g, &bytes, &length, &v),
                        ==, 0);
        g_assert_cmpuint(y, ==, 255);
        g_assert_true(b);
        g_assert_cmpint(n, ==, INT16_MIN);
        g_assert_cmpuint(q, ==, UINT16_MAX);
        g_assert_cmpint(i, ==, INT32_MIN);
        g_assert_cmpuint(u, ==, UINT32_MAX);
        g_assert_cmpint(x, ==, INT64_MIN);
        g_assert_cmpuint(t, ==, UINT64_MAX);
        g_assert_cmpfloat(d, ==, 1.5);
        g_assert_cmpstr(s, ==, "a\n");
        g_assert_cmpstr(o, ==, "/a");
        g_assert_cmpstr(g, ==, "as");
        g_assert_cmpmem(bytes, length, "\0\xff", 2);
        g_assert_cmpstr(v, ==, "{\"a\": [1]}");
        mqttrpc_reply_unref(reply);
}

static void test_doubles_that_json_has_no_number_for(void)
{
        double d;

        g_assert_cmpint(READ("\"NaN\"", "d", &d), ==, 0);
        g_assert_true(isnan(d));
        g_assert_cmpint(READ("\"-Infinity\"", "d", &d), ==, 0);
        g_assert_true(isinf(d) && d < 0);
        g_assert_cmpint(READ("7", "d", &d), ==, 0);
        g_assert_cmpfloat(d, ==, 7);
}

static void test_values_that_do_not_fit(void)
{
        static const struct {
                const char *result;
                const char *type;
                int failure;
        } rows[] = {
                {"256", "y", -ERANGE},
                {"-1", "y", -ERANGE},
                {"32768", "n", -ERANGE},
                {"65536", "q", -ERANGE},
                {"2147483648", "i", -ERANGE},
                {"4294967296", "u", -ERANGE},
                {"9223372036854775808", "x", -ERANGE},
                {"\"18446744073709551616\"", "t", -ERANGE},
                {"1e999", "d", -ERANGE},
                {"1.5", "i", -EINVAL},
                {"1e3", "x", -EINVAL},
                {"\"5\"", "u", -EINVAL},
                {"\"0x5\"", "t", -EINVAL},
                {"\"1.5\"", "d", -EINVAL},
                {"1", "b", -EINVAL},
                {"null", "b", -EINVAL},
                {"5", "s", -EINVAL},
                {"null", "s", -EINVAL},
                {"\"a\\u0000\"", "s", -EINVAL},
                {"\"a\"", "o", -EINVAL},
                {"\"a\"", "g", -EINVAL},
                {"\"a\"", "ay", -EINVAL},
                {"[1]", "ay", -EINVAL},
                {"[1]", "ai", -EINVAL},
                {"[1]", "(i)", -EINVAL},
                {"{}", "a{sv}", -EINVAL},
                {"1", "h", -EINVAL},
                {"1", "z", -EINVAL},
                {"1", "", -EINVAL},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                uint64_t untouched[2] = {42, 43};

                g_test_message("%s as %s", rows[i].result, rows[i].type);
                g_assert_cmpint(READ(rows[i].result, rows[i].type, &untouched[0], &untouched[1]),
                                ==, rows[i].failure);
                g_assert_cmpuint(untouched[0], ==, 42);
                g_assert_cmpuint(untouched[1], ==, 43);
        }
}

static void test_count_must_be_right(void)
{
        const char *a = "untouched";
        int32_t b = 42;

        g_assert_cmpint(READ("null", ""), ==, 0);
        g_assert_cmpint(READ("null", NULL), ==, 0);
        g_assert_cmpint(READ("[]", ""), ==, -EINVAL);
        g_assert_cmpint(READ("[\"a\"]", "si", &a, &b), ==, -EINVAL);
        g_assert_cmpint(READ("[\"a\",1,2]", "si", &a, &b), ==, -EINVAL);
        g_assert_cmpint(READ("{\"a\":1}", "si", &a, &b), ==, -EINVAL);
        g_assert_cmpint(READ("\"a\"", "si", &a, &b), ==, -EINVAL);
        /* The first one is good, but nothing is written unless all are. */
        g_assert_cmpint(READ("[\"a\",1.5]", "si", &a, &b), ==, -EINVAL);
        g_assert_cmpstr(a, ==, "untouched");
        g_assert_cmpint(b, ==, 42);
}

static void test_what_is_not_wanted(void)
{
        int32_t i = 0;

        g_assert_cmpint(READ("[\"a\",1,\"AA==\"]", "siay", (char **)NULL, &i, (void **)NULL,
                             (size_t *)NULL),
                        ==, 0);
        g_assert_cmpint(i, ==, 1);
}

static void test_texts_live_as_long_as_the_reply(void)
{
        MqttRpcReply *reply = new_reply("\"\\u0061\"");
        const char *texts[100];

        for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
                g_assert_cmpint(mqttrpc_reply_read(reply, "s", &texts[i]), ==, 0);
        for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
                g_assert_cmpstr(texts[i], ==, "a");
        mqttrpc_reply_unref(reply);
}

static void test_failed_reply(void)
{
        MqttRpcReply *reply = reply_new_error(mqttrpc_error_new(MQTTRPC_ERROR_NOT_FOUND, "none"));
        const char *text = "untouched";

        g_assert_cmpint(mqttrpc_reply_read(reply, "s", &text), ==, -ENOENT);
        mqttrpc_reply_unref(reply);
        reply = reply_new_error(NULL);
        g_assert_cmpint(mqttrpc_reply_read(reply, "s", &text), ==, -ENOMEM);
        mqttrpc_reply_unref(reply);
        g_assert_cmpstr(text, ==, "untouched");
}

/* ---- inside ---- */

static int read_array(BorrowedList *borrowed, const char *json, const char *types, ...)
{
        CLEANUP_JSON_DOC JsonDoc doc = {};
        va_list args;
        int r;

        g_assert_cmpint(json_scan(&doc, json, strlen(json), JSON_SCAN_STRICT), ==, 0);
        va_start(args, types);
        r = json_read_values(&doc, 0, types, true, borrowed, args);
        va_end(args);
        return r;
}

static void test_one_value_of_an_array(void)
{
        CLEANUP(borrowed_list_done) BorrowedList borrowed = {};
        const char *text = NULL;

        g_assert_cmpint(read_array(&borrowed, "[\"a\"]", "s", &text), ==, 0);
        g_assert_cmpstr(text, ==, "a");
        g_assert_cmpint(read_array(&borrowed, "\"a\"", "s", &text), ==, -EINVAL);
        g_assert_cmpint(read_array(&borrowed, "[]", ""), ==, 0);
        g_assert_cmpint(read_array(&borrowed, "null", ""), ==, -EINVAL);
}

static void test_failure_leaves_no_text_behind(void)
{
        CLEANUP(borrowed_list_done) BorrowedList borrowed = {};
        const char *text = NULL;

        g_assert_cmpint(read_array(&borrowed, "[\"a\"]", "s", &text), ==, 0);
        g_assert_cmpint(read_array(&borrowed, "[\"b\",\"c\",5]", "sss", &text, &text, &text), ==,
                        -EINVAL);
        g_assert_cmpuint(borrowed.count, ==, 1);
        g_assert_cmpstr(text, ==, "a");
}

static void test_as_many_values_as_a_signature_has(void)
{
        CLEANUP(borrowed_list_done) BorrowedList borrowed = {};
        g_autofree char *types = g_strnfill(254, 'v');
        g_autoptr(GString) json = g_string_new("[1");

        for (unsigned i = 1; i < 254; i++)
                g_string_append(json, ",1");
        g_string_append_c(json, ']');
        types[0] = 's';
        g_assert_cmpint(read_array(&borrowed, json->str, types), ==, -EINVAL);
        types[0] = 'v';
        types[253] = 's';
        g_assert_cmpint(read_array(&borrowed, json->str, types), ==, -EINVAL);
        g_assert_cmpuint(borrowed.count, ==, 0);
}

int main(int argc, char **argv)
{
        static const struct {
                const char *path;
                void (*function)(void);
        } tests[] = {
                {"/json-read/every-type-has-its-pointer", test_every_type_has_its_pointer},
                {"/json-read/doubles-that-json-has-no-number-for",
                 test_doubles_that_json_has_no_number_for},
                {"/json-read/values-that-do-not-fit", test_values_that_do_not_fit},
                {"/json-read/count-must-be-right", test_count_must_be_right},
                {"/json-read/what-is-not-wanted", test_what_is_not_wanted},
                {"/json-read/texts-live-as-long-as-the-reply",
                 test_texts_live_as_long_as_the_reply},
                {"/json-read/failed-reply", test_failed_reply},
                {"/json-read/one-value-of-an-array", test_one_value_of_an_array},
                {"/json-read/failure-leaves-no-text-behind", test_failure_leaves_no_text_behind},
                {"/json-read/as-many-values-as-a-signature-has",
                 test_as_many_values_as_a_signature_has},
        };

        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
                g_test_add_func(tests[i].path, tests[i].function);
        return g_test_run();
}
