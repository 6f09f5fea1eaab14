/* SPDX-License-Identifier: MIT */

#include "common/json-file.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "common/limits.h"

static const char text[] = "{ // a comment\n"
                           "  \"a/b\": [1, {\"~\": true}],\n"
                           "  \"\\u0041\": \"x\"\n"
                           "}\n";

static void parse(JsonFile *file, Diagnostics *diagnostics)
{
        g_assert_cmpint(json_file_parse(file, "t.json", text, strlen(text), diagnostics), ==, 0);
}

static void test_reports_places(void)
{
        CLEANUP_DIAGNOSTICS Diagnostics list = {};
        CLEANUP_JSON_FILE JsonFile file = {};
        uint32_t array;

        parse(&file, &list);
        array = json_find(&file.doc, 0, "a/b");
        json_file_error(&file, 0, "all of it");
        json_file_error(&file, array - 1, "the %s", "key");
        json_file_warning(&file, array + 1, "the first item");
        json_file_error(&file, array + 4, "the deep value");
        json_file_error(&file, json_find(&file.doc, 0, "A"), "escaped");
        g_assert_cmpuint(list.count, ==, 5);
        g_assert_cmpstr(list.items[0].text, ==, "t.json:1:1: all of it");
        g_assert_cmpstr(list.items[1].text, ==, "t.json:2:3 /a~1b: the key");
        g_assert_cmpstr(list.items[2].text, ==, "t.json:2:11 /a~1b/0: the first item");
        g_assert_cmpstr(list.items[3].text, ==, "t.json:2:20 /a~1b/1/~0: the deep value");
        g_assert_cmpstr(list.items[4].text, ==, "t.json:3:13 /A: escaped");
        g_assert_true(json_file_failed(&file));
        g_assert_cmpuint(file.n_errors, ==, 4);
}

static void test_expects_types(void)
{
        CLEANUP_DIAGNOSTICS Diagnostics list = {};
        CLEANUP_JSON_FILE JsonFile file = {};
        CLEANUP_FREE char *string = NULL;

        parse(&file, &list);
        g_assert_true(json_file_expect(&file, 0, JSON_OBJECT));
        string = json_file_string(&file, json_find(&file.doc, 0, "A"));
        g_assert_cmpstr(string, ==, "x");
        g_assert_false(json_file_failed(&file));
        g_assert_null(json_file_string(&file, json_find(&file.doc, 0, "a/b")));
        g_assert_cmpstr(list.items[0].text, ==,
                        "t.json:2:10 /a~1b: expected a string, not an array");
}

static void test_refuses_nul(void)
{
        static const char nul[] = "[\"a\\u0000b\"]";
        CLEANUP_DIAGNOSTICS Diagnostics list = {};
        CLEANUP_JSON_FILE JsonFile file = {};

        g_assert_cmpint(json_file_parse(&file, "n.json", nul, strlen(nul), &list), ==, 0);
        g_assert_null(json_file_string(&file, 1));
        g_assert_cmpstr(list.items[0].text, ==, "n.json:1:2 /0: \\u0000 is not allowed here");
}

static void test_reports_what_is_no_json(void)
{
        CLEANUP_DIAGNOSTICS Diagnostics list = {};
        CLEANUP_JSON_FILE JsonFile file = {};

        g_assert_cmpint(json_file_parse(&file, "b.json", "{\n  \"a\": 01\n}", 13, &list), ==,
                        -EBADMSG);
        g_assert_cmpstr(list.items[0].text, ==, "b.json:2:9: number with a leading zero");
        g_assert_cmpint(json_file_load(&file, "/nonexistent/c.json", &list), ==, -ENOENT);
        g_assert_cmpstr(list.items[1].text, ==,
                        "cannot open /nonexistent/c.json: No such file or directory");
        g_assert_cmpuint(list.n_errors, ==, 2);
}

static void test_counts_errors_beyond_the_cap(void)
{
        CLEANUP_DIAGNOSTICS Diagnostics list = {};
        CLEANUP_JSON_FILE JsonFile file = {};

        parse(&file, &list);
        for (unsigned i = 0; i < LIMIT_DIAGNOSTICS + 5; i++)
                json_file_error(&file, 0, "error %u", i);
        g_assert_cmpuint(list.count, ==, LIMIT_DIAGNOSTICS);
        g_assert_cmpuint(list.n_errors, ==, LIMIT_DIAGNOSTICS + 5);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/json-file/reports-places", test_reports_places);
        g_test_add_func("/json-file/expects-types", test_expects_types);
        g_test_add_func("/json-file/refuses-nul", test_refuses_nul);
        g_test_add_func("/json-file/reports-what-is-no-json", test_reports_what_is_no_json);
        g_test_add_func("/json-file/counts-errors-beyond-the-cap",
                        test_counts_errors_beyond_the_cap);
        return g_test_run();
}
