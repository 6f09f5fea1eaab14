/* SPDX-License-Identifier: MIT */

#include "cli/params.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

enum { MOST = 4 };

typedef struct Row {
        const char *name;
        const char *arguments[MOST + 1];
        const char *text; /* NULL: none, or refused */
        int code;
        const char *error;
} Row;

static const Row rows[] = {
        {"none", {}, NULL, 0, NULL},
        {"json-values", {"5", "true", "null", "[1,2]"}, "[5,true,null,[1,2]]", 0, NULL},
        {"object", {"{\"a\":1}"}, "[{\"a\":1}]", 0, NULL},
        {"words", {"lab", "false"}, "[\"lab\",false]", 0, NULL},
        {"quoted-string", {"\"5\"", "\"lab\""}, "[\"5\",\"lab\"]", 0, NULL},
        {"empty", {""}, "[\"\"]", 0, NULL},
        {"digits-stay", {"12345678901234567890.500"}, "[12345678901234567890.500]", 0, NULL},
        {"negative", {"-5", "-x"}, "[-5,\"-x\"]", 0, NULL},
        {"not-quite-numbers", {"01", "+1", "1e", "NaN"}, "[\"01\",\"+1\",\"1e\",\"NaN\"]", 0, NULL},
        {"several-words", {"a b", "a\"b\\"}, "[\"a b\",\"a\\\"b\\\\\"]", 0, NULL},
        {"space-around-json", {" 5 "}, "[5]", 0, NULL},
        {"two-values-in-one", {"1 2"}, "[\"1 2\"]", 0, NULL},
        {"control-characters", {"a\nb"}, "[\"a\\nb\"]", 0, NULL},
        {"utf8", {"Gr\303\274\303\237e"}, "[\"Gr\303\274\303\237e\"]", 0, NULL},
        {"broken-json-is-a-string",
         {"[1", "{a:1}", "\"x"},
         "[\"[1\",\"{a:1}\",\"\\\"x\"]",
         0,
         NULL},
        {"by-name", {"a=1", "b=x", "c=\"5\""}, "{\"a\":1,\"b\":\"x\",\"c\":\"5\"}", 0, NULL},
        {"name-with-all-letters", {"_aZ-9=1"}, "{\"_aZ-9\":1}", 0, NULL},
        {"empty-value", {"a="}, "{\"a\":\"\"}", 0, NULL},
        {"value-with-equals", {"a=b=c"}, "{\"a\":\"b=c\"}", 0, NULL},
        {"no-names",
         {"1=2", "=x", "a b=c", "-a=1"},
         "[\"1=2\",\"=x\",\"a b=c\",\"-a=1\"]",
         0,
         NULL},
        {"quoted-equals", {"\"a=b\""}, "[\"a=b\"]", 0, NULL},
        {"json-with-equals", {"{\"a=b\":1}", "x y"}, "[{\"a=b\":1},\"x y\"]", 0, NULL},
        {"mixed",
         {"a=1", "2"},
         NULL,
         -EINVAL,
         "'a=1' is an argument by name, '2' one by position: give all in the same way (a string "
         "with a '=' goes by position as '\"a=b\"')"},
        {"mixed-the-other-way",
         {"2", "3", "b=x"},
         NULL,
         -EINVAL,
         "'b=x' is an argument by name, '2' one by position: give all in the same way (a string "
         "with a '=' goes by position as '\"a=b\"')"},
        {"twice", {"a=1", "ab=2", "a=3"}, NULL, -EINVAL, "argument 'a' is given twice"},
        {"not-utf8", {"x", "\377"}, NULL, -EINVAL, "argument 2 is not valid UTF-8"},
        {"too-deep",
         {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"},
         NULL,
         -E2BIG,
         "argument 1: nested too deep"},
};

static void test_row(gconstpointer data)
{
        const Row *row = data;
        CLEANUP_PARAMS Params params = {};
        CLEANUP_ERROR Error *error = NULL;
        size_t count = 0;

        while (row->arguments[count])
                count++;
        g_assert_cmpint(params_build(row->arguments, count, &params, &error), ==, row->code);
        g_assert_cmpstr(params.text, ==, row->text);
        if (row->error)
                g_assert_cmpstr(error_text(error), ==, row->error);
        else
                g_assert_null(error);
}

static void test_notes_what_may_be_a_mistake(void)
{
        static const char *const arguments[] = {"lab", "[1", "{\"a\":}"};
        CLEANUP_PARAMS Params params = {};

        g_assert_cmpint(params_build(arguments, 1, &params, NULL), ==, 0);
        g_assert_null(params.note);
        params_done(&params);
        g_assert_cmpint(params_build(arguments, 3, &params, NULL), ==, 0);
        g_assert_cmpstr(params.note, ==,
                        "argument 2 went as a string, since it is not JSON: expected ',' or ']' at "
                        "character 3 of [1\n"
                        "argument 3 went as a string, since it is not JSON: expected a value at "
                        "character 6 of {\"a\":}");
}

static void test_limits_the_size(void)
{
        g_autofree char *text = g_strnfill(1 << 20, 'x');
        const char *arguments[] = {text};
        CLEANUP_PARAMS Params params = {};
        CLEANUP_ERROR Error *error = NULL;

        g_assert_cmpint(params_build(arguments, 1, &params, &error), ==, -EMSGSIZE);
        g_assert_cmpstr(error_text(error), ==,
                        "the arguments are too large: a request has at most 1048576 bytes");
        text[(1 << 20) - 5] = '\0';
        g_assert_cmpint(params_build(arguments, 1, &params, NULL), ==, 0);
        g_assert_cmpuint(strlen(params.text), ==, (1 << 20) - 1);
}

static void test_takes_params_as_json(void)
{
        static const struct {
                const char *json;
                const char *text;
                int code;
                const char *error;
        } cases[] = {
                {" [1, 2.50] \n", "[1, 2.50]", 0, NULL},
                {"{\"a\":1}", "{\"a\":1}", 0, NULL},
                {"[1", NULL, -EBADMSG, "not JSON: expected ',' or ']' at character 3"},
                {"", NULL, -EBADMSG, "not JSON: expected a value at character 1"},
                {"5", NULL, -EINVAL, "must be a JSON array or object of arguments, not a number"},
                {"null", NULL, -EINVAL, "must be a JSON array or object of arguments, not null"},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
                CLEANUP_PARAMS Params params = {};
                CLEANUP_ERROR Error *error = NULL;

                g_assert_cmpint(params_from_json(cases[i].json, &params, &error), ==,
                                cases[i].code);
                g_assert_cmpstr(params.text, ==, cases[i].text);
                if (cases[i].error)
                        g_assert_cmpstr(error_text(error), ==, cases[i].error);
        }
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *path = g_strdup_printf("/cli-params/%s", rows[i].name);

                g_test_add_data_func(path, &rows[i], test_row);
        }
        g_test_add_func("/cli-params/notes-what-may-be-a-mistake",
                        test_notes_what_may_be_a_mistake);
        g_test_add_func("/cli-params/limits-the-size", test_limits_the_size);
        g_test_add_func("/cli-params/takes-params-as-json", test_takes_params_as_json);
        return g_test_run();
}
