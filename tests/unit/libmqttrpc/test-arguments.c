/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/arguments.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "common/limits.h"
#include "libmqttrpc/error.h"

/* ---- declarations ---- */

static void test_declaration_is_parsed(void)
{
        CLEANUP(argument_list_done) ArgumentList list = {};

        g_assert_cmpint(
                argument_list_parse("  zone:s degrees:d  a{sv} x:(ua{s(xt)}) ", &list, NULL), ==,
                0);
        g_assert_cmpuint(list.count, ==, 4);
        g_assert_cmpstr(list.items[0].name, ==, "zone");
        g_assert_cmpstr(list.items[0].type, ==, "s");
        g_assert_cmpstr(list.items[2].name, ==, "arg2");
        g_assert_cmpstr(list.items[2].type, ==, "a{sv}");
        g_assert_cmpstr(list.items[3].type, ==, "(ua{s(xt)})");
        argument_list_done(&list);
        g_assert_cmpint(argument_list_parse(NULL, &list, NULL), ==, 0);
        g_assert_cmpuint(list.count, ==, 0);
        g_assert_cmpint(argument_list_parse("", &list, NULL), ==, 0);
        g_assert_cmpuint(list.count, ==, 0);
}

static void test_declaration_is_refused(void)
{
        static const char *const rows[] = {"a:",  ":s",  "a b:ss",  "x:si",  "f:h",   "f:ah",
                                           "a:z", "a:(", "a:a{vs}", "a/b:s", "a:s:s", "a:a"};

        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
                ArgumentList list = {};

                g_test_message("%s", rows[i]);
                g_assert_cmpint(argument_list_parse(rows[i], &list, &error), ==, -EINVAL);
                g_assert_nonnull(error);
                g_assert_null(list.items);
        }
}

/* ---- values: traps 1, 2, 3, 4 ---- */

#define DECIMAL ": the string is not a decimal integer"

typedef struct ValueRow {
        const char *type;
        const char *value;
        const char *why; /* NULL: fits */
} ValueRow;

static const ValueRow values[] = {
        {"b", "true", NULL},
        {"b", "0", ": expected a boolean, got a number"},
        {"b", "\"true\"", ": expected a boolean, got a string"},
        {"y", "0", NULL},
        {"y", "255", NULL},
        {"y", "256", ": 256 does not fit into byte (y)"},
        {"y", "-1", ": -1 does not fit into byte (y)"},
        {"n", "-32768", NULL},
        {"n", "-32769", ": -32769 does not fit into int16 (n)"},
        {"n", "32768", ": 32768 does not fit into int16 (n)"},
        {"q", "65535", NULL},
        {"q", "65536", ": 65536 does not fit into uint16 (q)"},
        {"i", "-2147483648", NULL},
        {"i", "2147483648", ": 2147483648 does not fit into int32 (i)"},
        {"i", "5.0", NULL},
        {"i", "5.5", ": 5.5 is not an integer"},
        {"i", "1e3", ": 1e3 is not an integer"},
        {"i", "\"5\"", ": expected a number, got a string"},
        {"i", "null", ": expected a number, got null"},
        {"i", "99999999999999999999", ": 99999999999999999999 does not fit into int32 (i)"},
        {"u", "4294967295", NULL},
        {"u", "4294967296", ": 4294967296 does not fit into uint32 (u)"},
        {"x", "-9223372036854775808", NULL},
        {"x", "\"-9223372036854775808\"", NULL},
        {"x", "9223372036854775808", ": 9223372036854775808 does not fit into int64 (x)"},
        {"x", "\"9223372036854775808\"", ": 9223372036854775808 does not fit into int64 (x)"},
        {"x", "9007199254740993", NULL},
        {"x", "1.5", ": 1.5 is not an integer"},
        {"x", "\"1.0\"", DECIMAL},
        {"x", "\"\"", DECIMAL},
        {"x", "\" 1\"", DECIMAL},
        {"x", "\"0x10\"", DECIMAL},
        {"x", "\"007\"", DECIMAL},
        {"x", "[]", ": expected a number or a decimal string, got an array"},
        {"t", "18446744073709551615", NULL},
        {"t", "\"18446744073709551615\"", NULL},
        {"t", "18446744073709551616", ": 18446744073709551616 does not fit into uint64 (t)"},
        {"t", "-1", ": -1 does not fit into uint64 (t)"},
        {"d", "5", NULL},
        {"d", "-1.5e3", NULL},
        {"d", "\"NaN\"", NULL},
        {"d", "\"-Infinity\"", NULL},
        {"d", "1e999", ": 1e999 does not fit into double (d)"},
        {"d", "\"1.5\"",
         ": expected a number, \"NaN\", \"Infinity\" or \"-Infinity\", got a string"},
        {"s", "\"\"", NULL},
        {"s", "\"a\\u00e9\"", NULL},
        {"s", "\"a\\u0000b\"", ": \\u0000 cannot be in a string"},
        {"s", "5", ": expected a string, got a number"},
        {"o", "\"/a/b\"", NULL},
        {"o", "\"\\/\"", NULL},
        {"o", "\"a\"", ": not a valid object path"},
        {"o", "\"\"", ": not a valid object path"},
        {"o", "5", ": expected a string, got a number"},
        {"g", "\"a{sv}s\"", NULL},
        {"g", "\"a{vs}\"",
         ": not a valid signature, at character 2: the key of a dict must be of a basic type"},
        {"ay", "\"AAEC\"", NULL},
        {"ay", "\"\\/\\/==\"", ": not valid base64"},
        {"ay", "\"hello\"", ": not valid base64"},
        {"ay", "[1]", ": expected a base64 string, got an array"},
        {"ai", "[]", NULL},
        {"ai", "[1,-2]", NULL},
        {"ai", "[1,2.5]", "[1]: 2.5 is not an integer"},
        {"ai", "1", ": expected an array, got a number"},
        {"ao", "[\"/a\",\"b\"]", "[1]: not a valid object path"},
        {"a{si}", "{}", NULL},
        {"a{si}", "{\"a\":1}", NULL},
        {"a{si}", "{\"a\":\"1\"}", "[\"a\"]: expected a number, got a string"},
        {"a{si}", "[]", ": expected an object, got an array"},
        {"a{ui}", "{\"5\":1}", NULL},
        {"a{ui}", "{\"5a\":1}", "[\"5a\"]: the string is not a decimal integer"},
        {"a{yi}", "{\"256\":1}", "[\"256\"]: 256 does not fit into byte (y)"},
        {"a{bi}", "{\"true\":1,\"false\":2}", NULL},
        {"a{bi}", "{\"yes\":1}", "[\"yes\"]: the key is neither \"true\" nor \"false\""},
        {"a{di}", "{\"1.5\":1,\"NaN\":2}", NULL},
        {"a{di}", "{\"1.50\":1}", "[\"1.50\"]: the key is not a number in its shortest form"},
        {"a{oi}", "{\"/a\":1}", NULL},
        {"a{oi}", "{\"a\":1}", "[\"a\"]: not a valid object path"},
        {"a{gi}", "{\"(\":1}", "[\"(\"]: not a valid signature, at character 1: '(' without ')'"},
        {"(si)", "[\"a\",1]", NULL},
        {"(si)", "[\"a\"]", ": too few members in a struct"},
        {"(si)", "[\"a\",1,2]", ": too many members in a struct"},
        {"(si)", "[1,1]", "[0]: expected a string, got a number"},
        {"a(oa{sa{sv}})", "[[\"/a\",{\"i\":{\"p\":[1,null]}}]]", NULL},
        {"a((yy)u)", "[[[1,2],3]]", NULL},
        {"a((yy)u)", "[[[1,256],3]]", "[0][0][1]: 256 does not fit into byte (y)"},
        {"v", "null", NULL},
        {"v", "{\"a\":[1,{}]}", NULL},
};

static void test_value(gconstpointer data)
{
        const ValueRow *row = data;
        g_autofree char *declaration = g_strdup_printf("x:%s", row->type);
        g_autofree char *text = g_strdup_printf("[ %s ]", row->value);
        g_autofree char *expected = g_strdup_printf("[%s]", row->value);
        CLEANUP(argument_list_done) ArgumentList list = {};
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        CLEANUP_JSON_DOC JsonDoc doc = {};
        int r;

        g_assert_cmpint(argument_list_parse(declaration, &list, NULL), ==, 0);
        g_assert_cmpint(json_scan(&doc, text, strlen(text), 0), ==, 0);
        r = argument_list_check(&list, &doc, &buffer, &error);
        if (row->why) {
                g_autofree char *message =
                        g_strdup_printf("argument 'x' (%s)%s", row->type, row->why);

                g_assert_cmpint(r, ==, -EINVAL);
                g_assert_cmpstr(mqttrpc_error_get_message(error), ==, message);
                g_assert_nonnull(strstr(mqttrpc_error_get_data(error), "\"field\":\"x\""));
        } else {
                g_assert_cmpint(r, ==, 0);
                g_assert_cmpstr(buffer_text(&buffer), ==, expected);
        }
}

/* As deep as the codec of the gateway goes, so that a value can cross it. */
static void test_depth(void)
{
        g_autofree char *type = g_strnfill(LIMIT_VALUE_DEPTH + 2, 'a');
        g_autofree char *open = g_strnfill(LIMIT_VALUE_DEPTH + 1, '[');
        g_autofree char *close = g_strnfill(LIMIT_VALUE_DEPTH + 1, ']');
        g_autofree char *text = g_strconcat(open, close, NULL);
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
        CLEANUP_JSON_DOC JsonDoc doc = {};

        type[LIMIT_VALUE_DEPTH + 1] = 's';
        g_assert_cmpint(json_scan(&doc, text, strlen(text), 0), ==, 0);
        g_assert_cmpint(argument_check_value(type + 1, &doc, 1, "x", NULL), ==, 0);
        g_assert_cmpint(argument_check_value(type, &doc, 0, "x", &error), ==, -EINVAL);
        g_assert_nonnull(strstr(mqttrpc_error_get_message(error), "nested deeper than 28 levels"));
}

/* ---- lists: trap 8 ---- */

static const struct ListRow {
        const char *name;
        const char *params;
        const char *ordered; /* NULL: refused */
        const char *message;
} lists[] = {
        {"by-position", "[\"a\",1]", "[\"a\",1]", NULL},
        {"by-name", "{\"s\":\"a\",\"arg1\":1}", "[\"a\",1]", NULL},
        {"by-name-in-another-order", "{\"arg1\":1,\"s\":\"a\"}", "[\"a\",1]", NULL},
        {"by-escaped-name", "{\"\\u0073\":\"a\",\"arg1\":1}", "[\"a\",1]", NULL},
        {"none", "[]", NULL, "missing argument 's' (s)"},
        {"none-by-name", "{}", NULL, "missing argument 's' (s)"},
        {"too-few", "[\"a\"]", NULL, "missing argument 'arg1' (i)"},
        {"too-few-by-name", "{\"s\":\"a\"}", NULL, "missing argument 'arg1' (i)"},
        {"too-many", "[\"a\",1,2]", NULL, "expected 2 arguments, got 3"},
        {"unknown-name", "{\"s\":\"a\",\"arg1\":1,\"t\":3}", NULL, "no argument is named \"t\""},
        {"other-case", "{\"S\":\"a\",\"arg1\":1}", NULL, "no argument is named \"S\""},
        {"misspelt", "{\"s\":\"a\",\"ar1\":1}", NULL,
         "no argument is named \"ar1\", did you mean 'arg1'?"},
        {"near-one-that-is-given", "{\"s\":\"a\",\"arg1\":1,\"arg2\":1}", NULL,
         "no argument is named \"arg2\""},
        {"nul-in-a-name", "{\"s\":\"a\",\"arg1\\u0000\":1}", NULL,
         "no argument is named \"arg1\\u0000\""},
        {"long-name", "{\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxé\":1}",
         NULL,
         "no argument is named "
         "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…\""},
};

static void test_list(gconstpointer data)
{
        const struct ListRow *row = data;
        CLEANUP(argument_list_done) ArgumentList list = {};
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        CLEANUP_JSON_DOC JsonDoc doc = {};
        int r;

        g_assert_cmpint(argument_list_parse("s:s i", &list, NULL), ==, 0);
        g_assert_cmpint(json_scan(&doc, row->params, strlen(row->params), 0), ==, 0);
        r = argument_list_check(&list, &doc, &buffer, &error);
        g_assert_cmpint(r, ==, row->ordered ? 0 : -EINVAL);
        if (row->ordered)
                g_assert_cmpstr(buffer_text(&buffer), ==, row->ordered);
        else
                g_assert_cmpstr(mqttrpc_error_get_message(error), ==, row->message);
        /* The error is the caller's choice. */
        buffer_clear(&buffer);
        g_assert_cmpint(argument_list_check(&list, &doc, &buffer, NULL), ==, r);
}

static void test_no_arguments(void)
{
        static const char *const rows[] = {"[]", "{}"};
        ArgumentList list = {};

        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
                CLEANUP_JSON_DOC JsonDoc doc = {};

                g_assert_cmpint(json_scan(&doc, rows[i], 2, 0), ==, 0);
                g_assert_cmpint(argument_list_check(&list, &doc, &buffer, NULL), ==, 0);
                g_assert_cmpstr(buffer_text(&buffer), ==, "[]");
        }
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/arguments/declaration/is-parsed", test_declaration_is_parsed);
        g_test_add_func("/arguments/declaration/is-refused", test_declaration_is_refused);
        for (unsigned i = 0; i < G_N_ELEMENTS(values); i++) {
                g_autofree char *path =
                        g_strdup_printf("/arguments/value/%u/%s/%s", i, values[i].type,
                                        values[i].why ? "refused" : "fits");

                g_test_add_data_func(path, &values[i], test_value);
        }
        for (unsigned i = 0; i < G_N_ELEMENTS(lists); i++) {
                g_autofree char *path = g_strdup_printf("/arguments/list/%s/%s", lists[i].name,
                                                        lists[i].ordered ? "fits" : "refused");

                g_test_add_data_func(path, &lists[i], test_list);
        }
        g_test_add_func("/arguments/value/depth", test_depth);
        g_test_add_func("/arguments/list/no-arguments", test_no_arguments);
        return g_test_run();
}
